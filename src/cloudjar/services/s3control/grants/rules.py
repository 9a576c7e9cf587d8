"""Scopes of locations and grants, and the session policy that a grant comes to. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-grants-credentials.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from cloudjar.services.s3control.grants.records import EVERYTHING, AccessGrant
from cloudjar.services.s3control.lookup import invalid_request

_READ = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:GetObjectVersionAcl",
         "s3:ListMultipartUploadParts")  # fmt: skip
_WRITE = ("s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectVersionAcl", "s3:DeleteObject", "s3:DeleteObjectVersion",
          "s3:AbortMultipartUpload")  # fmt: skip
_LIST = ("s3:ListBucket", "s3:ListBucketVersions")


def bucket_of(scope: str) -> str:
    """The bucket of ``s3://bucket/prefix*``; "" for everything."""
    return scope.removeprefix(EVERYTHING).partition("/")[0].rstrip("*")


def inside_of(scope: str) -> str:
    """What follows the bucket: a prefix with its star, or a key."""
    return scope.removeprefix(EVERYTHING).partition("/")[2]


def check_scope(scope: str) -> None:
    """Raises InvalidRequest for what is no place of S3."""
    if not scope.startswith(EVERYTHING) or (scope != EVERYTHING and not bucket_of(scope)):
        raise invalid_request("The specified location scope is not valid")
    if "*" in scope[:-1]:
        raise invalid_request("A wildcard may only stand at the end of a scope")


def scope_of(location: str, sub_prefix: str, *, an_object: bool) -> str:
    """The scope of a grant at a location. Raises InvalidRequest."""
    if "*" in sub_prefix[:-1]:
        raise invalid_request("A wildcard may only stand at the end of a sub-prefix")
    base = location.rstrip("*")
    if base != EVERYTHING and not inside_of(base) and not base.endswith("/"):
        base += "/"
    scope = base + sub_prefix
    if not bucket_of(scope) or scope == EVERYTHING:
        raise invalid_request("A grant at the default location needs a sub-prefix that names a bucket")
    if an_object:
        if scope.endswith(("*", "/")) or not inside_of(scope):
            raise invalid_request("The grant is not about an object")
        return scope
    return scope if scope.endswith("*") else f"{scope}*"


def covers(scope: str, target: str) -> bool:
    """Whether a grant's scope has a target in it."""
    if scope.endswith("*"):
        return target.startswith(scope[:-1])
    return target == scope


def best(grants: Iterable[AccessGrant], target: str, permission: str) -> AccessGrant | None:
    """The grant that is closest to a target and gives what is asked."""
    fitting = [one for one in grants if covers(one.scope, target) and one.permission in (permission, "READWRITE")]
    return max(fitting, key=lambda one: len(one.scope), default=None)


def session_policy(scope: str, permission: str) -> str:
    """What credentials for a scope may do, at the most."""
    bucket, inside = bucket_of(scope), inside_of(scope)
    actions = [*(_READ if "READ" in permission else ()), *(_WRITE if "WRITE" in permission else ())]
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:s3:::{bucket}/{inside}"},
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"},
    ]
    if "READ" in permission and inside.endswith("*"):
        within = {} if inside == "*" else {"Condition": {"StringLike": {"s3:prefix": inside}}}
        statements.append({"Effect": "Allow", "Action": _LIST, "Resource": f"arn:aws:s3:::{bucket}", **within})
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
