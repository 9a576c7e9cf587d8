"""What the plan says of transit gateways, as AWS's path components and explanations.

https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudjar.planes.network.port import TransitGateway
from cloudjar.planes.network.reach import World
from cloudjar.planes.network.site import any_address
from cloudjar.planes.network.steps import Step
from cloudjar.planes.network.transit import rows

View = dict[str, Any]
Thing = Callable[[str], View]


def component(step: Step, thing: Thing) -> View:
    """A gateway that a packet passed."""
    return {
        "Component": thing(step.what),
        "TransitGateway": thing(step.what),
        "DestinationVpc": thing(step.target),
    }


def explanation(step: Step, world: World, thing: Thing) -> View:
    """Why a gateway had no way on: no table, no route, or a black hole."""
    key, target, attachment = step.what, step.target, step.at
    shown: View = {"Address": target, "TransitGateway": thing(key), "TransitGatewayAttachment": thing(attachment)}
    gateway = next((one for one in world.transits if one.id == key), None)
    table = _table(gateway, attachment)
    if gateway is None or not table:
        return {"ExplanationCode": "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION", **shown}
    shown["TransitGatewayRouteTable"] = thing(table)
    where = any_address(target)
    holding = {n: r for n, r in rows(gateway, table).items() if n.version == where.version and where in n}
    if not holding:
        return {"ExplanationCode": "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT", **shown}
    best = max(holding, key=lambda block: block.prefixlen)
    to = holding[best].attachment
    shown["TransitGatewayRouteTableRoute"] = {
        "DestinationCidr": str(best),
        "State": "active" if to else "blackhole",
        "AttachmentId": to or None,
    }
    return {"ExplanationCode": "BAD_STATE_ATTACHMENT" if to else "BAD_STATE_ROUTE", **shown}


def _table(gateway: TransitGateway | None, attachment: str) -> str:
    found = gateway.associations if gateway is not None else ()
    return next((one.route_table for one in found if one.attachment == attachment), "")
