"""Reserved Instances begin, and end by the clock.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-modifying.html
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.reserved_instances.records import ReservedInstances


@reconciler(ReservedInstances)
def converge(step: Step, _: ReservedInstances | None) -> None:
    """One look: a queued purchase is made at its time, a paid one is active, one whose term is over is retired."""
    with step.world.state.database.transaction():
        held = step.db[ReservedInstances].get(step.key)
        if held is None:
            return
        ctx = step.ctx
        if held.state == "queued" and ctx.now < held.start:
            ctx.wake(held, purpose="purchase", at=held.start)
        elif held.state in ("queued", "payment-pending"):
            held = step.db[ReservedInstances].put(replace(held, state="active"))
            ctx.wake(held, purpose="end", at=held.end)
        elif held.state == "active" and ctx.now >= held.end:
            step.db[ReservedInstances].put(replace(held, state="retired"))
        elif held.state == "active":
            ctx.wake(held, purpose="end", at=held.end)
