"""One look at a path: what the plan says of its packets, as AWS tells it; reads records, changes nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.planes.network.reach import EPHEMERAL, World, reach
from cloudjar.planes.network.steps import Answer
from cloudjar.services.ec2.insights.asking import (
    SOMEWHERE,
    End,
    candidate_ports,
    end,
    public_address,
    the_world,
)
from cloudjar.services.ec2.insights.reading import Reader, View
from cloudjar.services.ec2.insights.records import Path
from cloudjar.services.ec2.internet_gateways.records import InternetGateway


class Outcome(NamedTuple):
    """What an analysis found."""

    found: bool
    forward: list[View]
    back: list[View]
    explanations: list[View]
    said: list[str]


def analyse(ctx: Ctx, path: Path, world: World | None = None) -> Outcome:
    """Whether packets of a path arrive and are answered, in the world as it is. Raises what is wrong with its ends."""
    world = world or the_world(ctx)
    source = end(ctx, path.source, "source")
    target = end(ctx, path.destination, "destination") if path.destination else None
    reader = Reader(world, ctx.account, ctx.region, path.protocol, path.port)
    missing = _unreachable_from_the_start(ctx, reader, source, target)
    if missing is not None:
        return Outcome(False, [], [], [missing], [missing["ExplanationCode"]])
    address = _address(source, target, path)
    answer, number = _first_open(world, source, address, path)
    reader = Reader(world, ctx.account, ctx.region, path.protocol, number)
    lines = list(answer.path)
    arrived = answer.status == "open" and _is_there(answer, target)
    forward, back = reader.components(step for step in answer.steps if step.passed)
    first, last = _ends(reader, source), list(reversed(_ends(reader, target))) if target and arrived else []
    if source.eni is not None:
        forward = reader.routed(forward, source.eni.id, address)
    forward = _numbered([*first, *forward, *last])
    if arrived:
        return Outcome(True, forward, _numbered(back), [], lines)
    reason: View = reader.explanation(answer.steps[-1]) if answer.status != "open" else {"ExplanationCode": "NO_PATH"}
    if target is not None and "Destination" not in reason:
        reason["Destination"] = reader.thing(target.id)
    return Outcome(False, [], [], [reason], lines)


def _unreachable_from_the_start(ctx: Ctx, reader: Reader, source: End, target: End | None) -> View | None:
    """What keeps a packet from ever being sent, or anybody from having its address."""
    for one in (source, target):
        if one is None:
            continue
        if one.id.startswith("igw-"):
            if not ctx.db[InternetGateway].need(one.id).vpc_id:
                return {"ExplanationCode": "UNASSOCIATED_COMPONENT", "InternetGateway": reader.thing(one.id)}
        elif one.eni is None or one.eni.attachment is None:
            return {"ExplanationCode": "UNASSOCIATED_COMPONENT", "Component": reader.thing(one.id)}
        elif not one.eni.powered:
            return {"ExplanationCode": "BAD_STATE", "Component": reader.thing(one.eni.instance_id)}
    if source.eni is None and target is not None and target.eni is not None and not public_address(target.eni):
        return {
            "ExplanationCode": "IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS",
            "Address": target.eni.primary.ip,
            "InternetGateway": reader.thing(source.id),
            "NetworkInterface": reader.thing(target.eni.id),
        }
    return None


def _address(source: End, target: End | None, path: Path) -> str:
    if path.destination_ip:
        return path.destination_ip
    if target is None or target.eni is None:
        return SOMEWHERE
    return public_address(target.eni) if source.eni is None else target.eni.primary.ip


def _first_open(world: World, source: End, address: str, path: Path) -> tuple[Answer, int]:
    """The answer for the first port that is open, or for the first one tried."""
    sender = source.eni.id if source.eni is not None else "internet"
    tried: list[tuple[Answer, int]] = []
    for number in candidate_ports(world, path):
        answer = reach(
            world, sender, address, path.protocol, number, source_port=path.source_port or EPHEMERAL
        )
        if answer.status == "open":
            return answer, number
        tried.append((answer, number))
    return tried[0]


def _is_there(answer: Answer, target: End | None) -> bool:
    """Whether the packet came to the interface that was meant: another VPC may have the same address."""
    if target is None or target.eni is None:
        return True
    return any((step.kind, step.direction, step.at) == ("group", "ingress", target.eni.id) for step in answer.steps)


def _ends(reader: Reader, one: End | None) -> list[View]:
    """The thing itself, then its interface."""
    if one is None:
        return []
    if one.eni is None:
        return [] if one.id.startswith("igw-") else [{"Component": reader.thing(one.id)}]
    interface: dict[str, Any] = {
        "Component": reader.thing(one.eni.id),
        "Subnet": reader.thing(one.eni.subnet_id),
        "Vpc": reader.thing(one.eni.vpc_id),
    }
    if one.id == one.eni.id:
        return [interface]
    return [{"Component": reader.thing(one.id)}, interface | {"AttachedTo": reader.thing(one.id)}]


def _numbered(views: list[View]) -> list[View]:
    return [{"SequenceNumber": i, **view} for i, view in enumerate(views, 1)]
