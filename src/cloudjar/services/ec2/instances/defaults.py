"""What an account has decided for its new instances in a region: IMDS, credits of burstable types, serial console.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.services.ec2 import errors
from cloudjar.spec import instance_types

_OPTIONS = {
    "tokens": "HttpTokens",
    "endpoint": "HttpEndpoint",
    "tags": "InstanceMetadataTags",
    "enforced": "HttpTokensEnforced",
}
_NONE = "no-preference"
_MOST_HOPS = 64


@record("ec2", "instance-defaults", key="name")
class InstanceDefaults(Record, frozen=True, kw_only=True):
    """Empty fields (and a hop limit of 0) say nothing."""

    name: str = "instances"
    tokens: str = ""
    endpoint: str = ""
    tags: str = ""
    enforced: str = ""
    hop_limit: int = 0
    credits: dict[str, str] = {}
    serial_console: bool = False


def defaults(ctx: Ctx) -> InstanceDefaults:
    """What holds in the caller's account and region."""
    return ctx.db[InstanceDefaults].get("instances") or InstanceDefaults()


def tokens_enforced() -> AwsError:
    """The account lets nobody do without IMDSv2."""
    return AwsError("UnauthorizedOperation", "The account enforces IMDSv2: HttpTokens cannot be set to optional.", 403)


def check_hops(hops: int) -> int:
    """A hop limit that IMDS can have; raises InvalidParameterValue."""
    if not 1 <= hops <= _MOST_HOPS:
        raise errors.invalid_parameter(hops, "httpPutResponseHopLimit", f"Must be from 1 to {_MOST_HOPS}.")
    return hops


def _change(ctx: Ctx, **fields: Any) -> InstanceDefaults:
    table = ctx.db[InstanceDefaults]
    held = table.get("instances") or table.add(InstanceDefaults())
    return table.put(replace(held, **fields))


@op("GetInstanceMetadataDefaults")
def get_instance_metadata_defaults(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What new instances get where their launch does not say."""
    held = defaults(ctx)
    shown: dict[str, Any] = {member: getattr(held, field) or None for field, member in _OPTIONS.items()}
    return {"AccountLevel": {**shown, "HttpPutResponseHopLimit": held.hop_limit or None, "ManagedBy": "account"}}


@op("ModifyInstanceMetadataDefaults")
def modify_instance_metadata_defaults(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Decide, or with ``no-preference`` (-1 hops) leave it to AWS's own default again."""
    fields: dict[str, Any] = {
        field: "" if req[member] == _NONE else req[member]
        for field, member in _OPTIONS.items()
        if req.get(member) is not None
    }
    hops = req.get("HttpPutResponseHopLimit")
    if hops is not None:
        if hops != -1 and not 1 <= hops <= _MOST_HOPS:
            raise errors.invalid_parameter(hops, "httpPutResponseHopLimit", f"Must be from 1 to {_MOST_HOPS}, or -1.")
        fields["hop_limit"] = max(hops, 0)
    _change(ctx, **fields)
    return {"Return": True}


@op("GetDefaultCreditSpecification")
def get_default_credit_specification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The credit option that a family's new instances get."""
    return _shown(req["InstanceFamily"], defaults(ctx))


@op("ModifyDefaultCreditSpecification")
def modify_default_credit_specification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Decide for the new instances of a family."""
    if req["CpuCredits"] not in ("standard", "unlimited"):
        raise errors.invalid_parameter(req["CpuCredits"], "cpuCredits", "Valid values are standard and unlimited.")
    held = {**defaults(ctx).credits, req["InstanceFamily"]: req["CpuCredits"]}
    return _shown(req["InstanceFamily"], _change(ctx, credits=held))


def _shown(family: str, held: InstanceDefaults) -> dict[str, Any]:
    option = held.credits.get(family)
    if option is None:
        kind = next((name for name in sorted(instance_types.names()) if name.startswith(family + ".")), None)
        burst = instance_types.burst(kind) if kind else None
        option = "unlimited" if burst is not None and burst.unlimited else "standard"
    return {"InstanceFamilyCreditSpecification": {"InstanceFamily": family, "CpuCredits": option}}


@op("GetSerialConsoleAccessStatus")
def get_serial_console_access_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether the account may use serial consoles; not until it says so."""
    return {"SerialConsoleAccessEnabled": defaults(ctx).serial_console, "ManagedBy": "account"}


@op("EnableSerialConsoleAccess")
def enable_serial_console_access(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let the account use serial consoles."""
    return {"SerialConsoleAccessEnabled": _change(ctx, serial_console=True).serial_console}


@op("DisableSerialConsoleAccess")
def disable_serial_console_access(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let it no longer."""
    return {"SerialConsoleAccessEnabled": _change(ctx, serial_console=False).serial_console}
