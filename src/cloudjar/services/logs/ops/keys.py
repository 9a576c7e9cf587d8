"""Which KMS key the events of a group are encrypted under.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors, sealing
from cloudjar.services.logs.finding import group_name
from cloudjar.services.logs.records import LogGroup


def _group(ctx: Ctx, req: dict[str, Any]) -> LogGroup:
    name, identifier = req.get("logGroupName"), req.get("resourceIdentifier")
    if bool(name) == bool(identifier):
        raise errors.invalid("Exactly one of logGroupName and resourceIdentifier must be specified.")
    if identifier and ":query-result:" in identifier:
        raise errors.not_built("Encryption of query results")
    return ctx.db[LogGroup].need(name or group_name(ctx, str(identifier)))


@op("AssociateKmsKey")
def associate_kms_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Encrypt new events under a key; those that are there stay as they are."""
    ctx.db[LogGroup].put(sealing.associated(ctx, _group(ctx, req), req["kmsKeyId"]))
    return {}


@op("DisassociateKmsKey")
def disassociate_kms_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """New events are no longer encrypted under the key; older ones need it still."""
    ctx.db[LogGroup].put(replace(_group(ctx, req), kms_key="", data_key=0))
    return {}
