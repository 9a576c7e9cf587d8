"""Flows by way of a transit gateway: where each of them went, and what its records say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cloudjar.kit.db import Db
from cloudjar.kit.log_delivery import LogEvent
from cloudjar.planes.network import port
from cloudjar.planes.network.site import any_address
from cloudjar.planes.network.transit import onward, rows
from cloudjar.planes.network.tunnels import ends_here
from cloudjar.services.ec2.flow_logs import transit_lines
from cloudjar.services.ec2.flow_logs.lines import Seen, status_line
from cloudjar.services.ec2.flow_logs.records import FlowLog
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.transit_gateways.finding import attachments_of
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment, TransitGateway
from cloudjar.services.ec2.transit_gateways.routing import laid

_PAIR = "/"
"""Between an attachment and the one at the other end, in `Seen.interface`."""


def followed(db: Db, gateway: TransitGateway, flows: Iterable[port.Flow], start: int, end: int) -> Iterator[Seen]:
    """What came in by an attachment, and again where it left by another one, as the tables are now."""
    plan = laid(db, gateway)
    for flow in flows:
        if ends_here(plan.connects, flow.source, flow.target):
            continue  # what a tunnel is made of; what it carries is told of its own attachment
        onto = onward(plan, flow.interface, any_address(flow.target))
        fate = transit_lines.PASSED if onto is not None else _lost(plan, flow)
        there = onto.attachment if onto is not None else ""
        facts = (flow.source, flow.target, flow.source_port, flow.target_port, flow.protocol, flow.packets, flow.bytes)
        yield Seen(f"{flow.interface}{_PAIR}{there}", "ingress", fate, *facts, start, end)
        if there:
            yield Seen(f"{there}{_PAIR}{flow.interface}", "egress", fate, *facts, start, end)


def _lost(plan: port.TransitGateway, flow: port.Flow) -> str:
    table = next((a.route_table for a in plan.associations if a.attachment == flow.interface), "")
    where = any_address(flow.target)
    held = any(block.version == where.version and where in block for block in rows(plan, table))
    return transit_lines.BLACKHOLE if held else transit_lines.NO_ROUTE


def covers(log: FlowLog, attachment: str) -> bool:
    """Whether a log is of this attachment, or its gateway."""
    return log.resource_id in (attachment, log.gateway_id)


def wanted(log: FlowLog, seen: Seen) -> bool:
    """Whether a flow is for a log."""
    return covers(log, seen.interface.partition(_PAIR)[0])


def streams(
    db: Db, log: FlowLog, flows: Iterable[Seen], *, skipped: bool, start: int, end: int
) -> dict[str, list[LogEvent]]:
    """The records by stream: one for each attachment."""
    place = {
        "version": transit_lines.VERSION, "resource-type": "TransitGateway", "account-id": log.account,
        "tgw-id": log.gateway_id, "region": log.region,
    }  # fmt: skip
    known = {item.id: item for item in db[TransitAttachment].all(gateway_id=log.gateway_id)}
    found: dict[str, list[LogEvent]] = {}
    for seen in flows:
        key = seen.interface.partition(_PAIR)[0]
        ends = _ends(db, seen, known)
        line = transit_lines.flow_line(log.fields, place, ends, seen)
        found.setdefault(_stream(log, key), []).append(LogEvent(seen.start * 1000, line))
    for item in attachments_of(db, log.gateway_id):
        stream = _stream(log, item.id)
        if covers(log, item.id) and item.live and (skipped or stream not in found):
            status = "SKIPDATA" if skipped else "NODATA"
            line = status_line(log.fields, {**place, "tgw-attachment-id": item.id}, start, end, status)
            found.setdefault(stream, []).append(LogEvent(start * 1000, line))
    return found


def _stream(log: FlowLog, attachment: str) -> str:
    return f"{log.gateway_id}-{attachment}"


def _ends(db: Db, seen: Seen, known: Mapping[str, TransitAttachment]) -> dict[str, str]:
    mine, _, other = seen.interface.partition(_PAIR)
    source, target = (mine, other) if seen.direction == "ingress" else (other, mine)
    return {
        "tgw-attachment-id": mine,
        "tgw-pair-attachment-id": other,
        **_end(db, "src", known.get(source)),
        **_end(db, "dst", known.get(target)),
    }


def _end(db: Db, side: str, item: TransitAttachment | None) -> dict[str, str]:
    """What is known of one end: the attachment's own interface, in its first subnet."""
    if item is None:
        return {}
    theirs = db.at(item.vpc_owner, item.region)
    eni = theirs[NetworkInterface].get(item.interfaces[0]) if item.interfaces else None
    subnet = theirs[Subnet].get(item.subnets[0])
    return {
        f"tgw-{side}-vpc-account-id": item.vpc_owner,
        f"tgw-{side}-vpc-id": item.vpc_id,
        f"tgw-{side}-subnet-id": item.subnets[0],
        f"tgw-{side}-eni": eni.id if eni is not None else "",
        f"tgw-{side}-az-id": subnet.zone_id if subnet is not None else "",
    }
