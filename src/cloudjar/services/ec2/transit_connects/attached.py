"""Connect attachments seen as attachments like any other, and what their peers tell as routes."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.planes.network import connect as plane
from cloudjar.planes.network.speaking import rank
from cloudjar.services.ec2.transit_connects.records import TransitConnect, TransitConnectPeer
from cloudjar.services.ec2.transit_gateways.records import OVER, TransitAttachment

_OURS = ("state", "table", "association", "propagates")
GONE = ("deleting", "deleted")


class Told(NamedTuple):
    """What a peer of an attachment tells."""

    attachment: TransitAttachment
    peer: str
    route: plane.Learned


def seen(item: TransitConnect) -> TransitAttachment:
    """As an attachment whose resource is the one that carries it. Never stored itself."""
    return TransitAttachment(
        id=item.id, account=item.account, region=item.region, kind="connect", gateway_id=item.gateway_id,
        gateway_owner=item.account, vpc_id=item.transport_id, vpc_owner=item.account, subnets=(),
        created=item.created, state=item.state, table=item.table, association=item.association,
        propagates=item.propagates, tags=item.tags,
    )  # fmt: skip


def of_gateway(db: Db, gateway_id: str) -> list[TransitAttachment]:
    """The Connect attachments of a gateway of this account and Region."""
    return [seen(item) for item in db[TransitConnect].all(gateway_id=gateway_id)]


def of_transport(db: Db, transport_id: str) -> list[TransitConnect]:
    """The Connect attachments that a VPC's attachment carries."""
    return [item for item in db[TransitConnect].all(transport_id=transport_id) if item.state not in OVER]


def here(ctx: Ctx) -> list[TransitAttachment]:
    """All of the caller's, in this Region."""
    return [seen(item) for item in ctx.db[TransitConnect].all()]


def of_account(ctx: Ctx, key: str) -> TransitAttachment | None:
    """One of the caller's by its id."""
    item = ctx.db[TransitConnect].get(key)
    return seen(item) if item is not None else None


def change(ctx: Ctx, item: TransitAttachment, **changes: Any) -> TransitAttachment:
    """Store a change; the gateway is laid out again because it is the record's parent."""
    table = ctx.db.at(item.account, item.region)[TransitConnect]
    ours = {name: value for name, value in changes.items() if name in _OURS}
    return seen(table.put(replace(table.need(item.id), **ours)))


def peers_of(db: Db, attachment_id: str) -> list[TransitConnectPeer]:
    """The tunnels of an attachment that are not gone, oldest first."""
    found = (peer for peer in db[TransitConnectPeer].all(attachment_id=attachment_id) if peer.state not in GONE)
    return sorted(found, key=lambda peer: (peer.created, peer.id))


def ways(db: Db, attachments: list[TransitAttachment]) -> Iterator[tuple[IPv4Network | IPv6Network, list[Told]]]:
    """What the peers of some Connect attachments tell together: for each block those ways that are taken.

    Equal ways share the connections, and equal means by the same autonomous systems, as AWS wants it; of others the
    shorter one is taken, then the one with the smaller discriminator.
    """
    found: dict[str, list[Told]] = {}
    for item in attachments:
        for peer in peers_of(db, item.id):
            for route in peer.learned:
                found.setdefault(route.block, []).append(Told(item, peer.id, route))
    for block, told in found.items():
        best = min((one.route for one in told), key=rank)
        taken = [one for one in told if (one.route.path, one.route.discriminator) == (best.path, best.discriminator)]
        yield ip_network(block), taken
