"""A volume as it is wanted and as the host has it: made, attached, detached, grown, gone."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.planes.compute.port import ComputePort, Disk
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.volumes import counting, keys
from cloudjar.services.ec2.volumes.records import Volume

OPTIMIZING = timedelta(minutes=10)
"""How long a changed volume is optimizing before the change is complete; AWS takes minutes to hours."""
_LOOK_AGAIN = 1.0
"""Seconds between looks at a volume that its guest has still mounted."""


@reconciler(Volume)
def converge(step: Step, volume: Volume | None) -> None:
    """One look: what was asked of the volume is done on the host, then written down as done."""
    host: ComputePort = step.port("compute")
    if volume is None:
        _remove(step, host)
        counting.forget(step, step.key)
        return
    if not volume.ready:
        _make(volume, host)
        _note(step, volume, "createVolume", "available", ready=True)
    if volume.attachment == "attaching":
        host.attach(volume.instance_id, disk(volume))
        _note(step, volume, "attachVolume", "attached", attachment="attached")
    elif volume.attachment in ("detaching", "busy"):
        _detach(step, volume, host)
    if volume.modification is not None:
        _modify(step, volume, host)


def _make(volume: Volume, host: ComputePort) -> None:
    """Zeroes, a snapshot's data, or another volume's: that is held still for a moment, as for a snapshot."""
    if not volume.copied_from:
        host.make_volume(disk(volume))
        return
    host.take_snapshot(volume.id, volume.copied_from)
    host.make_volume(replace(disk(volume), snapshot=volume.id))
    host.remove_snapshot(volume.id)


def _remove(step: Step, host: ComputePort) -> None:
    """Remove the data, unless a snapshot or a copy that was asked for before is still to be taken of it."""
    pending = [one for one in step.db[Snapshot].all(volume_id=step.key) if one.state == "pending"]
    if pending or any(one.copied_from == step.key and not one.ready for one in step.db[Volume].all()):
        step.soon(_LOOK_AGAIN)
        return
    host.remove_volume(step.key)


def disk(volume: Volume) -> Disk:
    """What the compute plane is told of a volume."""
    device = volume.device or "/dev/xvda"
    return Disk(volume_id=volume.id, device=device, size_gib=volume.size, snapshot=volume.source)


def _note(step: Step, seen: Volume, event: str, result: str, **done: object) -> None:
    """Write down what was done, unless something else was asked for meanwhile."""
    with step.world.state.database.transaction():
        now = step.db[Volume].get(step.key)
        if now is None or any(getattr(now, name) != getattr(seen, name) for name in done):
            return
        step.db[Volume].put(replace(now, **done))
        announce(step.ctx, now, event, result)


def _detach(step: Step, volume: Volume, host: ComputePort) -> None:
    if not host.detach(volume.instance_id, volume.id, force=volume.forced):
        if volume.attachment == "detaching":
            step.change(Volume, lambda now: replace(now, attachment="busy") if now == volume else None)
        step.soon(_LOOK_AGAIN)
        return
    keys.release(step.ctx, volume)
    with step.world.state.database.transaction():
        now = step.db[Volume].get(step.key)
        if now is not None and now.attachment in ("detaching", "busy") and now.instance_id == volume.instance_id:
            step.db[Volume].put(freed(now))


def freed(volume: Volume) -> Volume:
    """The volume, attached to nothing."""
    return replace(
        volume,
        instance_id="",
        device="",
        attachment="",
        forced=False,
        attached=None,
        delete_on_termination=False,
        grant_id="",
    )


def _modify(step: Step, volume: Volume, host: ComputePort) -> None:
    """The host grows the file; the rest of a modification is a matter of time."""
    change = volume.modification
    assert change is not None
    now = step.world.clock.now()
    if change.state == "modifying":
        host.grow_volume(volume.id, volume.size)
        later = replace(change, state="optimizing", end=now + OPTIMIZING)
        _note(step, volume, "modifyVolume", "optimizing", modification=later)
        step.again("modified", now + OPTIMIZING)
    elif change.state == "optimizing" and change.end is not None:
        if now >= change.end:
            _note(step, volume, "modifyVolume", "completed", modification=replace(change, state="completed"))
        else:
            step.again("modified", change.end)


def announce(ctx: Ctx, volume: Volume, event: str, result: str) -> None:
    """AWS's ``EBS Volume Notification``.

    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
    """
    detail = {"event": event, "result": result, "cause": "", "request-id": ctx.request_id}
    where = ctx.at(volume.account, volume.region)
    where.emit("aws.ec2", "EBS Volume Notification", detail, (arn_of(volume),))
