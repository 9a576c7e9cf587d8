"""When guests hear what their network has to say: at the renewal of their leases, half of an hour's lease apart.

https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.instances.records import Instance

LEASE = "lease"
"""Purpose of the wake-up at which a lease is renewed."""
RENEWAL = timedelta(minutes=30)
"""Leases of EC2 are for an hour; clients renew them when half of it is over."""


def next_renewal(started: datetime, now: datetime) -> datetime:
    """The first renewal after `now` of a lease that was taken at `started` (pure)."""
    return started + RENEWAL * ((now - started) // RENEWAL + 1)


def renew_leases(ctx: Ctx, vpc_id: str) -> None:
    """Have every running guest of a VPC hear of its changed options, each at its own next renewal."""
    for vm in ctx.db[Instance].all(vpc_id=vpc_id):
        if vm.state in ("pending", "running"):
            ctx.wake(vm, purpose=LEASE, at=next_renewal(vm.launched, ctx.now))
