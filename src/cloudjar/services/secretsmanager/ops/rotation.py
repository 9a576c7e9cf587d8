"""Rotation: configured, started, tried out, switched off.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.secretsmanager import errors, life, lookup, making, schedule, views
from cloudjar.services.secretsmanager.access import asked
from cloudjar.services.secretsmanager.functions import functions
from cloudjar.services.secretsmanager.ops.secrets import token_of
from cloudjar.services.secretsmanager.records import Rotation, Secret


@op("RotateSecret", keys=asked)
def rotate_secret(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Store how a secret is rotated, and rotate it now, or try its function out and wait for the window."""
    for member in ("ExternalSecretRotationMetadata", "ExternalSecretRotationRoleArn"):
        if req.get(member):
            raise errors.not_built("RotateSecret", member)
    secret = lookup.need_primary(ctx, req["SecretId"])
    ctx = lookup.home(ctx, secret)
    token = token_of(req)
    rotation = _configured(ctx, req, secret.rotation or Rotation())
    functions(ctx).check(ctx, rotation.function, ctx.arn(secret))
    waiting = life.unfinished(ctx, secret)
    if waiting and waiting != token:
        raise errors.rotation_pending()
    secret = making.changed(ctx, ctx.db[Secret].put(replace(secret, rotation=rotation)))
    if waiting and rotation.token == token:
        return views.show_id(secret, VersionId=token)  # the same request again
    if req.get("RotateImmediately", True):
        life.begin(ctx, secret, token)
        return views.show_id(secret, VersionId=token)
    life.begin(ctx, secret, ids.uuid4(), testing=True)
    return views.show_id(secret)


def _configured(ctx: Ctx, req: dict[str, Any], before: Rotation) -> Rotation:
    """The rotation with what the request says of it, switched on."""
    function = req.get("RotationLambdaARN") or before.function
    if not function:
        raise errors.no_rotation_function()
    rotation = replace(before, function=function, enabled=True)
    if req.get("RotationRules") is not None:
        rules = schedule.read(req["RotationRules"])
        rotation = replace(
            rotation, after_days=rules.after_days, expression=rules.expression, duration=rules.duration
        )
    if not (rotation.after_days or rotation.expression):
        raise errors.invalid_request("No rotation rules are associated with this secret.")
    return life.planned(rotation, ctx)


@op("CancelRotateSecret", keys=asked)
def cancel_rotate_secret(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Rotation off; a version that was being made is named, and keeps its label."""
    secret = lookup.need_primary(ctx, req["SecretId"])
    if secret.rotation is None or not secret.rotation.enabled:
        raise errors.invalid_request("You can't cancel rotation: it is not turned on for this secret.")
    ctx = lookup.home(ctx, secret)
    unfinished = life.unfinished(ctx, secret)
    life.cancel(ctx, secret)
    return views.show_id(secret, VersionId=unfinished or None)
