"""Access control lists: how they are asked for, kept, shown, and what they allow.

Kept as text, one grant a line (``READ http://...``, ``FULL_CONTROL 64 hex digits``); "" is the owner's full control,
the ACL that is called private, and "-" an empty list.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cloudjar.base.caller import canonical_id
from cloudjar.base.errors import AwsError
from cloudjar.kit import accounts
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
PUBLIC = frozenset((ALL_USERS, AUTHENTICATED))
_GROUPS = PUBLIC | {LOG_DELIVERY}
_EMPTY = "-"
# EC2's own account, which reads images for aws-exec-read.
_EC2 = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"
_ID = re.compile(r"[0-9a-f]{64}")
_HEADERS = (
    ("GrantFullControl", "FULL_CONTROL"),
    ("GrantRead", "READ"),
    ("GrantReadACP", "READ_ACP"),
    ("GrantWrite", "WRITE"),
    ("GrantWriteACP", "WRITE_ACP"),
)
_NAMED = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",]*)"?\s*', re.IGNORECASE)


class Grant(NamedTuple):
    """Who (a canonical id or a group's URI) may what."""

    permission: str
    grantee: str


class Parties(NamedTuple):
    """Canonical ids: who owns the thing, and the bucket that it is (in)."""

    owner: str
    bucket_owner: str


def grants(text: str, owner: str) -> tuple[Grant, ...]:
    """The grants of a kept ACL."""
    if not text:
        return (Grant("FULL_CONTROL", owner),)
    if text == _EMPTY:
        return ()
    return tuple(Grant(*line.split(" ", 1)) for line in text.split("\n"))


def kept(found: Iterable[Grant], owner: str) -> str:
    """The form in which grants are stored."""
    once = tuple(dict.fromkeys(found))
    if once == (Grant("FULL_CONTROL", owner),):
        return ""
    return "\n".join(" ".join(grant) for grant in once) or _EMPTY


def is_public(text: str) -> bool:
    """Whether it gives anything to everyone, or to every AWS customer."""
    return "/groups/global/" in text


def shown(text: str, owner: str) -> dict[str, Any]:
    """``Owner`` and ``Grants`` of GetBucketAcl and GetObjectAcl."""
    return {
        "Owner": {"ID": owner},
        "Grants": [{"Grantee": _grantee(g.grantee), "Permission": g.permission} for g in grants(text, owner)],
    }


def _grantee(who: str) -> dict[str, str]:
    return {"Type": "Group", "URI": who} if who.startswith("http") else {"Type": "CanonicalUser", "ID": who}


# -- what is asked for -----------------------------------------------------------------------------------


def asked(ctx: Ctx, req: Mapping[str, Any], parties: Parties) -> str | None:
    """The ACL that a request's canned name, grant headers or XML ask for, as it is kept; None when it says nothing."""
    given = [(permission, req[member]) for member, permission in _HEADERS if req.get(member)]
    canned, document = req.get("ACL"), req.get("AccessControlPolicy")
    if canned and given:
        raise errors.invalid_request("Specifying both Canned ACLs and Header Grants is not allowed")
    if document and (canned or given):
        raise AwsError("UnexpectedContent", "This request does not support content", 400)
    if canned:
        return kept(_canned(canned, parties), parties.owner)
    if given:
        return kept([g for permission, text in given for g in _of_header(ctx, permission, text)], parties.owner)
    if document:
        return kept(_of_document(ctx, document, parties), parties.owner)
    return None


def _canned(name: str, parties: Parties) -> list[Grant]:
    found = [Grant("FULL_CONTROL", parties.owner)]
    match name:
        case "private":
            pass
        case "public-read":
            found.append(Grant("READ", ALL_USERS))
        case "public-read-write":
            found += [Grant("READ", ALL_USERS), Grant("WRITE", ALL_USERS)]
        case "authenticated-read":
            found.append(Grant("READ", AUTHENTICATED))
        case "aws-exec-read":
            found.append(Grant("READ", _EC2))
        case "log-delivery-write":
            found += [Grant("WRITE", LOG_DELIVERY), Grant("READ_ACP", LOG_DELIVERY)]
        case "bucket-owner-read" | "bucket-owner-full-control":
            if parties.owner != parties.bucket_owner:
                found.append(Grant("READ" if name.endswith("read") else "FULL_CONTROL", parties.bucket_owner))
        case _:
            raise errors.invalid_argument("", "x-amz-acl", name)
    return found


def _of_header(ctx: Ctx, permission: str, text: str) -> Iterable[Grant]:
    for part in text.split(","):
        match = _NAMED.fullmatch(part)
        if match is None:
            raise errors.invalid_argument("Argument format not recognized", "x-amz-grant", part)
        kind, value = match[1].lower(), match[2]
        if kind == "id":
            yield Grant(permission, _checked_id(value))
        elif kind == "uri":
            yield Grant(permission, _checked_group(value))
        else:
            yield Grant(permission, _by_email(ctx, value))


def _of_document(ctx: Ctx, document: Mapping[str, Any], parties: Parties) -> Iterable[Grant]:
    owner = (document.get("Owner") or {}).get("ID")
    if not owner:
        raise malformed()
    if owner != parties.owner:
        raise errors.access_denied()
    listed = document.get("Grants") or ()
    if len(listed) > 100:
        raise malformed()
    for grant in listed:
        grantee, permission = grant.get("Grantee") or {}, grant.get("Permission")
        if not permission:
            raise malformed()
        match grantee.get("Type"):
            case "CanonicalUser" if grantee.get("ID"):
                yield Grant(permission, _checked_id(grantee["ID"]))
            case "Group" if grantee.get("URI"):
                yield Grant(permission, _checked_group(grantee["URI"]))
            case "AmazonCustomerByEmail" if grantee.get("EmailAddress"):
                yield Grant(permission, _by_email(ctx, grantee["EmailAddress"]))
            case _:
                raise malformed()


def malformed() -> AwsError:
    """An ACL that is none."""
    return AwsError(
        "MalformedACLError",
        "The XML you provided was not well-formed or did not validate against our published schema",
        400,
    )


def _checked_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise errors.invalid_argument("Invalid id", "CanonicalUser/ID", value)
    return value


def _checked_group(value: str) -> str:
    if value not in _GROUPS:
        raise errors.invalid_argument("Invalid group uri", "uri", value)
    return value


def _by_email(ctx: Ctx, address: str) -> str:
    found = accounts.by_email(ctx.db, address)
    if found is None:
        raise AwsError(
            "UnresolvableGrantByEmailAddress",
            "The e-mail address you provided does not match any account on record.",
            400,
        )
    return canonical_id(found.id)


# -- what it allows --------------------------------------------------------------------------------------

_BUCKET = {
    "READ": ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
    "WRITE": ("s3:PutObject", "s3:DeleteObject"),
    "READ_ACP": ("s3:GetBucketAcl",),
    "WRITE_ACP": ("s3:PutBucketAcl",),
}
_OBJECT = {
    "READ": ("s3:GetObject", "s3:GetObjectVersion"),
    "READ_ACP": ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
    "WRITE_ACP": ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"),
}


@lru_cache(maxsize=512)
def as_policy(text: str, owner: str, *, of_object: bool, without_public: bool) -> str:
    """A kept ACL as a policy document that allows what it grants; "" when it grants nobody but the owner anything.

    `without_public` leaves out what is for everyone (IgnorePublicAcls).
    """
    table = _OBJECT if of_object else _BUCKET
    statements = []
    for grant in grants(text, owner):
        if grant.grantee == owner or (without_public and grant.grantee in PUBLIC):
            continue
        actions = table.get(grant.permission, ())
        if grant.permission == "FULL_CONTROL":
            actions = tuple(action for listed in table.values() for action in listed)
        if actions:
            statements.append({"Effect": "Allow", "Action": list(actions), "Resource": "*"} | _holder(grant.grantee))
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else ""


def _holder(grantee: str) -> dict[str, Any]:
    match grantee:
        case "http://acs.amazonaws.com/groups/global/AllUsers":
            return {"Principal": "*"}
        case "http://acs.amazonaws.com/groups/global/AuthenticatedUsers":
            return {"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalType": "Anonymous"}}}
        case "http://acs.amazonaws.com/groups/s3/LogDelivery":
            return {"Principal": {"Service": "logging.s3.amazonaws.com"}}
    return {"Principal": {"CanonicalUser": grantee}}
