"""What the plane hears of Connect peers' sessions, written down."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2.transit_connects.attached import GONE
from cloudjar.services.ec2.transit_connects.records import TransitConnectPeer
from cloudjar.services.ec2.transit_gateways.records import TransitGateway


def listen(step: Step, gateway: TransitGateway) -> None:
    """Write down what the plane has heard of a gateway's peers since; what it does not know yet stays as it was."""
    network: NetworkPort = step.port("network")
    heard = network.tunnels(gateway.id)
    if heard is None:
        return
    with step.world.state.database.transaction():
        for peer in step.db[TransitConnectPeer].all(gateway_id=gateway.id):
            says = heard.get(peer.id)
            if says is not None and peer.state not in GONE and (says.up, says.learned) != (peer.up, peer.learned):
                step.db[TransitConnectPeer].put(replace(peer, up=says.up, learned=says.learned))


def tunnels_changed(world: World, gateway_id: str) -> None:
    """The plane says that a gateway's peers say something else: have it looked at."""
    db = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db
    gateway = db.find(TransitGateway, gateway_id)
    if gateway is not None:
        with world.state.database.transaction():
            world.state.wakes.wake("ec2/transit-gateway", gateway.account, gateway.region, gateway.id)
