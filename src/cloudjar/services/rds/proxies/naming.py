"""Names of proxies, and what they mean: the addresses of those of its machines that run."""

from __future__ import annotations

from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import rules
from cloudjar.services.rds.proxies.records import ProxyEndpoint


def endpoint(one: ProxyEndpoint) -> str:
    """The name at which a proxy is reached."""
    place = f"proxy-{rules.endpoint_part(one.account, one.region)}.{one.region}.rds.amazonaws.com"
    return f"{one.proxy}.{place}" if one.first else f"{one.name}.endpoint.{place}"


def addresses(ctx: Ctx, vpc_id: str, name: str) -> tuple[str, ...]:
    """What such a name means in a VPC; nothing when there is no such proxy. The caller holds the store's lock."""
    if ".proxy-" not in name:
        return ()
    for one in ctx.db.everywhere(ProxyEndpoint):
        if endpoint(one) == name:
            return _of_nodes(ctx.at(one.account, one.region), one) if vpc_id in ("", one.vpc_id) else ()
    return ()


def _of_nodes(ctx: Ctx, one: ProxyEndpoint) -> tuple[str, ...]:
    host: ComputePort = ctx.world.ports["compute"]
    lit = [node for node in one.nodes if host.look(node.machine) == "up"]
    lent = [interfaces.lender(ctx).look(ctx, node.interface) for node in lit]
    return tuple(there.private for there in lent if there is not None)
