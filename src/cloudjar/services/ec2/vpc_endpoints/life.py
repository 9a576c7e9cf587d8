"""The life of a VPC endpoint: pending until its reconciler has seen it, gone once its interfaces are."""

from __future__ import annotations

from cloudjar.kit.machine import Machine, Step, reconciler
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint

LIFE = Machine(
    VpcEndpoint,
    start="pending",
    moves="""
    pending   -> available | deleting
    available -> deleting
""",
)


@reconciler(VpcEndpoint)
def converge(step: Step, endpoint: VpcEndpoint | None) -> None:
    """One step towards what is wanted."""
    if endpoint is None:
        return
    if endpoint.state == "pending":
        step.move(LIFE, "pending", "available")
    elif endpoint.state == "deleting":
        with step.world.state.database.transaction():
            for key in endpoint.interfaces:
                eni = step.db[NetworkInterface].get(key)
                if eni is not None:
                    making.remove(step.ctx, eni)
            fresh = step.db[VpcEndpoint].get(endpoint.id)
            if fresh is not None:
                step.db[VpcEndpoint].drop(fresh)
