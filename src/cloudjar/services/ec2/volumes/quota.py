"""How much of each type an account may have in a Region, and change at one time (Service Quotas of EBS)."""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.volumes.records import Volume

_CODES = {
    "gp2": "L-D18FCD1D",
    "gp3": "L-7A658B76",
    "io1": "L-FD252861",
    "io2": "L-09BD8365",
    "sc1": "L-17AF77E8",
    "st1": "L-82ACEF56",
    "standard": "L-9CF3C2EB",
}

"""TiB that there may be."""
_CHANGES = {
    "gp2": "L-F06E64A8",
    "gp3": "L-59C8FC87",
    "io1": "L-5F80CA91",
    "io2": "L-9A0E0F82",
    "sc1": "L-651D1834",
    "st1": "L-87C9DEA6",
    "standard": "L-B9F7C487",
}
"""TiB that may be in modification."""
_IOPS = {"io1": "L-B3A130E6", "io2": "L-8D977E7E"}
_CHANGED_IOPS = {"io1": "L-98A0B26D", "io2": "L-35B31D98"}


def check_storage(ctx: Ctx, kind: str, more: int) -> None:
    """Raise VolumeLimitExceeded when `more` GiB of a type would be too much."""
    limit = ctx.limit("ebs", _CODES[kind])
    if limit is None:
        return
    used = sum(volume.size for volume in ctx.db[Volume].all() if volume.type == kind)
    if used + more > limit * 1024:
        raise AwsError(
            "VolumeLimitExceeded",
            f"You have exceeded your maximum {kind} storage limit of {limit:g} TiB in this region. "
            "Please contact AWS Support to request an Elastic Block Store service limit increase.",
        )


def check_iops(ctx: Ctx, kind: str, more: int) -> None:
    """Raise MaxIOPSLimitExceeded when `more` provisioned IOPS of a type would be too many."""
    _check_iops(ctx, _IOPS, kind, [volume for volume in ctx.db[Volume].all() if volume.type == kind], more)


def _check_iops(ctx: Ctx, codes: dict[str, str], kind: str, held: list[Volume], more: int) -> None:
    limit = ctx.limit("ebs", codes[kind]) if kind in codes else None
    if limit is not None and sum(volume.iops for volume in held) + more > limit:
        raise AwsError("MaxIOPSLimitExceeded", f"You have reached the limit of {limit:g} {kind} IOPS in this region.")


def check_modification(ctx: Ctx, volume: Volume, kind: str, size: int, iops: int) -> None:
    """Raise when volumes that become a type at one time would be too much: `size` in GiB, `iops` where provisioned."""
    held = [one for one in ctx.db[Volume].all()
            if one.type == kind and one.modification is not None and one.modification.state != "completed"]  # fmt: skip
    limit = ctx.limit("ebs", _CHANGES[kind])
    if limit is not None and sum(one.size for one in held) + size > limit * 1024:
        raise AwsError(
            "VolumeModificationSizeLimitExceeded",
            f"You have reached the limit of {limit:g} TiB of {kind} storage in modification in this region.",
        )
    if iops != volume.iops or kind != volume.type:
        _check_iops(ctx, _CHANGED_IOPS, kind, held, iops)
