"""What multicast domains say in the end, as the network plane wants it; pure."""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.planes.network import port
from cloudjar.services.ec2.multicast.records import MulticastAssociation, MulticastDomain, MulticastRegistration
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface


def standing(db: Db, domain_id: str) -> Iterator[tuple[MulticastRegistration, NetworkInterface]]:
    """Who is in a domain's groups, of interfaces that are still there, in their order."""
    for one in sorted(db[MulticastRegistration].all(domain_id=domain_id), key=lambda one: one.id):
        eni = db[NetworkInterface].get(one.interface_id)
        if eni is not None:
            yield one, eni


def ways(db: Db, domain_id: str) -> dict[str, str]:
    """The attachment behind which each subnet of a domain is."""
    return {one.subnet_id: one.attachment_id for one in db[MulticastAssociation].all(domain_id=domain_id)
            if one.state == "associated"}  # fmt: skip


def vpc_casts(db: Db, vpc_id: str, live: dict[str, str]) -> tuple[port.Cast, ...]:
    """The groups that a VPC has part in; `live` are its interfaces that are laid out, by id, with their subnets."""
    held = [one for one in db[MulticastAssociation].all(vpc_id=vpc_id) if one.state == "associated"]
    found: list[port.Cast] = []
    for domain_id, attachment in sorted({(one.domain_id, one.attachment_id) for one in held}):
        domain = db[MulticastDomain].get(domain_id)
        if domain is None or domain.state != "available":
            continue
        subnets = {one.subnet_id for one in held if one.domain_id == domain_id}
        here = {key for key, subnet in live.items() if subnet in subnets}
        found += _casts(db, domain, attachment, here)
    return tuple(found)


def _casts(db: Db, domain: MulticastDomain, attachment: str, here: set[str]) -> Iterator[port.Cast]:
    everybody = list(standing(db, domain.id))
    for group in sorted({one.group for one, _ in everybody if not one.source}):
        members = tuple(eni.id for one, eni in everybody if one.group == group and not one.source and eni.id in here)
        sources = {eni.id for one, eni in everybody if one.group == group and one.source}
        senders = tuple(sorted(here & sources if domain.static_sources else here))
        if members or senders:
            yield port.Cast(domain=domain.id, attachment=attachment, group=group, senders=senders, members=members)


def transit_casts(db: Db, gateway_id: str) -> tuple[port.TransitCast, ...]:
    """The groups of a gateway's domains, and behind which attachments their members are."""
    found = []
    for domain in sorted(db[MulticastDomain].all(gateway_id=gateway_id), key=lambda one: one.id):
        known = ways(db, domain.id) if domain.state == "available" else {}
        groups: dict[str, set[str]] = {}
        for one, eni in standing(db, domain.id) if known else ():
            if not one.source and eni.subnet_id in known:
                groups.setdefault(one.group, set()).add(known[eni.subnet_id])
        found += [port.TransitCast(domain=domain.id, group=group, attachments=tuple(sorted(to)))
                  for group, to in sorted(groups.items())]  # fmt: skip
    return tuple(found)


def stir(ctx: Ctx, domain_id: str) -> None:
    """Who is in a domain's groups has changed: all of its VPCs are laid out again, those of senders too; in a
    transaction."""
    for vpc_id in {one.vpc_id for one in ctx.db[MulticastAssociation].all(domain_id=domain_id)}:
        ctx.world.state.wakes.wake("ec2/vpc", ctx.account, ctx.region, vpc_id)


def leave(ctx: Ctx, association: MulticastAssociation) -> None:
    """A subnet leaves its domain, and its interfaces the groups; in a transaction."""
    for one in ctx.db[MulticastRegistration].all(domain_id=association.domain_id):
        if one.subnet_id == association.subnet_id:
            ctx.db[MulticastRegistration].drop(one)
    ctx.db[MulticastAssociation].drop(association)
    stir(ctx, association.domain_id)


def detach(ctx: Ctx, attachment_id: str) -> None:
    """An attachment goes: so do its subnets; in a transaction."""
    for association in ctx.db[MulticastAssociation].all(attachment_id=attachment_id):
        leave(ctx, association)
