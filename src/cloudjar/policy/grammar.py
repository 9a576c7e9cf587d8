"""The grammar of policy documents, and AWS's words for what breaks it.

Which mistake is reported first, and how, follows what IAM answers: structure, language version, its
"legacy parsing" (ARN arity, spelling of Effect, dates), statement ids, then actions and resources.
Role trust policies and resource policies have a validator of their own at AWS, with other words.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NoReturn

from cloudjar.policy import principal
from cloudjar.policy.conditions import block

VERSIONS = ("2008-10-17", "2012-10-17")
SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
ORGANIZATIONS = "The provided policy document does not meet the requirements of the specified policy type."


class Flavour(Enum):
    """What a document is for; this decides which elements it may have and how mistakes are worded."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SCP = "service control policy"
    RCP = "resource control policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"
    ENDPOINT = "VPC endpoint policy"


NAMES_PRINCIPALS = frozenset((Flavour.RESOURCE, Flavour.TRUST, Flavour.ENDPOINT, Flavour.RCP))


class PolicySyntaxError(ValueError):
    """A document that AWS would refuse.

    `message` is AWS's; the caller picks the code (``MalformedPolicyDocument`` in IAM, ``MalformedPolicy``
    in S3). `reason` is one word for callers whose service words it differently.
    """

    def __init__(self, message: str, reason: str = "syntax") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


class _Number:
    """A JSON number with its spelling, which condition values keep."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def fail(message: str = SYNTAX, reason: str = "syntax") -> NoReturn:
    """Refuse the document."""
    raise PolicySyntaxError(message, reason)


def read_json(text: str | bytes) -> Any:
    """The JSON value of `text`; duplicate keys, NaN and the like are refused. Numbers keep their spelling."""
    try:
        if isinstance(text, bytes):
            text = text.decode()
        return json.loads(
            text, object_pairs_hook=_object, parse_int=_Number, parse_float=_Number, parse_constant=_constant
        )
    except PolicySyntaxError:
        raise
    except (ValueError, RecursionError):
        raise PolicySyntaxError(SYNTAX, "json") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        fail(reason="json")
    return made


def _constant(name: str) -> NoReturn:
    fail(reason=f"json {name}")


def texts(value: Any) -> tuple[str, ...]:
    """A string or a list of strings as a tuple; anything else is a syntax error."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    fail()


def condition_values(value: Any) -> tuple[str, ...]:
    """Values of a condition key: strings, numbers and booleans, single or listed, as text."""
    return tuple(_condition_value(v) for v in (value if isinstance(value, list) else [value]))


def _condition_value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Number):
        return value.text
    fail()


Conditions = tuple[tuple[str, str, tuple[str, ...]], ...]


def conditions(value: Any) -> Conditions:
    """(operator, key, values) of a Condition block; an unknown operator is an error unless it is empty."""
    if not isinstance(value, dict):
        fail()
    out: list[tuple[str, str, tuple[str, ...]]] = []
    for operator, keys in value.items():
        if not isinstance(keys, dict):
            fail()
        if keys and block.spell(operator) is None:
            fail(reason="condition operator")
        seen = [key.lower() for key in keys]
        if len(set(seen)) != len(seen):
            fail(reason="condition key")
        out.extend((operator, key, condition_values(v)) for key, v in keys.items())
    return tuple(out)


PrincipalEntries = Mapping[str, Sequence[str]]


def principals(value: Any) -> PrincipalEntries:
    """The Principal element by kind; a lone ``*`` is everyone."""
    if value == "*":
        return {"AWS": ("*",)}
    if not isinstance(value, dict):
        fail("Invalid principal in policy", "principal")
    entries = {kind: texts(v) for kind, v in value.items()}
    if not any(entries.values()):
        fail("Missing required field Principal cannot be empty!", "principal")
    for kind, values in entries.items():
        if kind not in principal.KEYS:
            fail(f'Invalid principal in policy: "{kind}"', "principal")
        for one in values:
            if (kind == "AWS" and not principal.legal_aws(one)) or not one:
                fail(f'Invalid principal in policy: "{kind}":"{one}"', "principal")
    return entries


# Actions ------------------------------------------------------------------------------------------

_VENDOR = re.compile(r"[a-zA-Z0-9.\-]+|\*", re.ASCII)


def check_action(action: str) -> None:
    """IAM's rules for one value of Action or NotAction."""
    if action == "*":
        return
    vendor, colon, name = action.partition(":")
    if not colon:
        fail("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", "action")
    if not _VENDOR.fullmatch(vendor):
        fail(f"Vendor {vendor} is not valid", "action")
    if ":" in name:
        fail("Actions/Condition can contain only one colon.", "action")


# Resources ----------------------------------------------------------------------------------------

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")
_IAM_PATHS = (
    "user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
    "policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
)  # fmt: skip

_IAM_UNLISTED = ("role-template/", "contextProvider/")
"""Accepted, as AWS's own managed policies show, but not named in its message."""


def fails_legacy_parsing(resource: str) -> bool:
    """Whether IAM's old parser cannot read an ARN: an empty service, or four or five fields with no final star."""
    parts = resource.split(":")
    if parts[0] != "arn" or len(parts) < 3:
        return False
    if not parts[2]:
        return True
    return len(parts) in (4, 5) and known_partition(parts[1]) and not resource.endswith("*")


def known_partition(pattern: str) -> bool:
    """Whether a partition, possibly with wildcards, can be one of AWS's."""
    if pattern in PARTITIONS:
        return True
    if "*" not in pattern and "?" not in pattern:
        return False
    regex = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in re.sub(r"\*+", "*", pattern))
    return len(pattern) <= 12 and any(re.fullmatch(regex, known) for known in PARTITIONS)


def check_resource(resource: str) -> None:
    """IAM's rules for one value of Resource or NotResource, after legacy parsing."""
    if resource == "*":
        return
    prefix, colon, rest = resource.partition(":")
    if not colon:
        fail(f'Resource {prefix} must be in ARN format or "*".', "resource")
    fields = rest.split(":", 4)
    if not known_partition(fields[0]):
        shown = ":".join((fields + ["*"] * 5)[:5])
        fail(f'Partition "{fields[0]}" is not valid for resource "arn:{shown}".', "resource")
    if len(fields) < 2 or "*" in fields[1] or "?" in fields[1]:
        fail("Resource vendor must be fully qualified and cannot contain regexes.", "resource")
    region, account, path = (fields[2:] + [""] * 3)[:3]
    if fields[1] == "iam":
        _check_iam(resource, region, path, complete=len(fields) == 5)
    if fields[1] == "s3" and region and not account and len(fields) == 5:
        fail(f"Resource {resource} can not contain region information.", "resource")


def _check_iam(resource: str, region: str, path: str, *, complete: bool) -> None:
    if complete and region:
        fail(f"IAM resource {resource} cannot contain region information.", "resource")
    if complete and path not in ("*", "root") and not path.startswith((*_IAM_PATHS, *_IAM_UNLISTED)):
        listed = ", ".join(_IAM_PATHS)
        fail(f'IAM resource path must either be "*" or start with {listed}.', "resource")


_SID = re.compile(r"[0-9A-Za-z]*", re.ASCII)


def check_sid(sid: str) -> None:
    """IAM allows letters and digits; services with policies of their own allow more."""
    if not _SID.fullmatch(sid):
        fail(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
            "expression [0-9A-Za-z]*",
            "sid",
        )
