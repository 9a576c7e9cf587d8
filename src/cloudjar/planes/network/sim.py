"""The network plane in memory: for tests, and for hosts without root. It moves no packets and says so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Collection

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.inside import Ears, Line
from cloudjar.planes.compute.lines import Switchboard
from cloudjar.planes.network.audience import audience
from cloudjar.planes.network.connect import PeerSeen
from cloudjar.planes.network.dialing import lined
from cloudjar.planes.network.plan import Plan, plan
from cloudjar.planes.network.port import (
    Carried,
    DoorTraffic,
    Flow,
    HostDoor,
    NatTraffic,
    TransitGateway,
    TransitTraffic,
    Vpc,
)
from cloudjar.planes.network.reach import World, reach
from cloudjar.planes.network.site import site
from cloudjar.planes.network.steps import Answer
from cloudjar.planes.network.transit import transit_plan


class SimNetwork:
    """Holds what the Linux driver would lay out; refuses what that would refuse."""

    name = "sim"

    def __init__(self, tag: str = "sim", pool: str = "198.18.0.0/16", api_port: int = 0) -> None:
        self.site = site(tag, pool)
        self.api_port = api_port
        self._lock = threading.Lock()
        self._vpcs: dict[str, Vpc] = {}
        self._transits: dict[str, TransitGateway] = {}
        self._passed: dict[str, list[Flow]] = {}
        self._carried: dict[str, dict[str, int]] = {}
        self._translated: dict[str, NatTraffic] = {}
        self._doors: dict[str, DoorTraffic] = {}
        self._joined: dict[str, TransitTraffic] = {}
        self._lives = 1
        self._told: dict[str, dict[str, PeerSeen]] = {}
        self._changed: Callable[[str], None] = lambda _: None
        self._answering: dict[tuple[str, int], Callable[[socket.socket], None]] = {}
        self._board = Switchboard()

    @property
    def host_address(self) -> str:
        """The address that would be the host's on its Internet bridge."""
        return self.site.gateway

    @property
    def service_addresses(self) -> dict[str, str]:
        """Where guests find the services that gateway endpoints lead to."""
        return self.site.service_addresses

    @property
    def ipv6_pool(self) -> str:
        """The /40 of which VPCs get their /56 blocks."""
        return self.site.pool6

    def prepare(self) -> None:
        """Nothing needs to be put up."""

    def hear(self, doors: Collection[HostDoor]) -> None:
        """No packet comes from a guest."""

    def guest_path(self, guest: str) -> str:
        """The guest's name; there is no namespace behind it."""
        return self.site.guest_namespace(guest)

    def apply(self, vpc: Vpc) -> None:
        """Hold exactly this VPC."""
        plan(vpc, self.site)
        with self._lock:
            self._vpcs[vpc.id] = vpc

    def plan(self, vpc_id: str) -> Plan:
        """What a host would hold for a VPC; raises `KeyError` when it was not applied."""
        return plan(self._vpcs[vpc_id], self.site)

    def remove(self, vpc_id: str) -> None:
        """Forget the VPC."""
        with self._lock:
            self._vpcs.pop(vpc_id, None)

    def apply_transit(self, gateway: TransitGateway) -> None:
        """Hold exactly this transit gateway."""
        transit_plan(gateway, self.site, set())
        with self._lock:
            self._transits[gateway.id] = gateway

    def remove_transit(self, gateway_id: str) -> None:
        """Forget the transit gateway."""
        with self._lock:
            self._transits.pop(gateway_id, None)
            self._told.pop(gateway_id, None)

    def transit(self, gateway_id: str) -> TransitGateway:
        """A transit gateway as it was applied; raises `KeyError` when it was not."""
        return self._transits[gateway_id]

    def watch_tunnels(self, changed: Callable[[str], None]) -> None:
        """`say` calls it."""
        self._changed = changed

    def tunnels(self, gateway_id: str) -> dict[str, PeerSeen] | None:
        """What `say` made it."""
        with self._lock:
            return dict(self._told[gateway_id]) if gateway_id in self._told else None

    def say(self, gateway_id: str, peer_id: str, seen: PeerSeen) -> None:
        """As if a transit gateway's Connect peer were heard to say this; there is nobody at the far end of a tunnel."""
        with self._lock:
            self._told.setdefault(gateway_id, {})[peer_id] = seen
        self._changed(gateway_id)

    def nat_traffic(self, gateway_id: str) -> NatTraffic:
        """What `translated` made it, while the gateway is laid out; else zeros: no packets move here."""
        with self._lock:
            here = any(gateway.id == gateway_id for vpc in self._vpcs.values() for gateway in vpc.nat_gateways)
            return self._translated.get(gateway_id, NatTraffic()) if here else NatTraffic()

    def translated(self, gateway_id: str, traffic: NatTraffic) -> None:
        """As if a NAT gateway had carried so much since it was made."""
        self._translated[gateway_id] = traffic

    def joined(self, attachment: str, *, born: str = "one", **counters: int) -> None:
        """As if a transit gateway had seen so much at an attachment in all (see `TransitTraffic`)."""
        self._joined[attachment] = TransitTraffic(born=born, **counters)

    def transit_traffic(self, gateway_id: str) -> dict[str, TransitTraffic]:
        """What `joined` made it."""
        with self._lock:
            gateway = self._transits.get(gateway_id)
            known = [a.attachment for a in gateway.associations] if gateway is not None else []
            return {one: self._joined.get(one, TransitTraffic(born="one")) for one in known}

    def knocked(self, interface: str, *, born: str = "one", **counters: int) -> None:
        """As if so much had passed an interface endpoint's ENI in all (see `DoorTraffic`)."""
        self._doors[interface] = DoorTraffic(born=born, **counters)

    def door_traffic(self, interface: str) -> DoorTraffic | None:
        """What `knocked` made it."""
        with self._lock:
            here = any(i.guest == interface for v in self._vpcs.values() for i in v.interfaces)
            return self._doors.get(interface, DoorTraffic(born="one", open=0)) if here else None

    def carry(self, where: str, **amounts: int) -> None:
        """As if so many bytes more had passed a NAT gateway, an endpoint's ENI or a VPC's internet gateway."""
        before = self._carried.get(where, {})
        self._carried[where] = before | {name: before.get(name, 0) + more for name, more in amounts.items()}

    def forget_counters(self) -> None:
        """As if the host had gone down and come back: counters begin at nothing."""
        self._carried, self._lives = {}, self._lives + 1

    def carried(self, where: str) -> Carried | None:
        """What `carry` made it."""
        with self._lock:
            here = where.partition("/")[0] in self._vpcs
            here = here or any(i.guest == where for v in self._vpcs.values() for i in v.interfaces)
            here = here or any(a.attachment == where for t in self._transits.values() for a in t.associations)
            return Carried(born=str(self._lives), amounts=dict(self._carried.get(where, {}))) if here else None

    def flows(self, vpc_id: str) -> tuple[Flow, ...]:
        """What `pass_by` has told of the VPC's logged interfaces since this was last asked: no packets move here."""
        with self._lock:
            return tuple(self._passed.pop(vpc_id, ()))

    def pass_by(self, *flows: Flow) -> None:
        """Say that packets have passed, or tried to; what nobody logs is not counted."""
        with self._lock:
            logged = {i.id: v.id for v in self._vpcs.values() for i in v.interfaces if i.logged and i.guest}
            logged |= {a.attachment: t.id for t in self._transits.values() if t.logged for a in t.associations}
            for flow in flows:
                if flow.interface in logged:
                    self._passed.setdefault(logged[flow.interface], []).append(flow)

    def vpcs(self) -> list[str]:
        """Every VPC that was applied."""
        return sorted(self._vpcs)

    def guests(self) -> list[str]:
        """Every guest of those."""
        with self._lock:
            return sorted({i.guest for v in self._vpcs.values() for i in v.interfaces if i.guest})

    def reachable(self, source: str, address: str, protocol: str, port: int) -> str:
        """``open`` or ``dropped``: see `reach.reach`."""
        return self.explain(source, address, protocol, port).status

    def audience(self, sender: str, group: str, protocol: str, port: int) -> tuple[str, ...]:
        """Who would get what an ENI sends to a multicast group: see `audience.audience`."""
        with self._lock:
            return audience(self._vpcs.values(), self._transits.values(), sender, group, protocol, port)

    def answer(self, address: str, port: int, take: Callable[[socket.socket], None]) -> None:
        """From now on somebody listens there: `take` gets his end of every connection, which is his to close."""
        self._answering[address, port] = take

    def dial(self, guest: str, address: str, port: int, ears: Ears, seconds: float) -> Line:
        """A connection to whoever `answer` says is there, when the plan lets it through."""
        with self._lock:
            enis = [i.id for v in self._vpcs.values() for i in v.interfaces if i.guest == guest]
        take = self._answering.get((address, port))
        if not enis or self.reachable(enis[0], address, "tcp", port) != "open":
            raise PlaneError(f"The connection to {address}:{port} was not answered.")
        if take is None:
            raise PlaneError(f"The connection to {address}:{port} was refused.")
        ours, theirs = socket.socketpair()
        line = lined(self._board, ours, ears, seconds)
        take(theirs)
        return line

    def explain(self, source: str, address: str, protocol: str, port: int) -> Answer:
        """The same with the path that led to it."""
        with self._lock:
            world = World(site=self.site, vpcs=tuple(self._vpcs.values()), api_port=self.api_port,
                          transits=tuple(self._transits.values()))
        return reach(world, source, address, protocol, port)

    def release(self) -> None:
        """Nothing is held open."""

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._vpcs.clear()
            self._transits.clear()
