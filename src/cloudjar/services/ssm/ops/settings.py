"""Service settings of Parameter Store.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetServiceSetting.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.records import ADVANCED, INTELLIGENT, STANDARD, Setting
from cloudjar.services.ssm.tiers import DEFAULT_TIER

THROUGHPUT = "/ssm/parameter-store/high-throughput-enabled"
_DEFAULTS = {DEFAULT_TIER: STANDARD, THROUGHPUT: "false"}
_VALUES = {DEFAULT_TIER: (STANDARD, ADVANCED, INTELLIGENT), THROUGHPUT: ("true", "false")}
_ABSENT = (
    "/ssm/appmanager/",
    "/ssm/automation/",
    "/ssm/documents/",
    "/ssm/managed-instance/",
    "/ssm/opsinsights/",
)

def _id(req: dict[str, Any]) -> str:
    parsed = arns.parse(req["SettingId"])
    setting = parsed.resource.removeprefix("servicesetting") if parsed is not None else str(req["SettingId"])
    if setting.startswith(_ABSENT):
        raise errors.not_built(f"The service setting {setting}")
    if setting not in _DEFAULTS:
        raise errors.no_setting()
    return setting


@op("GetServiceSetting")
def get_service_setting(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A setting as it is in force."""
    return {"ServiceSetting": _shown(ctx, _id(req))}


@op("UpdateServiceSetting")
def update_service_setting(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tier that parameters have by default. Throughput cannot be raised: it is not limited here."""
    setting, value = _id(req), req["SettingValue"]
    if value not in _VALUES[setting]:
        raise errors.invalid(f"The setting value {value} is not valid for {setting}.")
    if setting == THROUGHPUT and value == "true":
        raise errors.not_built("Higher throughput of Parameter Store")
    known = ctx.db[Setting].get(setting)
    changed = Setting(id=setting, value=value, modified=ctx.now, modified_by=ctx.caller.arn)
    if known is None:
        ctx.db[Setting].add(changed)
    else:
        ctx.db[Setting].put(replace(changed, account=known.account, region=known.region))
    return {}


@op("ResetServiceSetting")
def reset_service_setting(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Back to AWS's default."""
    setting = _id(req)
    known = ctx.db[Setting].get(setting)
    if known is not None:
        ctx.db[Setting].drop(known)
    return {"ServiceSetting": _shown(ctx, setting)}


def _shown(ctx: Ctx, setting: str) -> dict[str, Any]:
    known = ctx.db[Setting].get(setting)
    arn = arns.make("ssm", ctx.region, ctx.account, f"servicesetting{setting}")
    if known is None:
        by, value = "System", _DEFAULTS[setting]
    else:
        by, value = known.modified_by, known.value
    return {
        "SettingId": setting,
        "SettingValue": value,
        "LastModifiedDate": None if known is None else known.modified,
        "LastModifiedUser": by,
        "ARN": arn,
        "Status": "Default" if known is None else "Customized",
    }
