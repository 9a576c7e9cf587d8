"""The lives of multicast domains and of subnets in them: pending until they have been seen."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.multicast.casting import leave
from cloudjar.services.ec2.multicast.records import MulticastAssociation, MulticastDomain
from cloudjar.services.ec2.transit_gateways.life import forget_later


@reconciler(MulticastDomain)
def converge(step: Step, domain: MulticastDomain | None) -> None:
    """Bring a domain's state on."""
    if domain is None:
        return
    if domain.state == "pending":
        step.change(MulticastDomain, lambda now: replace(now, state="available") if now.state == "pending" else None)
    elif domain.state == "deleting":
        step.change(MulticastDomain, lambda now: replace(now, state="deleted"))
    elif domain.state == "deleted":
        forget_later(step, domain)


@reconciler(MulticastAssociation)
def converge_association(step: Step, association: MulticastAssociation | None) -> None:
    """A subnet is in its domain once it has been seen, and out of it likewise."""
    if association is None:
        return
    with step.world.state.database.transaction():
        fresh = step.db[MulticastAssociation].get(association.subnet_id)
        if fresh is not None and fresh.state == "associating":
            step.db[MulticastAssociation].put(replace(fresh, state="associated"))
        elif fresh is not None and fresh.state == "disassociating":
            leave(step.ctx, fresh)
