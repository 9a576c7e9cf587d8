"""The life of a VPC endpoint: pending until its reconciler has seen it, gone once its interfaces are.

No `Machine`: the states that AWS answers are written otherwise than its model says (``available``, not ``Available``).
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2 import readings, traffic_bill
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.vpc_endpoints import counting
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint


@reconciler(VpcEndpoint)
def converge(step: Step, endpoint: VpcEndpoint | None) -> None:
    """One step towards what is wanted."""
    if endpoint is None:
        return
    if step.wake.purpose == readings.SAMPLE:
        counting.count(step.world, endpoint)
        return
    if endpoint.state == "pending":
        step.change(VpcEndpoint, lambda now: replace(now, state="available") if now.state == "pending" else None)
    elif endpoint.state == "deleting":
        traffic_bill.read_last(step, endpoint.vpc_id)
        counting.count(step.world, endpoint)
        with step.world.state.database.transaction():
            for key in endpoint.interfaces:
                eni = step.db[NetworkInterface].get(key)
                if eni is not None:
                    making.remove(step.ctx, eni)
            fresh = step.db[VpcEndpoint].get(endpoint.id)
            if fresh is not None:
                step.db[VpcEndpoint].drop(fresh)
            counting.forget(step.ctx, endpoint.id)
