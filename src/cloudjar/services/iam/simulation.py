"""The policy simulator's questions and answers, in AWS's form; what decides is the engine of real requests.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cloudjar.policy.conditions import address, date, flag, number
from cloudjar.policy.document import Document, parse
from cloudjar.policy.evaluate import AccessRequest, Policy, PolicySet, decide
from cloudjar.policy.grammar import Flavour, read_json
from cloudjar.policy.principal import Principal
from cloudjar.policy.simulate import MatchedStatement, Simulation, simulate
from cloudjar.services.iam import errors
from cloudjar.spec import iam

_SEVERITY = {"explicitDeny": 0, "implicitDeny": 1, "allowed": 2}
_SHOWN = (Flavour.IDENTITY, Flavour.RESOURCE)
"""Whose statements and condition keys the simulator speaks of: never those of SCPs and boundaries."""
_VARIABLE = re.compile(r"\$\{\s*([^*?$,}\s][^,}]*?)\s*[,}]")
IAM = "IAM Policy"
_ALL = Policy(parse('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'))


class Scene(NamedTuple):
    """Who is simulated, with which policies and in which context.

    `owner` is the account of resources whose ARNs name none; `resources` are those asked about, none for ``*``.
    """

    principal: Principal
    policies: PolicySet
    context: Mapping[str, Any]
    owner: str
    resources: tuple[str, ...]

    def crosses(self, resource: str) -> bool:
        """Whether the resource belongs to another account than the caller."""
        return self.owner_of(resource) != self.principal.account

    def owner_of(self, resource: str) -> str:
        """The account of a resource."""
        parts = resource.split(":", 5)
        named = parts[4] if len(parts) == 6 else ""
        return named if re.fullmatch(r"\d{12}", named) else self.owner


def evaluate(scene: Scene, action: str) -> dict[str, Any]:
    """``EvaluationResult``: one action on every resource, the most restrictive decision on top."""
    if not scene.resources:
        return _alone(scene, action)
    found = [(resource, _one(scene, action, resource)) for resource in scene.resources]
    worst = min((s.decision for _, s in found), key=_SEVERITY.__getitem__)
    details = [_details(scene, resource, s) for resource, s in found]
    return {
        "EvalActionName": action,
        "EvalResourceName": _template(action, scene.resources),
        "EvalDecision": worst,
        "MatchedStatements": _union(_matched(s) for _, s in found if s.decision == worst),
        "MissingContextValues": sorted(set().union(*(_missing(scene, s) for _, s in found))),
        "OrganizationsDecisionDetail": _organizations(s for _, s in found),
        "PermissionsBoundaryDecisionDetail": _boundary(s for _, s in found),
        "EvalDecisionDetails": _most_restrictive(details),
        "ResourceSpecificResults": [
            _of_resource(scene, resource, s, detail) for (resource, s), detail in zip(found, details, strict=True)
        ],
    }


def _alone(scene: Scene, action: str) -> dict[str, Any]:
    simulated = _one(scene, action, "*")
    return {
        "EvalActionName": action,
        "EvalResourceName": "*",
        "EvalDecision": simulated.decision,
        "MatchedStatements": _matched(simulated),
        "MissingContextValues": _missing(scene, simulated),
        "OrganizationsDecisionDetail": _organizations((simulated,)),
        "PermissionsBoundaryDecisionDetail": _boundary((simulated,)),
    }


def _of_resource(scene: Scene, resource: str, simulated: Simulation, details: dict[str, str] | None) -> dict[str, Any]:
    return {
        "EvalResourceName": resource,
        "EvalResourceDecision": simulated.decision,
        "MatchedStatements": _matched(simulated),
        "MissingContextValues": _missing(scene, simulated),
        "EvalDecisionDetails": details or None,
        "PermissionsBoundaryDecisionDetail": _boundary((simulated,)),
    }


def _one(scene: Scene, action: str, resource: str) -> Simulation:
    """An action that knows no resources is asked for on ``*``, as the service itself would ask."""
    asked = "*" if resource != "*" and _knows_no_resource(action) else resource
    owner = scene.owner_of(resource) if resource != "*" else ""
    return simulate(AccessRequest(action, asked, scene.principal, scene.context, owner), scene.policies)


def facts_of(action: str) -> iam.ActionFacts | None:
    """What the authorization reference says of an action; None for one that it does not know."""
    prefix, _, name = action.partition(":")
    try:
        spelled = next((a for a in iam.actions_of(prefix.lower()) if a.lower() == name.lower()), None)
        return None if spelled is None else iam.action(f"{prefix.lower()}:{spelled}")
    except iam.UnknownAction:
        return None


def _knows_no_resource(action: str) -> bool:
    facts = facts_of(action)
    return facts is not None and not facts.resources


def _template(action: str, resources: Sequence[str]) -> str:
    """The ARN format of the resource type that is asked about, ``*`` when the action has none."""
    facts = facts_of(action)
    if facts is None:
        return "*"
    prefix = facts.name.partition(":")[0]
    types = [iam.resource_type(prefix, r.type) for r in facts.resources]
    fitting = [t for t in types if any(t.matches(resource) for resource in resources)]
    return next((t.formats[0] for t in (*fitting, *types)), "*")


# -- the context
_LEGAL: dict[str, Callable[[str], object]] = {
    "numeric": number.read,
    "date": date.read,
    "ip": address.network,
    "boolean": lambda text: text.lower() in ("true", "false") or None,
    "binary": flag.decode,
}


def context(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The condition keys of ``ContextEntries``, in lower case; raises InvalidInput for values not of their type."""
    found: dict[str, Any] = {}
    for entry in entries:
        name, kind = entry.get("ContextKeyName") or "", entry.get("ContextKeyType") or "string"
        values = [str(value) for value in entry.get("ContextKeyValues") or ()]
        legal = _LEGAL.get(kind.removesuffix("List"))
        if not name or (legal is not None and any(legal(value) is None for value in values)):
            raise errors.invalid_input(f"Invalid context entry: {name} has a value that is not of type {kind}.")
        if not kind.endswith("List") and len(values) > 1:
            raise errors.invalid_input(f"Invalid context entry: {name} is of type {kind} and has several values.")
        if values:
            found[name.lower()] = values if kind.endswith("List") else values[0]
    return found


# -- what is said of a decision
def _matched(simulated: Simulation) -> list[dict[str, Any]]:
    return [_statement(m) for m in simulated.matched if m.layer in _SHOWN]


def _statement(match: MatchedStatement) -> dict[str, Any]:
    (line, column), end = _start(match), match.span.end
    return {
        "SourcePolicyId": match.policy.name,
        "SourcePolicyType": "Resource Policy" if match.layer is Flavour.RESOURCE else IAM,
        "StartPosition": {"Line": line, "Column": column},
        "EndPosition": {"Line": end.line, "Column": end.column},
    }


def _start(match: MatchedStatement) -> tuple[int, int]:
    """Where AWS lets a statement begin: right after what precedes it in a list (the bracket, the statement before),
    and right after its own brace when it is the only one and stands in no list."""
    document, (line, column) = match.policy.document, match.span.start
    if match.index:
        return document.span(document.statements[match.index - 1]).end
    lines = document.text.split("\n")
    before = "\n".join([*lines[: line - 1], lines[line - 1][: column - 1]]).rstrip()
    if not before.endswith("["):
        return line, column + 1
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _missing(scene: Scene, simulated: Simulation) -> list[str]:
    """Keys that the statements on the action ask for and nobody gave, as the policies spell them."""
    shown = [*scene.policies.identity, *((scene.policies.resource,) if scene.policies.resource else ())]
    wanted: dict[str, str] = {}
    for policy in shown:
        keys = {k for found in policy.document.candidates(simulated.action.lower()) for s in found for k in s.keys}
        wanted.update({k: v for k, v in spellings(policy.document).items() if k in keys and k not in wanted})
    return sorted(v for k, v in wanted.items() if scene.context.get(k) is None)


def spellings(document: Document) -> dict[str, str]:
    """Condition keys and variables of a document: in lower case -> as written first."""
    found: dict[str, str] = {}
    statements = read_json(document.text)["Statement"]
    for raw in statements if isinstance(statements, list) else [statements]:
        _spell(raw, found)
    return {key: found.get(key, key) for key in sorted(document.keys)}


def _spell(value: Any, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "Condition":
                for keys in inner.values():
                    for key in keys:
                        found.setdefault(key.lower(), key)
            _spell(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _spell(inner, found)
    elif isinstance(value, str):
        for key in _VARIABLE.findall(value):
            found.setdefault(key.lower(), key)


def _boundary(found: Iterable[Simulation]) -> dict[str, bool] | None:
    said = [s.allowed_by_boundary for s in found if s.allowed_by_boundary is not None]
    return {"AllowedByPermissionsBoundary": all(said)} if said else None


def _organizations(found: Iterable[Simulation]) -> dict[str, bool] | None:
    said = [s.allowed_by_organizations for s in found if s.allowed_by_organizations is not None]
    return {"AllowedByOrganizations": all(said)} if said else None


def _details(scene: Scene, resource: str, simulated: Simulation) -> dict[str, str] | None:
    """How each kind of policy decides by itself, across accounts; empty within one; None when an SCP ended it."""
    if simulated.allowed_by_organizations is False:
        return None
    if resource == "*" or not scene.crosses(resource):
        return {}
    policies = scene.policies
    said = {IAM: _by_itself(simulated, scene, PolicySet(identity=policies.identity))}
    if policies.boundary is not None:
        said["Permissions Boundary Policy"] = _by_itself(simulated, scene, PolicySet(identity=(policies.boundary,)))
    # Asked as if the caller's own account allowed everything.
    request = AccessRequest(simulated.action, resource, scene.principal, scene.context, scene.owner_of(resource))
    decision = decide(request, PolicySet(identity=(_ALL,), resource=policies.resource))
    return {**said, "Resource Policy": decision.reason.value}


def _by_itself(simulated: Simulation, scene: Scene, policies: PolicySet) -> str:
    request = AccessRequest(simulated.action, simulated.resource, scene.principal, scene.context)
    return decide(request, policies).reason.value


def _most_restrictive(details: Sequence[dict[str, str] | None]) -> dict[str, str] | None:
    if any(d is None for d in details):
        return None
    said: dict[str, str] = {}
    for name, decision in (item for d in details if d for item in d.items()):
        said[name] = min(decision, said.get(name, decision), key=_SEVERITY.__getitem__)
    return said


def _union(lists: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for statement in (s for several in lists for s in several):
        if statement not in found:
            found.append(statement)
    return found
