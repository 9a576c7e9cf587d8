"""How much of each type an account may have in a Region, in TiB (Service Quotas of EBS)."""

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
