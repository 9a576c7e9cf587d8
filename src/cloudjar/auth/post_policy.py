"""The policy of a browser's form upload: signed by who lets others upload, it says what they may. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cloudjar.auth import sigv4_errors
from cloudjar.auth.presign import sign_text
from cloudjar.auth.sigv4 import ALGORITHM, Signature
from cloudjar.base.errors import AwsError
from cloudjar.wire.form_upload import too_large

_NEVER_ASKED = frozenset(("x-amz-signature", "file", "policy", "awsaccesskeyid", "signature"))
_NEEDED = (
    ("X-Amz-Algorithm", "x-amz-algorithm"),
    ("X-Amz-Credential", "x-amz-credential"),
    ("X-Amz-Date", "x-amz-date"),
    ("X-Amz-Signature", "x-amz-signature"),
)


class Limits(NamedTuple):
    """Bytes that the file may have."""

    least: int = 0
    most: int | None = None


def signature(fields: Mapping[str, str]) -> Signature | None:
    """Who signed a form (lower-case field names); None for one without a policy. AwsError when fields are missing."""
    if "policy" not in fields:
        return None
    if "awsaccesskeyid" in fields or "signature" in fields:
        raise sigv4_errors.version_2("s3")
    for name, key in _NEEDED:
        if not fields.get(key):
            raise lacking(name)
    if fields["x-amz-algorithm"] != ALGORITHM:
        raise AwsError("InvalidArgument", f'X-Amz-Algorithm only supports "{ALGORITHM}"', 400)
    parts = fields["x-amz-credential"].split("/")
    if len(parts) != 5 or not all(parts) or parts[4] != "aws4_request":
        raise sigv4_errors.bad_credential("s3", fields["x-amz-credential"], query=True)
    key_id, date, region, service, _ = parts
    return Signature(
        key_id,
        date,
        region,
        service,
        "",
        fields["x-amz-signature"],
        fields["x-amz-date"],
        fields.get("x-amz-security-token", ""),
    )


def lacking(name: str) -> AwsError:
    """A field that a form must have."""
    return AwsError(
        "InvalidArgument",
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields.",
        400,
        members={"ArgumentName": name, "ArgumentValue": ""},
    )


def verify(signed: Signature, secret: str, policy: str) -> None:
    """Raise SignatureDoesNotMatch unless the policy (base64, as sent) is signed with the secret."""
    expected = sign_text(policy, secret, signed.date, signed.region, signed.service)
    if not hmac.compare_digest(expected.encode(), signed.signature.encode("latin-1", "replace")):
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and "
            "signing method.",
            403,
            members={"AWSAccessKeyId": signed.key_id, "StringToSign": policy, "SignatureProvided": signed.signature},
        )


def check(text: str, fields: Mapping[str, str], now: datetime) -> Limits:
    """The file's limits by a policy (base64), when it holds for the fields at `now` (aware, real time).

    `fields` are the form's by lower-case name, with ``bucket`` and the key as it will be. Raises
    InvalidPolicyDocument, and AccessDenied for what the policy does not allow.
    """
    document = _read(text)
    if _expiration(document) <= now:
        raise _denied("Policy expired.")
    conditions = document.get("conditions")
    if not isinstance(conditions, list):
        raise _invalid("Policy missing conditions.")
    limits = Limits()
    named: set[str] = set()
    for condition in conditions:
        if isinstance(condition, dict):
            for name, value in condition.items():
                named.add(_match(["eq", f"${name}", value], fields))
        elif isinstance(condition, list) and len(condition) == 3:
            if str(condition[0]).lower() == "content-length-range":
                limits = Limits(_number(condition[1]), _number(condition[2]))
            else:
                named.add(_match(condition, fields))
        else:
            raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
    extra = [n for n in fields if n not in named | _NEVER_ASKED | {"bucket"} and not n.startswith("x-ignore-")]
    if extra:
        raise _denied(f"Extra input fields: {', '.join(sorted(extra))}")
    return limits


def _read(text: str) -> dict[str, Any]:
    try:
        document = json.loads(base64.b64decode(text, validate=False))
    except (ValueError, binascii.Error):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    return document


def _expiration(document: Mapping[str, Any]) -> datetime:
    said = document.get("expiration")
    if not isinstance(said, str):
        raise _invalid("Policy missing expiration.")
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"):
        try:
            return datetime.strptime(said, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise _invalid(f"Invalid 'expiration' value: '{said}'")


def _match(condition: list[Any], fields: Mapping[str, str]) -> str:
    """The field that a condition is about, when it holds."""
    how, name, value = str(condition[0]).lower(), str(condition[1]), str(condition[2])
    if not name.startswith("$"):
        raise _invalid(f"Invalid Condition: {json.dumps(condition)}")
    field = name[1:].lower()
    found = fields.get(field, "")
    if how == "eq":
        holds = found == value
    elif how == "starts-with":
        wanted = found.split(",") if field == "content-type" else [found]
        holds = all(one.strip().startswith(value) for one in wanted)
    else:
        raise _invalid(f"Invalid Condition: unsupported operation '{how}'")
    if not holds:
        raise _denied(f"Policy Condition failed: {json.dumps(condition)}")
    return field


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise _invalid("Invalid content-length-range") from None


def most(fields: Mapping[str, str]) -> int | None:
    """How many bytes a form's file may have at most, by its policy as it is said, before anything of it is judged."""
    try:
        document = _read(fields.get("policy", ""))
    except AwsError:
        return None
    for condition in document.get("conditions") or ():
        if isinstance(condition, list) and len(condition) == 3 and condition[0] == "content-length-range":
            return condition[2] if isinstance(condition[2], int) else None
    return None


def check_size(size: int, limits: Limits) -> None:
    """Raise EntityTooLarge or EntityTooSmall for a file of so many bytes."""
    if limits.most is not None and size > limits.most:
        raise too_large(size, limits.most)
    if size < limits.least:
        raise AwsError(
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
            400,
            members={"ProposedSize": str(size), "MinSizeAllowed": str(limits.least)},
        )


def _invalid(why: str) -> AwsError:
    return AwsError("InvalidPolicyDocument", f"Invalid Policy: {why}", 400)


def _denied(why: str) -> AwsError:
    return AwsError("AccessDenied", f"Invalid according to Policy: {why}", 403)
