"""The network plane on a Linux host with root: namespaces, veth pairs, policy routing, nftables."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cloudjar.base.errors import PlaneError
from cloudjar.planes.dns.names import ExtraNames
from cloudjar.planes.network import layout, namespaces
from cloudjar.planes.network.internet import Internet
from cloudjar.planes.network.plan import Plan, plan
from cloudjar.planes.network.port import Flow, MetadataSource, NatTraffic, TransitGateway, Vpc
from cloudjar.planes.network.reach import World, reach
from cloudjar.planes.network.site import mac, site

if TYPE_CHECKING:
    from cloudjar.planes.dns.resolver import Resolver

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
    ) -> None:
        """`tag` (1 to 12 of a-z0-9) and `pool` (IPv4 CIDR) are this installation's alone on the host.

        `api` is where the API listens: guests reach it at the first address of the pool, same port.
        """
        self.site = site(tag, pool)
        self._guests = state_dir / "guests"
        """One empty file per guest, in a folder per VPC."""
        self._api = api
        self._internet = Internet(self.site, api)
        self._metadata = metadata
        self._names_known = names
        self._resolver: Resolver | None = None
        self._resolver_turn = threading.Lock()
        self._plans: dict[str, Plan] = {}
        self._vpcs: dict[str, Vpc] = {}
        self._listening: set[str] = set()
        self._locks: dict[str, threading.RLock] = {}

    @property
    def host_address(self) -> str:
        """The host's address on its Internet bridge, where guests find the API."""
        return self.site.gateway

    @property
    def ipv6_pool(self) -> str:
        """The /40 of which VPCs get their /56 blocks."""
        return self.site.pool6

    def prepare(self) -> None:
        """Put up the Internet bridge now rather than with the first VPC (a server may want to bind there)."""
        _guarded("the Internet bridge", self._internet.ensure)

    def _turn(self, vpc_id: str) -> threading.RLock:
        return self._locks.setdefault(vpc_id, threading.RLock())

    def guest_path(self, guest: str) -> str:
        """Where a container finds the guest's namespace (``--network ns:PATH``)."""
        return namespaces.path(self.site.guest_namespace(guest))

    def apply(self, vpc: Vpc) -> None:
        """Make the host hold exactly this VPC."""
        with self._turn(vpc.id):
            wanted = plan(vpc, self.site)
            before = self._plans.pop(vpc.id, None)
            if before != wanted:
                _guarded(vpc.id, lambda: self._converge(wanted, before))
            _guarded(vpc.id, lambda: self._listen(vpc, wanted))
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
        namespaces.inside(wanted.namespace, lambda: layout.settle(wanted, before, new_gateway=relinked))
        if relinked:
            self._internet.carry(wanted)
        self._internet.publish(wanted, known)
        self._dismiss_guests(wanted.vpc, keep={k.guest for k in wanted.links})

    def _admit_guests(self, wanted: Plan) -> None:
        """Namespaces for new guests; each is written down first, so that none is ever forgotten."""
        notes = self._guests / wanted.vpc
        for link in wanted.links:
            notes.mkdir(parents=True, exist_ok=True)
            (notes / link.guest).touch()
            namespaces.create(link.namespace)

    def _dismiss_guests(self, vpc_id: str, keep: set[str]) -> None:
        """Take away the namespaces of guests that have no interface in this VPC any more."""
        notes = self._guests / vpc_id
        with suppress(FileNotFoundError):
            for note in list(notes.iterdir()):
                if note.name not in keep:
                    namespaces.delete(self.site.guest_namespace(note.name))
                    note.unlink(missing_ok=True)
            if not keep:
                notes.rmdir()

    def _listen(self, vpc: Vpc, wanted: Plan) -> None:
        """The fabric's own sockets: opened inside the VPC, served outside of it."""
        if vpc.id not in self._listening:
            where = (wanted.metadata, _METADATA_PORT)
            listener = namespaces.inside(wanted.namespace, lambda: _tcp(where))
            self._metadata.attach(vpc.id, listener.detach())
            self._listening.add(vpc.id)
        resolver = self._resolving()
        missing = resolver.missing(vpc.id, wanted.resolvers)
        opened = namespaces.inside(wanted.namespace, lambda: [(_udp((a, 53)), _tcp((a, 53))) for a in missing]) \
            if missing else []
        resolver.serve(vpc, wanted.resolvers, dict(zip(missing, opened, strict=True)))

    def remove(self, vpc_id: str) -> None:
        """Remove every trace of the VPC: namespace, links, rules, sockets, and its guests' namespaces."""
        with self._turn(vpc_id):
            self._plans.pop(vpc_id, None)
            self._vpcs.pop(vpc_id, None)
            _guarded(vpc_id, lambda: self._remove(vpc_id))

    def _remove(self, vpc_id: str) -> None:
        self._hush(vpc_id)
        self._internet.detach(vpc_id, mac("gateway", f"{self.site.tag} {vpc_id}"))
        self._dismiss_guests(vpc_id, keep=set())
        namespaces.delete(self.site.vpc_namespace(vpc_id))

    def _hush(self, vpc_id: str) -> None:
        if vpc_id in self._listening:
            self._listening.discard(vpc_id)
            self._metadata.detach(vpc_id)
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
        """Refused so far."""
        raise PlaneError(f"{gateway.id} cannot be laid out: this plane has no transit gateways yet.")

    def remove_transit(self, gateway_id: str) -> None:
        """There is none."""

    def nat_traffic(self, gateway_id: str) -> NatTraffic:
        """Refused so far."""
        raise PlaneError(f"{gateway_id} is not laid out: this plane has no NAT gateways yet.")

    def flows(self, vpc_id: str) -> tuple[Flow, ...]:
        """Refused so far."""
        raise PlaneError(f"{vpc_id} has no flow logs: this plane does not keep them yet.")

    def vpcs(self) -> list[str]:
        """Every VPC of this installation that has any trace on the host."""
        return [n for n in self._names() if n.startswith("vpc-")]

    def guests(self) -> list[str]:
        """Every guest namespace of this installation."""
        return [n for n in self._names() if not n.startswith("vpc-")]

    def _names(self) -> list[str]:
        prefix = self.site.prefix
        return [n.removeprefix(prefix) for n in namespaces.names(prefix)]

    def reachable(self, source: str, address: str, protocol: str, port: int) -> str:
        """``open`` or ``dropped``: see `reach.reach`, which also explains."""
        return reach(self._world(), source, address, protocol, port).status

    def _world(self) -> World:
        return World(site=self.site, vpcs=tuple(self._vpcs.values()), api_port=self._api[1] if self._api else 0)

    def release(self) -> None:
        """Let go of sockets and threads and leave the host as it is: guests go on, a later process takes over."""
        for vpc_id in list(self._listening):
            with self._turn(vpc_id):
                self._hush(vpc_id)
        if self._resolver:
            self._resolver.close()

    def close(self) -> None:
        """Restore the host: every VPC, guest namespace, link, route, rule and setting of this installation."""
        for vpc_id in {*self.vpcs(), *self._vpcs}:
            self.remove(vpc_id)
        for guest in self.guests():
            namespaces.delete(self.site.guest_namespace(guest))
        _guarded("the Internet bridge", self._internet.close)
        if self._resolver:
            self._resolver.close()


def _tcp(where: tuple[str, int]) -> socket.socket:
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setblocking(False)
    s.bind(where)
    s.listen(512)
    return s


def _udp(where: tuple[str, int]) -> socket.socket:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    s.bind(where)
    return s


def _guarded(what: str, work: Callable[[], T]) -> T:
    """A refusal of the kernel becomes a `PlaneError` that says what was being done."""
    try:
        return work()
    except OSError as e:
        raise PlaneError(f"The network of {what} could not be laid out: {e}. Try `cloudjar doctor`.") from e
