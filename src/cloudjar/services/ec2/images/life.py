"""An AMI becomes available when all of its snapshots are complete."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.images.records import OwnImage
from cloudjar.services.ec2.snapshots.records import Snapshot


@reconciler(OwnImage)
def converge(step: Step, image: OwnImage | None) -> None:
    """Woken by its snapshots too: they name it as their parent."""
    if image is None or image.state != "pending":
        return
    with step.world.state.database.transaction():
        now = step.db[OwnImage].get(step.key)
        if now is None or now.state != "pending":
            return
        found = [step.db[Snapshot].get(key) for key in now.snapshots]
        if not all(one is not None and one.state == "completed" for one in found):
            return
        done = step.db[OwnImage].put(replace(now, state="available"))
        detail = {"RequestId": "", "ImageId": done.id, "State": "available", "ErrorMessage": ""}
        step.ctx.emit("aws.ec2", "EC2 AMI State Change", detail, (arn_of(done),))
