"""A volume of another one's data, at one instant, in the same zone; the host makes it afterwards (`life`).

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copying-volume.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.volumes import keys, rules
from cloudjar.services.ec2.volumes.quota import check_iops, check_storage
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.volumes.views import show_volume


@op("CopyVolumes")
def copy_volumes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A copy of a volume, attached or not; a copy of what is encrypted is encrypted."""
    errors.refuse(req, "MultiAttachEnabled")
    source = need(ctx, Volume, req["SourceVolumeId"])
    if not source.ready:
        raise AwsError("IncorrectState", f"The volume '{source.id}' is 'creating'.")
    size = req.get("Size") or source.size
    if size < source.size:
        raise errors.invalid_value(
            f"The size of a volume ({size} GiB) cannot be smaller than that of its source ({source.size} GiB)."
        )
    shape = rules.shape(size, req.get("VolumeType") or "gp2", req.get("Iops"), req.get("Throughput"))
    check_storage(ctx, shape.type, shape.size)
    check_iops(ctx, shape.type, shape.iops)
    asked = {**req, "Encrypted": True} if source.encrypted else req
    key = keys.wanted(ctx, asked, source_encrypted=source.encrypted, source_key=source.kms_key_id)
    keys.unlock(ctx, source.id, source.kms_key_id, source.data_key)
    volume_id = ctx.new_id("vol")
    sealed = keys.seal(ctx, key, volume_id)
    made = ctx.db[Volume].add(
        Volume(
            id=volume_id,
            zone=source.zone,
            size=shape.size,
            type=shape.type,
            iops=shape.iops,
            throughput=shape.throughput,
            created=ctx.now,
            copied_from=source.id,
            image_key=source.image_key,
            ready=False,
            encrypted=bool(key),
            kms_key_id=sealed.key_id,
            data_key=sealed.data_key,
            client_token=req.get("ClientToken") or "",
            tags=tags.specified(req, "volume"),
        )
    )
    return {"Volumes": [show_volume(made)]}
