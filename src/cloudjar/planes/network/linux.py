"""The network plane on a Linux host with root: namespaces, veth pairs, policy routing, nftables."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.inside import Ears, Line
from cloudjar.planes.dns.names import ExtraNames
from cloudjar.planes.network import crossing, farends, flowlog, layout, meters, namespaces, nft
from cloudjar.planes.network.connect import PeerSeen
from cloudjar.planes.network.dialing import Dialing
from cloudjar.planes.network.doorways import Doorways
from cloudjar.planes.network.farends import translated
from cloudjar.planes.network.hubs import Hubs
from cloudjar.planes.network.internet import Internet
from cloudjar.planes.network.linking import Links
from cloudjar.planes.network.plan import Plan, plan
from cloudjar.planes.network.port import (
    Carried,
    DoorTraffic,
    EndpointSource,
    Flow,
    HostDoor,
    MetadataSource,
    NatTraffic,
    TransitGateway,
    TransitTraffic,
    Vpc,
)
from cloudjar.planes.network.reach import World, reach
from cloudjar.planes.network.site import EDGE, HUBS, link_name, mac, site
from cloudjar.planes.network.tunnelling import Tunnels

if TYPE_CHECKING:
    from cloudjar.planes.dns.resolver import Resolver

log = logging.getLogger("cloudjar.network")
T = TypeVar("T")
_METADATA_PORT = 80


class LinuxNetwork:
    """Real VPCs. Calls are idempotent and safe from any thread; failures raise `PlaneError`.

    What was applied last is kept in memory, so that a change costs just the difference; the first
    touch of a VPC by a process compares with the kernel instead, and so does the next one after a failure.
    """

    name = "linux"

    def __init__(
        self,
        tag: str,
        pool: str,
        state_dir: Path,
        api: tuple[str, int] | None,
        metadata: MetadataSource,
        *,
        names: ExtraNames | None = None,
        endpoints: EndpointSource | None = None,
        endpoint_ports: tuple[int, ...] = (80, 443),
    ) -> None:
        """`tag` (1 to 12 of a-z0-9) and `pool` (IPv4 CIDR) are this installation's alone on the host.

        `api` is where the API listens: guests reach it at the first address of the pool, same port. `endpoints`
        serves it at VPC endpoints, on `endpoint_ports`; without it a VPC that has endpoints is refused.
        """
        self.site = site(tag, pool)
        self._guests = state_dir / "guests"
        """One empty file per guest, in a folder per VPC."""
        self._api = api
        self._internet = Internet(self.site, api)
        self._metadata = metadata
        self._names_known = names
        self._doorways = Doorways(self.site, endpoints, endpoint_ports)
        self._tunnels = Tunnels(self.site, state_dir / "tunnels")
        self._hubs = Hubs(self.site, self._tunnels)
        self._links = Links(self.site)
        self._dialing = Dialing()
        self._tallies: dict[str, flowlog.Tally] = {}
        self._resolver: Resolver | None = None
        self._resolver_turn = threading.Lock()
        self._answers_host = False
        self._plans: dict[str, Plan] = {}
        self._vpcs: dict[str, Vpc] = {}
        self._listening: set[str] = set()
        self._locks: dict[str, threading.RLock] = {}

    @property
    def host_address(self) -> str:
        """The host's address on its Internet bridge, where guests find the API."""
        return self.site.gateway

    @property
    def api_port(self) -> int:
        """Where the API answers at `host_address`; 0 where it does not."""
        return self._api[1] if self._api else 0

    @property
    def service_addresses(self) -> dict[str, str]:
        """Where guests find the services that gateway endpoints lead to."""
        return self.site.service_addresses

    @property
    def ipv6_pool(self) -> str:
        """The /40 of which VPCs get their /56 blocks."""
        return self.site.pool6

    def prepare(self) -> None:
        """Put up the Internet bridge now rather than with the first VPC (a server may want to bind there)."""
        _guarded("the Internet bridge", self._internet.ensure)

    def hear(self, doors: Collection[HostDoor]) -> None:
        """Beside the API, guests reach these ports of the host's addresses."""
        _guarded("the Internet bridge", lambda: self._internet.hear(doors))

    def _turn(self, vpc_id: str) -> threading.RLock:
        return self._locks.setdefault(vpc_id, threading.RLock())

    def guest_path(self, guest: str) -> str:
        """Where a container finds the guest's namespace (``--network ns:PATH``)."""
        return namespaces.path(self.site.guest_namespace(guest))

    def apply(self, vpc: Vpc) -> None:
        """Make the host hold exactly this VPC."""
        with self._turn(vpc.id):
            wanted = plan(vpc, self.site)
            self._doorways.check(vpc)
            before = self._plans.pop(vpc.id, None)
            if before != wanted:
                _guarded(vpc.id, lambda: self._converge(wanted, before))
            _guarded(vpc.id, lambda: self._listen(vpc, wanted))
            _guarded(vpc.id, lambda: self._links.apply(vpc))
            self._plans[vpc.id] = wanted
            self._vpcs[vpc.id] = vpc

    def _converge(self, wanted: Plan, before: Plan | None) -> None:
        self._internet.ensure()
        if not namespaces.exists(wanted.namespace):
            self._hush(wanted.vpc)  # whatever still listens does so in a namespace that is gone
            namespaces.create(wanted.namespace)
        known = before.public if before else None
        self._internet.publish(wanted, known, only_withdraw=True)
        relinked = self._internet.attach(wanted)
        self._admit_guests(wanted)
        self._settle(wanted, before, new_gateway=relinked)
        if relinked:
            self._internet.carry(wanted)
        self._internet.publish(wanted, known)
        self._internet.publish6(wanted, before)
        self._dismiss_guests(wanted.vpc, keep={guest for guest, _ in _guests(wanted)})

    def _settle(self, wanted: Plan, before: Plan | None, *, new_gateway: bool) -> None:
        def settle() -> None:
            if wanted.gateway and not (before and before.gateway):
                port = self._api[1] if self._api else 0
                namespaces.inside(wanted.namespace, lambda: meters.ensure_internet(self.site, port))
            namespaces.inside(wanted.namespace, lambda: layout.settle(wanted, before, new_gateway=new_gateway))
            if before is None or before.crossing != wanted.crossing:
                namespaces.inside(wanted.namespace, lambda: crossing.ensure(wanted.crossing))

        if before is not None and before.tunnels == wanted.tunnels:
            settle()
            return
        with self._hubs.turn:
            self._hubs.ensure(wanted)
            settle()
            self._hubs.refresh({t.hub for t in wanted.tunnels})
            self._hubs.sweep()

    def _admit_guests(self, wanted: Plan) -> None:
        """Namespaces for new guests; each is written down first, so that none is ever forgotten."""
        notes = self._guests / wanted.vpc
        for guest, namespace in _guests(wanted):
            notes.mkdir(parents=True, exist_ok=True)
            (notes / guest).touch()
            namespaces.create(namespace, guest=True)

    def _dismiss_guests(self, vpc_id: str, keep: set[str]) -> None:
        """Take away the namespaces of guests that have no interface in this VPC any more."""
        notes = self._guests / vpc_id
        with suppress(FileNotFoundError):
            for note in list(notes.iterdir()):
                if note.name not in keep:
                    if not self._elsewhere(vpc_id, note.name):
                        namespaces.delete(self.site.guest_namespace(note.name))
                    note.unlink(missing_ok=True)
            if not keep:
                notes.rmdir()

    def _elsewhere(self, vpc_id: str, guest: str) -> bool:
        """Whether a guest has interfaces in other VPCs too."""
        return any((notes / guest).exists() for notes in self._guests.iterdir() if notes.name != vpc_id)

    def _listen(self, vpc: Vpc, wanted: Plan) -> None:
        """The fabric's own sockets: opened inside the VPC, served outside of it."""
        if vpc.id not in self._listening:
            where = (wanted.metadata, _METADATA_PORT)
            listener = namespaces.inside(wanted.namespace, lambda: _tcp(where))
            self._metadata.attach(vpc.id, listener.detach())
            self._listening.add(vpc.id)
        self._doorways.open(vpc)
        resolver = self._resolving()
        self._answer_host(resolver)
        missing = resolver.missing(vpc.id, wanted.resolvers)
        opened = namespaces.inside(wanted.namespace, lambda: [(_udp((a, 53)), _tcp((a, 53))) for a in missing]) \
            if missing else []
        resolver.serve(vpc, wanted.resolvers, dict(zip(missing, opened, strict=True)))

    def _answer_host(self, resolver: Resolver) -> None:
        """The host may ask for names of machines and services at its own address, where port 53 of it is free."""
        here = self.host_address
        with self._resolver_turn:
            if self._answers_host:
                return
            self._answers_host = True
            try:
                sockets = _udp((here, 53)), _tcp((here, 53))
            except OSError as e:
                log.warning("nobody answers for names at %s: %s", here, e)
                return
            resolver.serve_host((here,), {here: sockets})

    def remove(self, vpc_id: str) -> None:
        """Remove every trace of the VPC: namespace, links, rules, sockets, and its guests' namespaces."""
        with self._turn(vpc_id):
            self._plans.pop(vpc_id, None)
            self._vpcs.pop(vpc_id, None)
            self._tallies.pop(vpc_id, None)
            _guarded(vpc_id, lambda: self._remove(vpc_id))

    def _remove(self, vpc_id: str) -> None:
        self._hush(vpc_id)
        self._internet.detach(vpc_id, mac("gateway", f"{self.site.tag} {vpc_id}"))
        self._links.remove(vpc_id)
        self._dismiss_guests(vpc_id, keep=set())
        namespace = self.site.vpc_namespace(vpc_id)
        if namespaces.exists(namespace):
            with self._hubs.turn:
                # Its sockets may keep it alive for a moment: the hubs must not wait for that.
                namespaces.inside(namespace, layout.unplug)
                self._hubs.sweep()
        namespaces.delete(namespace)

    def _hush(self, vpc_id: str) -> None:
        if vpc_id in self._listening:
            self._listening.discard(vpc_id)
            self._metadata.detach(vpc_id)
        self._doorways.close(vpc_id)
        if self._resolver:
            self._resolver.forget(vpc_id)

    def _resolving(self) -> Resolver:
        """Made with the first VPC: a server without one starts without a DNS library."""
        from cloudjar.planes.dns.resolver import Resolver

        with self._resolver_turn:
            if self._resolver is None:
                self._resolver = Resolver(self.site.pool, self._names_known)
            return self._resolver

    def apply_transit(self, gateway: TransitGateway) -> None:
        """Make the host hold exactly this transit gateway."""
        _guarded(gateway.id, lambda: self._hubs.apply(gateway))

    def remove_transit(self, gateway_id: str) -> None:
        """Remove every trace of the transit gateway, once no VPC says that it is attached."""
        _guarded(gateway_id, lambda: self._hubs.remove(gateway_id))

    def watch_tunnels(self, changed: Callable[[str], None]) -> None:
        """Have `changed` called with the id of a transit gateway whose Connect peers say something else."""
        self._tunnels.watch(changed)

    def tunnels(self, gateway_id: str) -> dict[str, PeerSeen] | None:
        """What a transit gateway's Connect peers say, by id."""
        return self._tunnels.seen(gateway_id)

    def nat_traffic(self, gateway_id: str) -> NatTraffic:
        """Counted since the gateway was laid out; zeros when it is not."""
        found = ((n.interface, v) for v in self._vpcs.values() for n in v.nat_gateways if n.id == gateway_id)
        for interface, vpc in found:
            guest = next((i.guest for i in vpc.interfaces if i.id == interface and i.guest), "")
            if guest and namespaces.exists(name := self.site.guest_namespace(guest)):
                return _guarded(gateway_id, partial(namespaces.inside, name, translated))
        return NatTraffic()

    def transit_traffic(self, gateway_id: str) -> dict[str, TransitTraffic]:
        """By attachment, of a transit gateway; empty where nothing counts."""
        return _guarded(gateway_id, partial(self._hubs.traffic, gateway_id))

    def door_traffic(self, interface: str) -> DoorTraffic | None:
        """Of an interface endpoint's ENI; None where nothing counts."""
        name = self.site.guest_namespace(interface)
        if not namespaces.exists(name):
            return None
        return _guarded(interface, partial(namespaces.inside, name, partial(meters.door, farends.TABLE)))

    def carried(self, where: str) -> Carried | None:
        """What was counted at a NAT gateway, an endpoint's ENI, a VPC or a transit attachment; None: nothing counts."""
        if where.startswith("tgw-attach-"):
            return _guarded(where, partial(self._hubs.carried, where))
        where, _, zones = where.partition("/")
        whole = where.startswith("vpc-")
        name = self.site.vpc_namespace(where) if whole else self.site.guest_namespace(where)
        if not namespaces.exists(name):
            return None
        table = (crossing.TABLE if zones else meters.TABLE) if whole else farends.TABLE
        return _guarded(where, partial(namespaces.inside, name, partial(meters.read, table)))

    def flows(self, vpc_id: str) -> tuple[Flow, ...]:
        """What passed, or tried to pass, the logged interfaces of a VPC since this was last asked.

        A process begins with nothing: its first touch of a VPC sets the kernel's counters anew. Transit gateways have
        flows too.
        """
        if vpc_id.startswith("tgw-"):
            return _guarded(vpc_id, partial(self._hubs.flows, vpc_id))
        with self._turn(vpc_id):
            vpc = self._vpcs.get(vpc_id)
            if vpc is None:
                return ()
            links = {link_name(i.id): i.id for i in vpc.interfaces if i.guest and i.logged}
            listed = _guarded(vpc_id, lambda: namespaces.inside(
                self.site.vpc_namespace(vpc_id), lambda: nft.elements(self.site.table))) if links else {}
            return self._tallies.setdefault(vpc_id, flowlog.Tally()).flows(listed, links)

    def vpcs(self) -> list[str]:
        """Every VPC of this installation that has any trace on the host."""
        return [n for n in self._names() if n.startswith("vpc-")]

    def guests(self) -> list[str]:
        """Every guest namespace of this installation."""
        return [n for n in self._names() if n != EDGE and not n.startswith(("vpc-", *HUBS))]

    def _names(self) -> list[str]:
        prefix = self.site.prefix
        return [n.removeprefix(prefix) for n in namespaces.names(prefix)]

    def reachable(self, source: str, address: str, protocol: str, port: int) -> str:
        """``open`` or ``dropped``: see `reach.reach`, which also explains."""
        return reach(self._world(), source, address, protocol, port).status

    def dial(self, guest: str, address: str, port: int, ears: Ears, seconds: float) -> Line:
        """A TCP connection from inside a guest."""
        return self._dialing.dial(self.site.guest_namespace(guest), address, port, ears, seconds)

    def _world(self) -> World:
        return World(site=self.site, vpcs=tuple(self._vpcs.values()), api_port=self.api_port,
                     transits=tuple(self._hubs.gateways.values()), endpoint_ports=self._doorways.ports)

    def release(self) -> None:
        """Let go of sockets and threads and leave the host as it is: guests go on, a later process takes over."""
        self._tunnels.release()
        for vpc_id in {*self._listening, *self._vpcs}:
            with self._turn(vpc_id):
                self._hush(vpc_id)
        if self._resolver:
            self._resolver.close()
            self._answers_host = False

    def close(self) -> None:
        """Restore the host: every VPC, guest namespace, link, route, rule and setting of this installation."""
        for vpc_id in {*self.vpcs(), *self._vpcs}:
            self.remove(vpc_id)
        for guest in self.guests():
            namespaces.delete(self.site.guest_namespace(guest))
        _guarded("the hubs", self._hubs.close)
        _guarded("the Internet bridge", self._internet.close)
        if self._resolver:
            self._resolver.close()
            self._answers_host = False


def _guests(wanted: Plan) -> list[tuple[str, str]]:
    """(guest, namespace) of whatever is at the end of a VPC's links, gateway endpoints too."""
    return [(k.guest, k.namespace) for k in wanted.links] + [
        (t.hub, t.namespace) for t in wanted.tunnels if t.kind == "endpoint"]


def _tcp(where: tuple[str, int]) -> socket.socket:
    s = socket.socket(_family(where), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setblocking(False)
    s.bind(where)
    s.listen(512)
    return s


def _udp(where: tuple[str, int]) -> socket.socket:
    s = socket.socket(_family(where), socket.SOCK_DGRAM)
    s.setblocking(False)
    s.bind(where)
    return s


def _family(where: tuple[str, int]) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in where[0] else socket.AF_INET


def _guarded(what: str, work: Callable[[], T]) -> T:
    """A refusal of the kernel becomes a `PlaneError` that says what was being done."""
    try:
        return work()
    except OSError as e:
        raise PlaneError(f"The network of {what} could not be laid out: {e}. Try `cloudjar doctor`.") from e
