"""A snapshot on the host: taken or copied, measured, gone."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2.snapshots import tiering
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.volumes.records import Volume


@reconciler(Snapshot)
def converge(step: Step, snapshot: Snapshot | None) -> None:
    """One look: take what is pending, measure what is new or has lost its parent."""
    host: ComputePort = step.port("compute")
    if snapshot is None:
        _remove(step, host)
        return
    if snapshot.arrival == "awaited":
        return  # whoever brings it says when it is here
    if snapshot.state == "pending" and not snapshot.arrival:
        if snapshot.copied_from:
            host.copy_snapshot(snapshot.id, snapshot.copied_from)
        else:
            host.take_snapshot(snapshot.id, snapshot.volume_id)
    if snapshot.state == "pending" or not snapshot.measured:
        _measured(step, snapshot, host)
    if snapshot.tiering is not None:
        with step.world.state.database.transaction():
            tiering.look(step.ctx, step.key)


def _remove(step: Step, host: ComputePort) -> None:
    """Remove the data, unless something that was asked for before is still to be made of it."""
    waiting = any(volume.source == step.key and not volume.ready for volume in step.db.everywhere(Volume))
    copying = any(one.copied_from == step.key and one.state == "pending" for one in step.db.everywhere(Snapshot))
    if waiting or copying:
        step.soon(1)
        return
    host.remove_snapshot(step.key)


def _measured(step: Step, seen: Snapshot, host: ComputePort) -> None:
    everything = host.changed_blocks(seen.id)
    added = host.changed_blocks(seen.id, seen.parent_id) if seen.parent_id else everything
    with step.world.state.database.transaction():
        now = step.db[Snapshot].get(step.key)
        if now is None or now.parent_id != seen.parent_id:
            return
        done = replace(now, measured=True, blocks=added, all_blocks=everything)
        if now.state == "pending":
            done = replace(done, state="completed", completed=step.world.clock.now())
            announce(step.ctx, done, "copySnapshot" if now.copied_from else "createSnapshot")
        step.db[Snapshot].put(done)


def announce(ctx: Ctx, snapshot: Snapshot, event: str) -> None:
    """AWS's ``EBS Snapshot Notification``.

    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
    """
    detail = {
        "event": event,
        "result": "succeeded",
        "cause": "",
        "request-id": ctx.request_id,
        "snapshot_id": arn_of(snapshot),
        "source": snapshot.copied_from or snapshot.volume_id,
        "startTime": snapshot.started.isoformat(),
        "endTime": snapshot.completed.isoformat() if snapshot.completed else "",
    }
    ctx.emit("aws.ec2", "EBS Snapshot Notification", detail, (arn_of(snapshot),))
