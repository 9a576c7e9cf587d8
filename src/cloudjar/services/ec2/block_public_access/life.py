"""What was decided becomes so: VPCs are laid out anew, and only then a state says that it is complete."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit.machine import Machine, Step, reconciler
from cloudjar.services.ec2.block_public_access.records import BlockExclusion, BlockOptions
from cloudjar.services.ec2.layout import lay_out
from cloudjar.services.ec2.vpcs.records import Vpc

LIFE = Machine(
    BlockExclusion,
    start="create-in-progress",
    moves="""
    create-in-progress -> create-complete | update-in-progress | delete-in-progress
    create-complete    -> update-in-progress | delete-in-progress
    update-in-progress -> update-complete | delete-in-progress
    update-complete    -> update-in-progress | delete-in-progress
    delete-in-progress -> delete-complete
""",
)
_THEN = {
    "create-in-progress": "create-complete",
    "update-in-progress": "update-complete",
    "delete-in-progress": "delete-complete",
}
REMEMBERED = timedelta(days=90)
"""How long an exclusion that was deleted can still be described."""
_PURGE = "purge"


@reconciler(BlockOptions)
def settle(step: Step, options: BlockOptions | None) -> None:
    """Bring every VPC of the account in the Region to its mode."""
    if options is None or options.state != "update-in-progress":
        return
    for vpc in step.db[Vpc].all():
        lay_out(step, vpc.id)

    def complete(now: BlockOptions) -> BlockOptions | None:
        return replace(now, state="update-complete") if now == options else None

    step.change(BlockOptions, complete)


@reconciler(BlockExclusion)
def converge(step: Step, one: BlockExclusion | None) -> None:
    """Bring its VPC to what the exclusion says; forget one that was deleted long ago."""
    if one is None:
        return
    if one.state == "delete-complete":
        _forget(step, one)
    elif one.state in _THEN:
        lay_out(step, one.vpc_id)
        _complete(step, one)


def _complete(step: Step, seen: BlockExclusion) -> None:
    with step.world.state.database.transaction():
        now = step.db[BlockExclusion].get(seen.id)
        if now is None or (now.state, now.mode) != (seen.state, seen.mode):
            return
        gone = {"deleted": step.ctx.now} if now.state == "delete-in-progress" else {}
        LIFE.move(step.ctx, now, _THEN[now.state], updated=step.ctx.now, **gone)


def _forget(step: Step, one: BlockExclusion) -> None:
    if step.wake.purpose != _PURGE:
        if not step.world.state.wakes.expects(step.wake, _PURGE):
            step.again(_PURGE, (one.deleted or step.ctx.now) + REMEMBERED)
        return
    with step.world.state.database.transaction():
        fresh = step.db[BlockExclusion].get(one.id)
        if fresh is not None:
            step.db[BlockExclusion].drop(fresh)
