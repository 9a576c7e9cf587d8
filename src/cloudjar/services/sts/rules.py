"""What sessions may be: how long, how narrow, with which tags. Pure.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

from base64 import b32decode
from binascii import Error as BadBase32
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.policy.document import parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.sts import errors

CHAINED_LIMIT = 3600
ROOT_LIMIT = 3600
DEFAULT_ROLE_SECONDS = 3600
DEFAULT_USER_SECONDS = 43200
MESSAGE_LASTS = 86400
"""Seconds for which an encoded refusal can be decoded; AWS says that there is such a time, and not which."""
_POLICY_CHARACTERS = 2048
_POLICY_ARNS = 10
_TAGS = 50
_PACKED_BYTES = 4096


def refuse_unbuilt(req: Mapping[str, Any]) -> None:
    """Raises NotImplemented (501) for members that would change the session in ways that are not built."""
    for name in ("ProvidedContexts", "MinimumSessionTokenSize"):
        if req.get(name):
            raise AwsError("NotImplemented", f"The member {name} of sts is not built in Cloudjar.", 501)


def check_message(body: Mapping[str, Any], account: str, now: datetime) -> None:
    """Raises InvalidAuthorizationMessageException for a refusal of another account's principal, or of long ago."""
    said = body.get("context") or {}
    keys = {item["key"]: item["values"]["items"] for item in (said.get("conditions") or {}).get("items", ())}
    at = keys.get("aws:EpochTime")
    arn = arns.parse((said.get("principal") or {}).get("arn") or "")
    if not at or now.timestamp() - int(at[0]["value"]) > MESSAGE_LASTS or arn is None or arn.account != account:
        raise errors.invalid_message()


def role_seconds(asked: int | None, longest: int, *, chained: bool, service: bool) -> int:
    """How long a role session lasts. The role's own limit does not bind AWS services; chaining has one of its own."""
    seconds = asked or DEFAULT_ROLE_SECONDS
    if chained and seconds > CHAINED_LIMIT:
        raise errors.validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > longest and not service:
        raise errors.validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return seconds


def user_seconds(asked: int | None, *, root: bool) -> int:
    """How long a session of a user or of the root user lasts; root's are cut to an hour."""
    seconds = asked or DEFAULT_USER_SECONDS
    return min(seconds, ROOT_LIMIT) if root else seconds


class Narrowing(NamedTuple):
    """What narrows a session, and how full of its allowance the token is, in percent (None: nothing was given)."""

    policies: tuple[str, ...]
    arns: tuple[str, ...]
    percent: int | None


def narrowing(req: Mapping[str, Any], account: str) -> Narrowing:
    """The session policies of a request, checked; managed ones must be AWS's or of the role's account."""
    text = req.get("Policy")
    named = tuple(str(item["arn"]) for item in req.get("PolicyArns") or () if item.get("arn"))
    if text is not None:
        try:
            parse(text, Flavour.SESSION)
        except PolicySyntaxError as error:
            raise errors.malformed_policy(error.message) from None
    if len(named) > _POLICY_ARNS:
        raise errors.validation(
            f"1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have "
            f"length less than or equal to {_POLICY_ARNS}"
        )
    for arn in named:
        _check_policy_arn(arn, account)
    return Narrowing((text,) if text else (), named, _percent(text or "", named, req.get("Tags") or ()))


def _check_policy_arn(arn: str, account: str) -> None:
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.type != "policy":
        raise errors.validation(f"Invalid policy ARN: {arn}")
    if parsed.account not in ("aws", account):
        raise errors.validation(f"The policy {arn} must belong to the account of the session.")


def _percent(text: str, named: Sequence[str], tags: Iterable[Mapping[str, Any]]) -> int | None:
    """AWS packs these into the token by a method of its own; here their plain length counts."""
    plain = len(text) + sum(map(len, named))
    if plain > _POLICY_CHARACTERS:
        raise errors.packed_policy_too_large(plain * 100 // _POLICY_CHARACTERS)
    size = plain + sum(len(str(tag.get("Key"))) + len(str(tag.get("Value") or "")) for tag in tags)
    if size > _PACKED_BYTES:
        raise errors.packed_policy_too_large(size * 100 // _PACKED_BYTES)
    return max(1, size * 100 // _PACKED_BYTES) if size else None


class SessionTags(NamedTuple):
    """Tags of a session, and which of them go on to sessions made from it."""

    given: dict[str, str]
    inherited: dict[str, str]
    transitive: tuple[str, ...]

    @property
    def all(self) -> dict[str, str]:
        return {**self.inherited, **self.given}


def laid_over(own: Mapping[str, str], session: Mapping[str, str]) -> dict[str, str]:
    """A principal's own tags with those of a session over them, whatever the case of their keys."""
    folded = {key.lower() for key in session}
    return {**{key: value for key, value in own.items() if key.lower() not in folded}, **session}


def session_tags(req: Mapping[str, Any], present: Mapping[str, str], transitive: Sequence[str]) -> SessionTags:
    """Tags of a request laid beside the transitive ones of the calling session, which they may not replace.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    """
    given = {str(tag["Key"]): str(tag.get("Value") or "") for tag in req.get("Tags") or ()}
    folded = {key.lower() for key in given}
    if len(folded) != len(req.get("Tags") or ()):
        raise errors.invalid_parameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in folded):
        raise errors.invalid_parameter("aws: prefixed tag key names are not allowed for external use.")
    if any(key.lower() in folded for key in transitive):
        raise errors.invalid_parameter(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    wanted = tuple(req.get("TransitiveTagKeys") or ())
    if any(key.lower() not in folded for key in wanted):
        raise errors.invalid_parameter("The specified transitive tag key must be included in the requested tags.")
    inherited = {key: present[key] for key in transitive if key in present}
    if len(given) + len(inherited) > _TAGS:
        raise errors.invalid_parameter(f"A session can have at most {_TAGS} tags.")
    return SessionTags(given, inherited, (*transitive, *wanted))


def account_of_key(key_id: str) -> str:
    """The account that an access key id carries; raises ValidationError for what is no key id of AWS's form.

    The six bytes after the prefix hold it, shifted by seven bits (see `base.ids.access_key_id`).
    """
    body = key_id[4:]
    if key_id[:4] not in ("AKIA", "ASIA") or len(body) != 16:
        raise errors.validation(f"Invalid type for parameter AccessKeyId: {key_id}")
    try:
        value = int.from_bytes(b32decode(body)[:6], "big")
    except BadBase32:
        raise errors.validation(f"Invalid type for parameter AccessKeyId: {key_id}") from None
    return f"{(value & ((1 << 47) - 1)) >> 7:012d}"
