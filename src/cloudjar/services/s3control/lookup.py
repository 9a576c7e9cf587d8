"""Whose request it is, and the buckets it is about, which are S3's records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import by_noun


class Bucket(Protocol):
    """What is read of S3's record."""

    name: str
    account: str
    location: str
    tags: dict[str, str]
    public_access_block: dict[str, bool] | None


def find_bucket(ctx: Ctx, name: str) -> Bucket | None:
    """The bucket of a name, whoever's it is."""
    ctx.world.load("s3")
    declared = by_noun("s3", "bucket")
    assert declared is not None
    return cast("Bucket | None", ctx.db.find(declared.type, name))


def save_bucket(ctx: Ctx, bucket: Any) -> None:
    """Store a changed bucket."""
    ctx.db.at(bucket.account, "")[type(bucket)].put(bucket)


def check_account(ctx: Ctx, req: Mapping[str, Any]) -> None:
    """Raise AccessDenied for who asks about another account than his own."""
    if req["AccountId"] != ctx.account:
        raise access_denied()


def access_denied() -> AwsError:
    """The short refusal."""
    return AwsError("AccessDenied", "Access Denied", 403)


def invalid_request(message: str) -> AwsError:
    """A request that cannot be."""
    return AwsError("InvalidRequest", message, 400)


def not_built(what: str) -> AwsError:
    """A part of S3 Control that is honestly absent."""
    return AwsError("NotImplemented", f"s3control: {what} is not built in Cloudjar.", 501)
