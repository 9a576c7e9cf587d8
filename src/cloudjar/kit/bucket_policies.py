"""What S3 refuses in the policy of a bucket or an access point: S3 and S3 Control ask alike.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.public_policies import statements, texts
from cloudjar.kit.record import arn_of, by_noun
from cloudjar.policy.document import Document, PolicySyntaxError, parse
from cloudjar.policy.grammar import Flavour
from cloudjar.spec import iam

_LARGEST = 20 * 1024
_UNIQUE = {"AIDA": "user", "AROA": "role"}
_WHOLE = frozenset(("bucket", "accesspoint"))
_INSIDE = frozenset(("object", "accesspointobject"))


def malformed(message: str) -> AwsError:
    """A policy that is none."""
    return AwsError("MalformedPolicy", message, 400)


def checked(ctx: Ctx, text: str, arn: str) -> Document:
    """The policy of the bucket or access point with an ARN, compiled. Raises MalformedPolicy and PolicyTooLarge."""
    if len(text.encode()) > _LARGEST:
        raise AwsError("PolicyTooLarge", "Policy exceeds the maximum allowed document size.", 400)
    try:
        document = parse(text, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise malformed(error.message) from None
    for statement in document.statements:
        listed = statement.principals.texts if statement.principals else ()
        for kind, _, who in (one.partition(":") for one in listed):
            if kind == "AWS" and not exists(ctx, who):
                raise AwsError("MalformedPolicy", "Invalid principal in policy", 400, members={"Detail": who})
    for raw in statements(text):
        _check_resources(raw, arn)
        _check_actions(raw, arn)
    return document


def exists(ctx: Ctx, named: str) -> bool:
    """Users and roles must be there when they are named, by ARN or unique id, in whatever account."""
    kind = _UNIQUE.get(named[:4])
    if kind is not None and named.isalnum():
        ctx.world.load("iam")
        declared = by_noun("iam", kind)
        return declared is not None and bool(ctx.db.everywhere(declared.type, id=named))
    arn = arns.parse(named)
    if arn is None or arn.service != "iam" or arn.type not in ("user", "role") or arn.account == "cloudfront":
        return True
    found = ctx.at(arn.account, "").find("iam", arn.type, arn.name.rpartition("/")[2])
    return found is not None and arn_of(found) == named


def _check_resources(raw: Mapping[str, Any], arn: str) -> None:
    for resource in texts(raw.get("Resource", raw.get("NotResource"))):
        if resource != "*" and not _about(resource, arn):
            raise malformed("Policy has invalid resource")


def _about(resource: str, arn: str) -> bool:
    """Whether a resource pattern is the bucket, or in it; a wildcard may stand in the bucket's name."""
    if resource == arn or resource.startswith((f"{arn}/", f"{arn}*")):
        return True
    if not set(resource) & set("*?"):
        return False
    whole = "/".join(resource.split("/")[: arn.count("/") + 1])
    return _pattern(whole).fullmatch(arn) is not None


def _pattern(text: str) -> re.Pattern[str]:
    spelled = {"*": ".*", "?": "."}
    return re.compile("".join(spelled.get(c) or re.escape(c) for c in re.sub(r"\*+", "*", text)))


def _check_actions(raw: Mapping[str, Any], arn: str) -> None:
    """Actions must be S3's, and at least apply to one of the statement's resources."""
    listed = texts(raw.get("Action", raw.get("NotAction")))
    kinds: set[str] = set()
    for action in listed:
        vendor = action.partition(":")[0].lower()
        if action != "*" and vendor not in ("s3", "s3express", "s3-object-lambda", "*"):
            raise malformed("Policy has invalid action")
        found = _types(action)
        if found is None:
            raise malformed("Policy has invalid action")
        kinds |= found
    if "Action" not in raw or "Resource" not in raw:
        return
    on = {kind for resource in texts(raw["Resource"]) for kind in _kinds(resource, arn)}
    if not kinds & on:
        raise malformed("Action does not apply to any resource(s) in statement")


def _kinds(resource: str, arn: str) -> Iterable[str]:
    inside = resource.count("/") > arn.count("/")
    if not inside:
        yield from _WHOLE
    if inside or resource.endswith("*"):
        yield from _INSIDE


def _types(pattern: str) -> set[str] | None:
    """The resource types that the actions behind a pattern act on; None when there is no such action."""
    if pattern == "*":
        return set(_WHOLE | _INSIDE)
    wanted = _pattern(pattern.partition(":")[2].lower())
    found: set[str] = set()
    known = False
    for name in iam.actions_of("s3"):
        if wanted.fullmatch(name.lower()):
            known = True
            listed = {resource.type for resource in iam.action(f"s3:{name}").resources}
            found |= listed & (_WHOLE | _INSIDE)
    return found if known else None
