"""What an account blocks for all its buckets.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.access_points import BLOCK_ALL, AccountPublicAccess
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3control.lookup import check_account


@op("PutPublicAccessBlock")
def put_public_access_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the settings; what is not named is off."""
    check_account(ctx, req)
    given = req["PublicAccessBlockConfiguration"]
    settings = {name: bool(given.get(name)) for name in BLOCK_ALL}
    table = ctx.db[AccountPublicAccess]
    held = table.get(ctx.account)
    if held is None:
        table.add(AccountPublicAccess(id=ctx.account, settings=settings))
    else:
        table.put(replace(held, settings=settings))
    return {}


@op("GetPublicAccessBlock")
def get_public_access_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The settings."""
    check_account(ctx, req)
    held = ctx.db[AccountPublicAccess].get(ctx.account)
    if held is None:
        raise AwsError(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
            404,
            members={"AccountId": ctx.account},
        )
    return {"PublicAccessBlockConfiguration": dict(held.settings)}


@op("DeletePublicAccessBlock")
def delete_public_access_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account blocks nothing any more; its buckets may."""
    check_account(ctx, req)
    held = ctx.db[AccountPublicAccess].get(ctx.account)
    if held is not None:
        ctx.db[AccountPublicAccess].drop(held)
    return {}
