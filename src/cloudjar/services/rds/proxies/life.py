"""The life of a proxy's endpoints, and the hand that the host has in it.

An endpoint has a machine in each of its zones, with a pooler that is told whose secrets there are and where the target
is now. Nothing of that is kept: the secrets are read with the proxy's role each time that its endpoint is looked at.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import partial
from pathlib import PurePath
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.faults import CHANGED, SOURCE
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.planes.compute.port import ComputePort, Disk, MachineSpec
from cloudjar.planes.database.pooler import Pooler, User
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.rds import pairs, places, tokens, values
from cloudjar.services.rds.proxies import naming, noticing
from cloudjar.services.rds.proxies.records import ENDPOINT, PORT, Node, Proxy, ProxyEndpoint
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases

LOOK = "look"
_VALID, _BACKDATED = timedelta(days=397), timedelta(hours=1)
_METHODS = {"POSTGRES_SCRAM_SHA_256": "scram-sha-256", "POSTGRES_MD5": "md5"}


class _Seen(NamedTuple):
    """The target's health as far as it is known without a packet."""

    db: DbInstance | None
    address: str
    users: tuple[User, ...]
    why: str
    words: str


@reconciler(ProxyEndpoint)
def converge(step: Step, one: ProxyEndpoint | None) -> None:
    """One look: machines that run, poolers that know what is."""
    if one is None:
        return
    listen(step.world)
    proxy = step.db[Proxy].get(one.proxy)
    if proxy is None or "deleting" in (one.state, proxy.state):
        _remove(step, one, proxy)
        return
    seen = _seen(step, proxy)
    for node in one.nodes:
        _serve(step, proxy, one, node, seen)
    with step.world.state.database.transaction():
        now = step.db[ProxyEndpoint].get(one.id)
        if now is not None and now.state in ("creating", "modifying"):
            step.db[ProxyEndpoint].put(replace(now, state="available"))
    if one.first:
        _note(step, proxy, *_health(step, one, seen))


def _seen(step: Step, proxy: Proxy) -> _Seen:
    db = target(step.ctx, proxy)
    address = places.address(step.ctx, db, inside=True) if db is not None else ""
    why = words = ""
    try:
        users = _users(step, proxy)
    except AwsError as refused:
        users, why, words = (), "AUTH_FAILURE", f"Proxy does not have any registered credentials: {refused.message}"
    return _Seen(db, address, users, why, words)


def target(ctx: Ctx, proxy: Proxy) -> DbInstance | None:
    """The instance that is registered, if it is still there."""
    if not proxy.target:
        return None
    return next((db for db in ctx.db[DbInstance].all() if db.resource_id == proxy.target), None)


def _users(step: Step, proxy: Proxy) -> tuple[User, ...]:
    """What the secrets say, as the proxy's role may read them."""
    if not proxy.auth:
        return ()
    who = step.ctx.as_role(
        proxy.role, service="rds.amazonaws.com", source_arn=arn_of(proxy), session_name=f"rds-proxy-{proxy.name}"[:64]
    )
    found = []
    for one in proxy.auth:
        got = step.ctx.call("secretsmanager", "GetSecretValue", {"SecretId": one.secret}, caller=who)
        try:
            said = json.loads(got.get("SecretString") or "")
            found.append(User(name=said["username"], password=said["password"], method=_METHODS[one.method]))
        except (ValueError, KeyError, TypeError) as wrong:
            raise AwsError("InvalidSecret", f"{one.secret} has no username and password") from wrong
    return tuple(found)


# -- machines
def _serve(step: Step, proxy: Proxy, one: ProxyEndpoint, node: Node, seen: _Seen) -> None:
    host: ComputePort = step.port("compute")
    if step.world.faults.is_dark(node.zone, one.account):
        host.stop(node.machine, force=True)
        return
    if host.look(node.machine) != "up":
        noticing.told(step.world).pop(node.machine, None)
        host.start(_machine(step, one, node))
    _listen_for_tokens(step, proxy, one, node, seen)
    wanted = _pooler(step, proxy, one, node, seen)
    digest = hashlib.sha256(msgspec.msgpack.encode(wanted)).hexdigest()
    known, port = noticing.told(step.world), noticing.poolers(step.world)
    if known.get(node.machine) == digest and (step.wake.purpose != LOOK or port.accepts(node.machine)):
        return
    certificate, key = _certificate(step, one)
    port.apply(msgspec.structs.replace(wanted, certificate=certificate, key=key))
    known[node.machine] = digest


def _machine(step: Step, one: ProxyEndpoint, node: Node) -> MachineSpec:
    network: NetworkPort = step.port("network")
    return MachineSpec(
        id=node.machine,
        image=noticing.poolers(step.world).prepare(),
        network=PurePath(network.guest_path(node.machine)).name,
        vcpus=2,
        memory_mib=512,
        hostname=one.proxy,
        root=Disk(volume_id=node.volume, size_gib=1),
        driver="container",
        follows_image=True,
    )


def _pooler(step: Step, proxy: Proxy, one: ProxyEndpoint, node: Node, seen: _Seen) -> Pooler:
    """What a pooler is to be; without its certificate, which is another one each time."""
    authority: Any = step.port("authority")
    most = most_connections(step, seen.db) * proxy.pool.most // 100 if seen.db is not None else 1
    return Pooler(
        machine=node.machine,
        port=PORT,
        address=seen.address,
        engine_port=seen.db.port if seen.db is not None else PORT,
        paused=seen.db is None or not _serving(step, seen.db),
        users=seen.users,
        by_token=any(auth.by_token for auth in proxy.auth),
        needs_tls=proxy.needs_tls,
        idle_seconds=proxy.idle,
        borrow_seconds=max(1, proxy.pool.borrow),
        connections=max(1, most // len(one.nodes)),
        begin=proxy.pool.query,
        certificate="",
        key="",
        authority=authority.bundle.read_text(),
    )


def _serving(step: Step, db: DbInstance) -> bool:
    standby = pairs.of(step.ctx, db)
    return db.state in noticing.SERVING and not (standby is not None and standby.state == "promoting")


def most_connections(step: Step, db: DbInstance) -> int:
    """How many connections the instance's engine takes."""
    line = databases.line(db.engine, db.major)
    assert line is not None
    memory = databases.size(db.instance_class).memory_mib << 20
    said = dict(values.told(databases.parameters(line.family), db.running, memory, db.port))
    return int(said.get("max_connections") or 100)


def _certificate(step: Step, one: ProxyEndpoint) -> tuple[str, str]:
    authority: Any = step.port("authority")
    now = step.world.clock.real()
    certificate, chain, key = authority.issue(
        [naming.endpoint(one)], "EC_prime256v1", now - _BACKDATED, now + _VALID
    )
    return certificate + chain, key.decode()


def _listen_for_tokens(step: Step, proxy: Proxy, one: ProxyEndpoint, node: Node, seen: _Seen) -> None:
    """Clients of a proxy that wants tokens come in as whom the secret is of."""
    if not any(auth.by_token for auth in proxy.auth):
        tokens.doors(step.world).shut(node.machine)
        return
    names = step.world.ports.setdefault("proxied users", {})
    names[proxy.id] = frozenset(user.name for user in seen.users)
    network: NetworkPort = step.port("network")
    place = PurePath(network.guest_path(node.machine)).name
    there = tokens.Endpoint(one.account, one.region, naming.endpoint(one), PORT, proxy.id)
    tokens.doors(step.world).open(node.machine, place, partial(_comes, step.world, there))


def _comes(world: World, there: tokens.Endpoint, user: str, token: str) -> bool:
    with world.state.database.lock:
        known = user in world.ports["proxied users"].get(there.resource, ())
        return known and tokens.admitted(world, there, user, token)


# -- health
def _health(step: Step, one: ProxyEndpoint, seen: _Seen) -> tuple[str, str, str]:
    """(state, reason, words) of the target."""
    if seen.db is None or seen.db.state not in noticing.SERVING:
        return "UNAVAILABLE", "UNREACHABLE", "DBProxy Target is not available."
    if seen.why or not seen.users:
        words = seen.words or "Proxy does not have any registered credentials"
        return "UNAVAILABLE", "AUTH_FAILURE", words
    lit = [n for n in one.nodes if not step.world.faults.is_dark(n.zone, one.account)]
    port = noticing.poolers(step.world)
    if not any(port.reaches(node.machine, seen.address, seen.db.port) for node in lit):
        return "UNAVAILABLE", "UNREACHABLE", "DBProxy Target unavailable due to an internal networking issue"
    return "AVAILABLE", "", ""


def _note(step: Step, proxy: Proxy, health: str, why: str, words: str) -> None:
    db = target(step.ctx, proxy)
    vcpus = int(databases.size(db.instance_class).vcpus) if db is not None else 0
    with step.world.state.database.transaction():
        now = step.db[Proxy].get(proxy.name)
        if now is None or (now.id, now.target) != (proxy.id, proxy.target) or now.state == "deleting":
            return
        state = "available" if now.state in ("creating", "modifying") else now.state
        after = replace(now, state=state, health=health, why=why, words=words, vcpus=vcpus)
        if after != now:
            step.db[Proxy].put(after)
    if proxy.target and health != "AVAILABLE":
        step.soon(5, LOOK)


# -- the end
def _remove(step: Step, one: ProxyEndpoint, proxy: Proxy | None) -> None:
    host: ComputePort = step.port("compute")
    for node in one.nodes:
        tokens.doors(step.world).shut(node.machine)
        noticing.told(step.world).pop(node.machine, None)
        host.remove(node.machine)
        host.remove_volume(node.volume)
    with step.world.state.database.transaction():
        now = step.db[ProxyEndpoint].get(one.id)
        if now is None:
            return
        for node in now.nodes:
            interfaces.lender(step.ctx).take_back(step.ctx, node.interface)
        step.db[ProxyEndpoint].drop(now)
        if proxy is not None and proxy.state == "deleting" and not step.db[ProxyEndpoint].all(proxy=proxy.name):
            step.db[Proxy].drop(proxy)


# -- who has them looked at
def listen(world: World) -> None:
    """From the first proxy on, have a look each minute: secrets may be others."""
    if "proxies listen" not in world.ports:
        world.ports["proxies listen"] = True
        world.at_minute.append(lambda: minute(world))


def minute(world: World) -> None:
    """All endpoints are looked at."""
    with world.state.database.transaction():
        for one in _all(world):
            world.state.wakes.wake(ENDPOINT, one.account, one.region, one.id, purpose=LOOK)


def machines(world: World) -> set[str]:
    """The machines of all proxies."""
    return {node.machine for one in _all(world) for node in one.nodes}


def went_down(world: World, machine: str) -> None:
    """The host says that a machine is down."""
    for one in _all(world):
        if machine in [node.machine for node in one.nodes]:
            with world.state.database.transaction():
                world.state.wakes.wake(ENDPOINT, one.account, one.region, one.id, purpose="host")


@hears(SOURCE, CHANGED)
def power_changed(world: World, _: str, __: str, detail: dict[str, Any]) -> None:
    """Machines go with the power of their zone, and come back with it."""
    if detail.get("zone"):
        for one in _all(world):
            world.state.wakes.wake(ENDPOINT, one.account, one.region, one.id, purpose="power")


@on_boot("rds")
def at_start(world: World) -> None:
    """Look at every endpoint."""
    for one in _all(world):
        world.state.wakes.wake(ENDPOINT, one.account, one.region, one.id, purpose=LOOK)


def _all(world: World) -> list[ProxyEndpoint]:
    return list(Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(ProxyEndpoint))
