"""An instance as the planes want it: a machine, and an engine inside."""

from __future__ import annotations

from pathlib import PurePath

from cloudjar.kit.context import World
from cloudjar.kit.machine import Step
from cloudjar.planes.compute.port import ComputePort, Disk, MachineSpec
from cloudjar.planes.database.choose import databases as chosen
from cloudjar.planes.database.port import DatabasePort, Engine
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.rds import certificates, following, groups, kept_logs, least, options, pairs, replicas, values
from cloudjar.services.rds.blue_green import environments
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases

_SEAL = "rds master password"
_FORCED = {"postgres": "rds.force_ssl", "mariadb": "require_secure_transport"}
"""The parameter that says that nobody comes in without TLS."""


def engines(world: World) -> DatabasePort:
    """Who drives engines here."""
    port: DatabasePort = world.ports.setdefault("databases", chosen(world.ports["compute"]))
    return port


def seal(world: World, verifier: str) -> bytes:
    """What the store may keep of a password's verifier."""
    return bytes(world.sealer.seal(verifier.encode(), _SEAL))


def group_values(step: Step, db: DbInstance) -> dict[str, str]:
    """What an instance's parameter group says now."""
    group = groups.settings_of(step.ctx, db)
    return {name: one.value for name, one in group.settings.items()} if group else {}


def version(world: World, db: DbInstance) -> str:
    """The whole version of the engine that an instance has, as its image says."""
    line = databases.line(db.engine, db.major)
    if line is not None and line.listed:
        return db.version  # as AWS calls it: what runs is another engine
    return engines(world).version(db.engine, databases.release(db.engine, db.version)) or db.version


def start(step: Step, db: DbInstance) -> None:
    """Boot the machine, on its own volume. Raises `PlaneError`, as while its network is being laid out."""
    host: ComputePort = step.port("compute")
    image = engines(step.world).prepare(databases.kind(db.engine), databases.release(db.engine, db.version))
    host.start(_machine(step, db, image))


def apply(step: Step, db: DbInstance, running: dict[str, str]) -> None:
    """Make the engine run with these values, and wait until it takes connections."""
    with pairs.alone(db):
        members.refuse_stale(step.ctx, db)
        if db.source:
            _admit(step, db)
            replicas.follow(step, db, engine(step, db, running))
        else:
            engines(step.world).apply(engine(step, db, running))


def _admit(step: Step, replica: DbInstance) -> None:
    """Have the engine that a replica follows let it in, unless the replica follows it already."""
    source = replicas.source_of(step.ctx, replica)
    if source is not None and source.machine != replica.follows:
        there = Step(step.world, step.wake._replace(account=source.account, region=source.region, key=source.id))
        apply(there, source, source.running)


def promote(step: Step, replica: DbInstance) -> None:
    """Have a replica's engine follow nobody any more."""
    with pairs.alone(replica):
        following.port(step.world).promote(engine(step, replica, replica.running))


def disk(db: DbInstance) -> Disk:
    """The instance's volume."""
    return Disk(volume_id=db.volume, size_gib=db.storage, snapshot=db.source_snapshot)


def _machine(step: Step, db: DbInstance, image: str) -> MachineSpec:
    network: NetworkPort = step.port("network")
    size = databases.size(db.instance_class)
    return MachineSpec(
        id=db.machine,
        image=image,
        network=PurePath(network.guest_path(db.machine)).name,
        vcpus=size.vcpus,
        memory_mib=size.memory_mib,
        hostname=db.id,
        root=disk(db),
        driver="container",
        follows_image=True,
    )


def engine(step: Step, db: DbInstance, running: dict[str, str]) -> Engine:
    """The engine of an instance, with whoever may follow it as they are now."""
    certificate, key = certificates.served(step, db)
    line = databases.line(db.engine, db.major)
    assert line is not None
    family, kind = databases.parameters(line.family), databases.kind(db.engine)
    memory = databases.size(db.instance_class).memory_mib << 20
    verifier = (step.world.sealer.open(db.verifier, _SEAL) or b"").decode() if db.verifier else ""
    return Engine(
        machine=db.machine,
        kind=kind,
        major=db.major,
        release=databases.release(db.engine, db.version),
        port=db.port,
        master=db.master,
        verifier=verifier,
        database=db.db_name,
        certificate=certificate,
        key=key,
        settings=(
            *values.told(family, running, memory, db.port), *kept_logs.settings(db), *_binary_log(db, running),
            *least.settings(step.ctx, db, running),
        ),
        needs_tls=running.get(forced := _FORCED[kind], family[forced].value) not in ("0", "off", "OFF", ""),
        peers=following.peers(step.ctx, db),
        audit=options.told(db.engine, db.options),
        **environments.bars(step.ctx, db),
    )


def _binary_log(db: DbInstance, running: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """What MariaDB is told of its binary log: how long it keeps that in its own machine. Where nobody needs it, it
    forbids no more than if there were none."""
    if db.engine != "mariadb":
        return ()
    if db.retention or db.followers:
        return (("binlog_expire_logs_seconds", "86400"),)
    trust = "log_bin_trust_function_creators"
    return (("binlog_expire_logs_seconds", "600"), *(() if trust in running else ((trust, "1"),)))
