"""The two validators of policy documents: IAM's for permissions, and that of trust and resource policies."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.policy import grammar
from cloudjar.policy.conditions import block
from cloudjar.policy.grammar import LEGACY, ORGANIZATIONS, SYNTAX, Flavour, PolicySyntaxError, fail

_TOP = frozenset(("Version", "Id", "Statement"))
_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)


class Raw(NamedTuple):
    """One statement, checked for structure: values as tuples, absent elements as None."""

    sid: str
    effect: str
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    principals: grammar.PrincipalEntries | None
    not_principals: grammar.PrincipalEntries | None
    conditions: grammar.Conditions


def check(value: Any, flavour: Flavour, *, needs_resource: bool = True) -> tuple[str, list[Raw]]:
    """The language version and the statements of a document; raises `PolicySyntaxError` in AWS's words.

    `needs_resource` is False for services whose policies sit on one resource and do not name it (ECR).
    """
    if flavour in (Flavour.TRUST, Flavour.RESOURCE):
        return _own_words(value, trust=flavour is Flavour.TRUST, needs_resource=needs_resource)
    try:
        if flavour in (Flavour.RCP, Flavour.ENDPOINT):
            return _named(value, flavour)
        return _permissions(value)
    except PolicySyntaxError as error:
        if flavour in (Flavour.SCP, Flavour.RCP):
            raise PolicySyntaxError(ORGANIZATIONS, error.reason) from None
        raise


# Permissions: identity policies, boundaries, session policies, SCPs ---------------------------------


def _permissions(value: Any) -> tuple[str, list[Raw]]:
    _check_top(value)
    version = value.get("Version", "")
    statements = [_structure(s) for s in _statements(value)]
    if version != "2012-10-17":
        fail("Policy document must be version 2012-10-17 or greater.", "version")
    for statement in statements:
        _legacy(statement)
    _check_sids(statements, "Statement IDs (SID) in a single policy must be unique.")
    for statement in statements:
        grammar.check_sid(statement.sid)
        if statement.principals is not None or statement.not_principals is not None:
            fail("Policy document should not specify a principal.", "principal")
    for statement in statements:
        if not (statement.actions or statement.not_actions):
            fail("Policy statement must contain actions.", "action")
        if not (statement.resources or statement.not_resources):
            fail("Policy statement must contain resources.", "resource")
    for statement in statements:
        for resource in (statement.resources or ()) + (statement.not_resources or ()):
            grammar.check_resource(resource)
    _check_actions(statements)
    return version, statements


def _check_actions(statements: list[Raw]) -> None:
    for statement in statements:
        for action in (statement.actions or ()) + (statement.not_actions or ()):
            grammar.check_action(action)


def _check_top(value: Any) -> None:
    if not isinstance(value, dict) or not value.keys() <= _TOP:
        fail()
    if not isinstance(value.get("Id", ""), str):
        fail()
    if "Version" in value and value["Version"] not in grammar.VERSIONS:
        fail(reason="version")


def _statements(value: dict[str, Any]) -> list[Any]:
    found = value.get("Statement")
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list) or not found:
        fail(reason="statement")
    return found


def _structure(value: Any) -> Raw:
    """The shape of one statement; exclusive pairs and types are syntax, missing elements are not yet."""
    if not isinstance(value, dict) or not value.keys() <= _ELEMENTS:
        fail()
    for element in ("Action", "Resource", "Principal"):
        if element in value and f"Not{element}" in value:
            fail()
    sid, effect = value.get("Sid", ""), value.get("Effect")
    if not isinstance(sid, str) or not isinstance(effect, str) or effect.lower() not in ("allow", "deny"):
        fail(reason="effect" if isinstance(sid, str) else "sid")

    def listed(name: str) -> tuple[str, ...] | None:
        return grammar.texts(value[name]) if name in value else None

    def named(name: str) -> grammar.PrincipalEntries | None:
        return grammar.principals(value[name]) if name in value else None

    return Raw(
        sid, effect, listed("Action"), listed("NotAction"), listed("Resource"), listed("NotResource"),
        named("Principal"), named("NotPrincipal"), grammar.conditions(value.get("Condition", {})),
    )  # fmt: skip


def _legacy(statement: Raw) -> None:
    if statement.effect not in ("Allow", "Deny"):
        fail(LEGACY, "effect")
    for resource in (statement.resources or ()) + (statement.not_resources or ()):
        if grammar.fails_legacy_parsing(resource):
            fail(LEGACY, "resource")
    for operator, _, values in statement.conditions:
        if not all(block.legal(operator, value) for value in values):
            fail(LEGACY, "condition value")


def _check_sids(statements: list[Raw], message: str) -> None:
    sids = [s.sid for s in statements if s.sid]
    if len(set(sids)) != len(sids):
        fail(message, "sid")


# Policies that name principals ---------------------------------------------------------------------


def _named(value: Any, flavour: Flavour) -> tuple[str, list[Raw]]:
    """RCPs and VPC endpoint policies: the same language, plus a Principal."""
    _check_top(value)
    statements = [_structure(s) for s in _statements(value)]
    _check_sids(statements, "Statement IDs (SID) in a single policy must be unique.")
    for statement in statements:
        _legacy(statement)
        if statement.principals is None and (flavour is Flavour.RCP or statement.not_principals is None):
            fail("Missing required field Principal", "principal")
        if flavour is Flavour.RCP and statement.principals != {"AWS": ("*",)}:
            fail("Invalid principal in policy", "principal")
        if not (statement.actions or statement.not_actions):
            fail("Policy statement must contain actions.", "action")
        if not (statement.resources or statement.not_resources):
            fail("Policy statement must contain resources.", "resource")
    _check_actions(statements)
    return value.get("Version", grammar.VERSIONS[0]), statements


def _own_words(value: Any, *, trust: bool, needs_resource: bool) -> tuple[str, list[Raw]]:
    if not isinstance(value, dict):
        fail(TRUST_JSON if trust else RESOURCE_JSON, "json")
    for field in value:
        if field not in _TOP:
            fail(f"Unknown field {field}", "field")
    if value.get("Version", grammar.VERSIONS[0]) not in grammar.VERSIONS:
        fail("The policy must contain a valid version string", "version")
    if not isinstance(value.get("Id", ""), str):
        fail(reason="field")
    listed = value.get("Statement")
    listed = [listed] if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not listed:
        fail("Could not parse the policy: Statement is empty!", "statement")
    statements = [_trust(s) if trust else _resource(s, needs_resource) for s in listed]
    _check_sids(statements, "The Statement Ids in the policy are not unique")
    return value.get("Version", grammar.VERSIONS[0]), statements


TRUST_JSON = "This policy contains invalid Json"
RESOURCE_JSON = "Policies must be valid JSON and the first byte must be '{'"
JSON_WORDS = {
    Flavour.TRUST: TRUST_JSON,
    Flavour.RESOURCE: RESOURCE_JSON,
    Flavour.SCP: ORGANIZATIONS,
    Flavour.RCP: ORGANIZATIONS,
}


def _common(value: Any) -> None:
    """What trust and resource policies refuse alike, in the order they do."""
    if not isinstance(value, dict):
        fail()
    for field in value:
        if field not in _ELEMENTS:
            fail(f"Unknown field {field}", "field")
    effect = value.get("Effect")
    if effect is None:
        fail("Missing required field Effect", "effect")
    if effect not in ("Allow", "Deny"):
        fail(f"Invalid effect: {effect}" if isinstance(effect, str) else SYNTAX, "effect")


def _trust(value: Any) -> Raw:
    _common(value)
    if "NotPrincipal" in value:
        allow = value["Effect"] == "Allow"
        fail(
            "Allow with NotPrincipal is not allowed."
            if allow
            else "AssumeRole policy must not contain NotPrincipal field.",
            "principal",
        )
    who = value.get("Principal")
    if who is None:
        fail("Missing required field Principal", "principal")
    if who == "*":
        fail('AssumeRolepolicy contained an invalid principal: "STAR":"*".', "principal")
    if not isinstance(who, dict):
        fail("Principal must be a JSON object.", "principal")
    if "CanonicalUser" in who:
        fail('Invalid principal in policy: "CanonicalUser"', "principal")
    raw = _checked(value)
    actions = (raw.actions or ()) + (raw.not_actions or ())
    if not actions:
        fail("Missing required field Action", "action")
    if not all(action.lower().startswith("sts:") for action in actions):
        fail("AssumeRole policy may only specify STS AssumeRole actions.", "action")
    if raw.resources is not None:
        fail("Has prohibited field Resource", "resource")
    if raw.not_resources is not None:
        fail("AssumeRole policy must not contain resources.", "resource")
    return raw


def _resource(value: Any, needs_resource: bool) -> Raw:
    _common(value)
    if "Principal" not in value and "NotPrincipal" not in value:
        fail("Missing required field Principal", "principal")
    raw = _checked(value)
    if not (raw.actions or raw.not_actions):
        fail("Missing required field Action", "action")
    for action in (raw.actions or ()) + (raw.not_actions or ()):
        vendor, colon, name = action.partition(":")
        if action != "*" and not (vendor and colon and name and ":" not in name):
            fail("Policy has invalid action", "action")
    if needs_resource and not (raw.resources or raw.not_resources):
        fail("Missing required field Resource", "resource")
    for resource in (raw.resources or ()) + (raw.not_resources or ()):
        if resource != "*" and (not resource.startswith("arn:") or grammar.fails_legacy_parsing(resource)):
            fail("Policy has invalid resource", "resource")
    return raw


def _checked(value: dict[str, Any]) -> Raw:
    raw = _structure(value)
    for operator, key, values in raw.conditions:
        if not all(block.legal(operator, v) for v in values):
            fail(f"Invalid value for condition {operator} on {key}", "condition value")
    return raw
