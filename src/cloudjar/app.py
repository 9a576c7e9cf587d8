"""The composition root: the only file that knows everything; it reads like a parts list."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from ipaddress import ip_network
from itertools import product
from pathlib import Path
from typing import Any

from cloudjar import __version__, services
from cloudjar.auth.authenticate import Authenticator
from cloudjar.auth.authorize import Authorizer
from cloudjar.auth.doorway import Doorway
from cloudjar.auth.identity import Identity
from cloudjar.auth.mfa import Mfa
from cloudjar.auth.organization import Organization
from cloudjar.auth.outside import Outside
from cloudjar.auth.root_keys import RootKeys
from cloudjar.auth.sessions import Sessions
from cloudjar.base.clock import Clock
from cloudjar.base.settings import Settings, is_loopback
from cloudjar.gateway import private, public_names
from cloudjar.gateway.admin import Admin
from cloudjar.gateway.doors import ServiceDoors
from cloudjar.gateway.endpoints import VpcEndpoints
from cloudjar.gateway.front import Front
from cloudjar.gateway.imds import Metadata
from cloudjar.gateway.pipeline import Pipeline
from cloudjar.gateway.posting import Poster
from cloudjar.gateway.server import Server
from cloudjar.gateway.shells import Shells
from cloudjar.gateway.smtp_door import NOWHERE
from cloudjar.gateway.smtp_door import Door as SmtpDoor
from cloudjar.gateway.streams import Doors as StreamDoors
from cloudjar.gateway.tls import Authority
from cloudjar.gateway.turns import Turns
from cloudjar.gateway.uploads import Uploads
from cloudjar.kit import machine, names, throttle
from cloudjar.kit.accounts import Doors
from cloudjar.kit.audit import Audit
from cloudjar.kit.context import World
from cloudjar.kit.db import State
from cloudjar.kit.events import Events
from cloudjar.kit.operation import Services, packages
from cloudjar.kit.quantities import Quantities
from cloudjar.kit.quota import Quotas
from cloudjar.kit.settling import Settling
from cloudjar.kit.usage import Usage
from cloudjar.kit.wakes import Runner, Wake, WakeTable
from cloudjar.planes import chosen
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.dns.names import ExtraNames
from cloudjar.planes.network.port import NetworkPort
from cloudjar.planes.network.site import MAIL_PORTS, WEB_PORTS
from cloudjar.planes.proxy.port import ProxyPort
from cloudjar.spec import prices
from cloudjar.store.blobs import Blobs
from cloudjar.store.database import Database
from cloudjar.store.kept_clock import KeptClock
from cloudjar.store.sealer import Sealer
from cloudjar.store.tables import Tables

log = logging.getLogger("cloudjar")

SERVICES = packages(services)


class Jar:
    """One running Cloudjar: everything is made here and handed to what needs it.

    `network`, `compute` and `proxy` are given by tests that let the host outlive the server; else they follow the
    settings.
    """

    _known_identity: Identity | None = None
    _known_organization: Organization | None = None
    _known_outside: Outside | None = None
    _closing = False
    """Set once the jar stops: nothing is heard any more."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        network: NetworkPort | None = None,
        compute: ComputePort | None = None,
        proxy: ProxyPort | None = None,
    ) -> None:
        self.settings = settings
        home = settings.home
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clock = clock or KeptClock(home / "clock-offset")
        self.database = Database(home / "cloudjar.db", durable=settings.durable)
        tables = Tables(self.database)
        self.blobs = Blobs(self.database, home / "objects", durable=settings.durable)
        self.sealer = Sealer(home / "sealing.key")
        self.events = Events(self.database, self.clock)
        self.usage = Usage(self.database, self.clock)
        self.quantities = Quantities(self.database, self.clock)
        self.wakes = WakeTable(self.database, self.clock)
        self.audit = Audit(self.database, home / "audit.journal")
        self.services = Services(SERVICES)
        state = State(tables, self.usage, self.wakes, Quotas(tables))
        state.settling["iam"] = Settling("iam", tables, self.clock, settings.eventual_consistency)
        self.world = World(state, self.clock, self.events, self.sealer, _settings(settings))
        self.sessions = Sessions(self.sealer)
        self._has_organization = any(name.startswith("organizations/") for name in tables.names())
        state.watchers.setdefault("organizations", []).append(self._organization_was_made)
        self.runner = Runner(self.wakes, self.clock, self._reconcile)
        self.runner.moving = self.world.about_to_move
        self.runner.moved = self.world.waits.stir
        self.metadata = Metadata(self.world, self.clock)
        self.endpoints = VpcEndpoints()
        self.network = network or _network(settings, self.metadata, self.endpoints, self._name_for_guests)
        self.compute = compute or chosen.compute(settings)
        self.proxy = proxy or chosen.proxy(settings)
        self.root_keys = RootKeys(home / "root-keys.json", self.sealer)
        doors = Doors(self.world)
        authenticator = Authenticator(
            self.clock, self.sessions, self._identity, self.root_keys.secret, settings.account, doors.shut
        )
        self.pipeline = Pipeline(
            self.world,
            self.services,
            authenticator,
            Authorizer(self._identity, self.sealer, self._organization, doors.shut, self._doorway),
            self.audit,
            self.turns.durably,
            throttle.of(state, settings.api_rate) if settings.throttle and settings.api_rate else None,
        )
        self.tls = Authority(home / "tls", (*settings.hosts, *public_names.certificate_names()))
        self.world.load = self.services.load
        self.poster = Poster()
        self.world.ports.update(self._ports())
        self.front = self._front(authenticator)
        self.server: Server | None = None
        self.port = settings.port
        self._loop: asyncio.AbstractEventLoop | None = None

    @cached_property
    def turns(self) -> Turns:
        """Answers that wait for the disk."""
        return Turns(self.database, durable=self.settings.durable)

    @cached_property
    def shells(self) -> Shells:
        """Who serves clients that speak SSH."""
        return Shells(self.world, self.settings.home / "ssh-host-key")

    def _front(self, authenticator: Authenticator) -> Front:
        self.smtp = SmtpDoor(self.pipeline, authenticator, self.database, self.tls.context)
        self.guests_smtp = SmtpDoor(self.pipeline, authenticator, self.database, self.tls.context)
        admin = Admin(self, self.settings.home / "admin-token")
        uploads = Uploads(self.pipeline, authenticator, self.blobs.sink)
        doors = ServiceDoors(self.world, self.pipeline, self.blobs.sink)
        return Front(self.pipeline, admin, authenticator, uploads, doors, StreamDoors(self.world))

    def _ports(self) -> dict[str, Any]:
        """What the rooms lend each other. What is a function is made when it is first asked for."""
        return {
            "network": self.network,
            "compute": self.compute,
            "proxy": self.proxy,
            "objects": self.blobs,
            "authority": self.tls,
            "sessions": self.sessions,
            "audit": self.audit,
            "root_keys": self.root_keys,
            "usage": self.usage,
            "quantities": self.quantities,
            "identity": self._identity,
            "mfa": self._mfa,
            "outside": self._outside,
            "organization": self._organization,
            "post": self.poster,
        }

    # -- life
    async def start(self, *, workers: int = 8) -> None:
        """Listen, wake what the last run left unfinished, and serve. `workers` 0 leaves wake-ups to `settle`."""
        self._refuse_unsafe_listening()
        self.run_on(asyncio.get_running_loop())
        self.server = Server(
            self.front,
            on_headers=self.front.on_headers,
            on_error=self.front.refuse,
            folder=self.settings.home,
            shells=self.shells,
        )
        trusted = is_loopback(self.settings.host)
        listener = await self.server.listen(
            self.settings.host, self.settings.port, trusted=trusted, tls=self.tls.context
        )
        self.port = listener.port
        await self.server.listen(sock=private.listening(self.settings.home), trusted=True)
        self.endpoints.serve_on(self.server, asyncio.get_running_loop(), self.tls.context)
        await self._listen_to_guests(self.server)
        await self.smtp.listen(self.settings.host, self.settings.smtp_port, self._smtps_port())
        self.boot()
        if self.settings.mail_relay:
            from cloudjar.gateway.relay import Relay

            Relay(self.world, self.settings.mail_relay)
        if workers:
            self.runner.start(workers)

    def _smtps_port(self) -> int | None:
        """Who wants no SMTP, or wants it at a port of his own, is not given the usual one beside it."""
        asked = self.settings.smtps_port
        return asked if self.settings.smtp_port is None or asked is not None else NOWHERE

    async def _listen_to_guests(self, server: Server) -> None:
        """Guests find the API at the host's own addresses of the pool; default credentials are not for them."""
        if self.network.name == "sim":
            return
        await self.run_blocking(self.network.prepare)
        await self.run_blocking(lambda: self.tls.bundle)  # guests are to believe it
        here = self.network.host_address
        addresses = (here, *self.network.service_addresses.values())
        if self.settings.host not in ("0.0.0.0", "::"):  # that listener hears guests too, and trusts nobody
            for address in addresses:
                await server.listen(address, self.port, trusted=False, tls=self.tls.context)
        doors = await self._listen_under_public_names(server, addresses)
        if self.settings.smtp_port != NOWHERE:
            doors += [(here, port) for port in await self.guests_smtp.listen_to_guests(here, MAIL_PORTS)]
        await self.run_blocking(partial(self.network.hear, doors))

    async def _listen_under_public_names(self, server: Server, addresses: Iterable[str]) -> list[tuple[str, int]]:
        """Where guests find the API under its public names, as far as nobody else of the host's listens there."""
        doors = []
        for address, port in product(addresses, WEB_PORTS):
            try:
                await server.listen(address, port, trusted=False, tls=self.tls.context)
            except OSError as error:
                log.warning("guests do not find the API at %s, port %d: %s", address, port, error)
            else:
                doors.append((address, port))
        return doors

    def _name_for_guests(self, vpc_id: str, name: str) -> tuple[str, ...] | None:
        """What a name means that neither the VPC nor its machines have."""
        found = names.addresses(self.world, vpc_id, name)
        return public_names.addresses(self.network, vpc_id, name) if found is None else found

    def run_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """The event loop on which answers are sent."""
        self._loop = loop
        self.turns.run_on(loop)
        self.metadata.serve_on(loop)
        self.audit.later = lambda seconds, work: loop.call_soon_threadsafe(loop.call_later, seconds, work)

    def boot(self) -> None:
        """Load the services that have something to do at the start; each wakes what is unfinished and sweeps."""
        self.blobs.recover()
        self.network.watch_tunnels(self._tunnels_changed)  # before anybody lays out what they are heard by
        for name in self._services_with_records():
            self.services.load(name)
            machine.boot(name, self.world)
        self.compute.watch(self._went_down)
        self.compute.meter(self._measure, lambda: self.clock.now().timestamp())
        self.proxy.watch(self._node_changed, self._node_busy)

    def _services_with_records(self) -> list[str]:
        prefixes = {table.partition("/")[0] for table in self.world.state.tables.names()}
        return sorted(name for name in {self.services.named(p) for p in prefixes} if name and self.services.boots(name))

    def _refuse_unsafe_listening(self) -> None:
        if not is_loopback(self.settings.host) and not self.root_keys.any():
            raise SystemExit(
                f"cloudjar: refusing to listen on {self.settings.host}: the default credentials would be everybody's.\n"
                "Try: cloudjar up --host ... --generate-credentials (makes a root access key and prints it once)"
            )

    async def stop(self) -> None:
        """Stop serving; machines and networks live on."""
        self._closing = True
        self.audit.later = None
        await self.smtp.close()
        await self.guests_smtp.close()
        if self.server is not None:
            await self.server.close()
        await self.metadata.close()
        await self.run_blocking(self.runner.stop)
        await self.run_blocking(self.proxy.release)
        await self.run_blocking(self.network.release)
        self.close()

    def close(self) -> None:
        """Let go of the data directory."""
        self.poster.close()
        for finish in self.world.at_stop:
            finish()
        self._closing = True
        if isinstance(self.clock, KeptClock):
            self.clock.rest()
        self.audit.close()
        self.blobs.close()
        self.database.close()

    # -- what the parts ask of each other
    @property
    def description(self) -> dict[str, Any]:
        """Settings and planes, for people."""
        return {
            "version": __version__,
            "home": str(self.settings.home),
            "endpoint": f"http://{self.settings.host}:{self.port}",
            "account": self.settings.account,
            "region": self.settings.region,
            "network": self.network.name,
            "compute": self.compute.name,
            "smtp": self.smtp.url,
            "smtps": self.smtp.wrapped_url,
        }

    def run_blocking(self, work: Callable[[], Any]) -> Awaitable[Any]:
        """Run outside the event loop."""
        return asyncio.get_running_loop().run_in_executor(None, work)

    def _identity(self) -> Identity:
        if self._known_identity is None:
            from cloudjar.services.iam.identity import identity

            self.services.load("iam")
            self._known_identity = identity(self.world)
        return self._known_identity

    def _organization(self) -> Organization | None:
        """None while nobody has made an organization: then no decision asks for one."""
        if self._known_organization is None and self._has_organization:
            from cloudjar.services.organizations.standing import standing

            self.services.load("organizations")
            self._known_organization = standing(self.world)
        return self._known_organization

    def _organization_was_made(self) -> None:
        self._has_organization = True

    def _outside(self) -> Outside:
        if self._known_outside is None:
            from cloudjar.gateway.outside import Web

            self._known_outside = Web()
        return self._known_outside

    def _doorway(self, endpoint_id: str) -> Doorway | None:
        from cloudjar.services.ec2.vpc_endpoints.finding import doorway

        self.services.load("ec2")
        return doorway(self.world, endpoint_id)

    def _mfa(self) -> Mfa:
        from cloudjar.services.iam.mfa import Devices

        self.services.load("iam")
        return Devices(self.world)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """What a plane tells of its own accord, from a thread of its own, may come when nothing can be written down any
        more; who starts next looks for himself."""
        try:
            yield
        except sqlite3.ProgrammingError:
            if not self._closing:
                raise

    def _went_down(self, machine_id: str) -> None:
        from cloudjar.services.ec2.instances import life as machines
        from cloudjar.services.rds import life as databases
        with self._heard():
            self.services.load("rds" if (db := machine_id.startswith(databases.MACHINES)) else "ec2")
            (databases.went_down if db else machines.went_down)(self.world, machine_id)

    def _measure(self) -> None:
        from cloudjar.services.ec2.metering.life import measure

        with self._heard():
            self.services.load("ec2")
            measure(self.world)
            for look in self.world.at_minute:
                look()

    def _tunnels_changed(self, gateway: str) -> None:
        from cloudjar.services.ec2.transit_connects.hearing import tunnels_changed

        with self._heard():
            self.services.load("ec2")
            tunnels_changed(self.world, gateway)

    def _node_changed(self, node: str) -> None:
        from cloudjar.services.elbv2.life import node_changed

        with self._heard():
            self.services.load("elbv2")
            node_changed(self.world, node)

    def _reconcile(self, wake: Wake) -> None:
        self.services.load(wake.table.partition("/")[0])
        machine.reconcile(self.world, wake)

    def _node_busy(self, node: str) -> None:
        from cloudjar.services.elbv2.life import node_busy

        with self._heard():
            self.services.load("elbv2")
            node_busy(self.world, node)

    def settle(self) -> None:
        """Run every due wake-up now (simulated planes)."""
        self.runner.settle_or_wait()


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        "public_pool": settings.public_pool,
        "region": settings.region,
        "account": settings.account,
        "throttle": settings.throttle,
        "mail_relay": bool(settings.mail_relay),
    }


def _network(
    settings: Settings, metadata: Metadata, endpoints: VpcEndpoints, known: ExtraNames
) -> NetworkPort:
    if chosen.planes_of(settings) == "sim":
        from cloudjar.planes.network.sim import SimNetwork

        return SimNetwork(pool=settings.public_pool, api_port=settings.port)
    from cloudjar.planes.network.linux import LinuxNetwork

    # Guests come to the listener that is made for them, never to the one that trusts this host.
    gateway = str(ip_network(settings.public_pool)[1])
    return LinuxNetwork(
        tag=settings.tag,
        pool=settings.public_pool,
        state_dir=settings.home / "network",
        api=(gateway, settings.port),
        metadata=metadata,
        names=known,
        endpoints=endpoints,
        endpoint_ports=tuple(dict.fromkeys((80, 443, settings.port))),
    )


def serve(settings: Settings, ready_file: Path | None = None) -> None:
    """Run a jar until SIGTERM or SIGINT; `ready_file` receives ``{"port": ..., "pid": ...}`` when it answers."""
    import uvloop

    uvloop.run(_serve(settings, ready_file))


async def _serve(settings: Settings, ready_file: Path | None) -> None:
    import gc
    import os
    import signal

    prices.use_imported(settings.home / "prices")
    jar = Jar(settings)
    await jar.start()
    # A call makes many small things and hardly a cycle: looking for cycles every 700 of them is most of what the
    # collector costs. What start-up made stays anyway.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if ready_file is not None:
        partial = ready_file.with_suffix(".new")
        partial.write_text(json.dumps({"port": jar.port, "pid": os.getpid()}))
        partial.rename(ready_file)
    log.info("Ready.")
    await stop.wait()
    await jar.stop()
