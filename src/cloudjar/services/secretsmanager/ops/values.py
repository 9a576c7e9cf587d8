"""Values: reading, writing, and which version is which.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.secretsmanager import errors, lookup, making, rules, sealing, stages, views
from cloudjar.services.secretsmanager.access import asked
from cloudjar.services.secretsmanager.ops.secrets import token_of
from cloudjar.services.secretsmanager.records import CURRENT


@op("GetSecretValue", keys=asked)
def get_secret_value(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The value of a version, opened with the caller's own right to the key."""
    secret = lookup.need(ctx, req["SecretId"])
    version = lookup.asked_version(ctx, secret, req.get("VersionId") or "", req.get("VersionStage") or "")
    value = sealing.unseal(ctx, secret, version)
    lookup.touch(ctx, secret, version)
    return views.show_value(secret, version, value)


@op("BatchGetSecretValue")
def batch_get_secret_value(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Several values; each is asked for as GetSecretValue would be, and fails alone."""
    if bool(req.get("SecretIdList")) == bool(req.get("Filters")):
        raise errors.invalid("You must include Filters or SecretIdList, but not both.")
    answer: dict[str, Any] = {}
    if req.get("SecretIdList"):
        if req.get("MaxResults"):
            raise errors.invalid("To use MaxResults you must also use the Filters parameter.")
        wanted = list(dict.fromkeys(req["SecretIdList"]))
    else:
        page = {key: req[key] for key in ("Filters", "NextToken") if req.get(key)}
        listed = ctx.call("secretsmanager", "ListSecrets", {**page, "MaxResults": req.get("MaxResults") or 20})
        wanted = [secret["ARN"] for secret in listed["SecretList"]]
        answer["NextToken"] = listed.get("NextToken")
    values, refused = [], []
    for secret_id in wanted:
        try:
            values.append(ctx.call("secretsmanager", "GetSecretValue", {"SecretId": secret_id}))
        except AwsError as error:
            refused.append({"SecretId": secret_id, "ErrorCode": error.code, "Message": error.message})
    return {**answer, "SecretValues": values, "Errors": refused}


@op("PutSecretValue", keys=asked)
def put_secret_value(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new version, which becomes the current one unless other labels are asked for."""
    value = rules.value_of(req)
    secret = lookup.need_primary(ctx, req["SecretId"])
    if value is None:
        raise errors.no_value_given()
    ctx = lookup.home(ctx, secret)
    version = making.put(ctx, secret, token_of(req), value, req.get("VersionStages") or (CURRENT,))
    return views.show_id(secret, VersionId=version.id, VersionStages=list(version.stages) or None)


@op("UpdateSecretVersionStage", keys=asked)
def update_secret_version_stage(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A label moved from one version to another, added or taken away."""
    secret = lookup.need_primary(ctx, req["SecretId"])
    ctx = lookup.home(ctx, secret)
    now = lookup.stages(ctx, secret)
    origin, target = req.get("RemoveFromVersionId") or "", req.get("MoveToVersionId") or ""
    lookup.restage(ctx, secret, stages.move(now, req["VersionStage"], origin, target))
    making.changed(ctx, secret)
    return views.show_id(secret)
