"""The machine in which a snapshot is read: booted on a volume made of it, with an engine that nobody else reaches."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePath
from typing import Any

from cloudjar.kit.context import World
from cloudjar.kit.machine import Step
from cloudjar.planes.compute.port import ComputePort, Disk, MachineSpec
from cloudjar.planes.database.port import Engine
from cloudjar.planes.database.reading import ReadingPort, reading
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.rds import authorities, running, values
from cloudjar.services.rds.exports.records import ExportTask
from cloudjar.spec import databases

_VALID = timedelta(days=7)


def port(world: World) -> ReadingPort:
    """Who reads tables here."""
    held: ReadingPort = world.ports.setdefault("database tables", reading(world.ports["compute"]))
    return held


def ready(step: Step, task: ExportTask) -> None:
    """Have the machine up and its engine take questions. Raises `PlaneError`."""
    host: ComputePort = step.port("compute")
    if host.look(task.machine) == "up" and running.engines(step.world).accepts(task.machine):
        return
    source, network = task.source, _network(step, task)
    size, release = databases.size(source.instance_class), databases.release(source.engine, source.version)
    kind = databases.kind(source.engine)
    image = running.engines(step.world).prepare(kind, release)
    port(step.world).seclude(network)
    host.start(
        MachineSpec(
            id=task.machine, image=image, network=network, vcpus=size.vcpus, memory_mib=size.memory_mib,
            hostname="export", root=Disk(volume_id=task.volume, size_gib=source.storage, snapshot=source.key),
            driver="container", follows_image=True,
        )
    )  # fmt: skip
    line = databases.line(source.engine, source.major)
    assert line is not None
    settings = values.told(databases.parameters(line.family), {}, size.memory_mib << 20, source.port)
    authority: Any = step.port("authority")
    now = step.world.clock.real()
    kinds = authorities.KEYS[authorities.USUAL]
    certificate, chain, key = authority.issue([f"{task.machine}.internal"], kinds, now - _VALID, now + _VALID)
    running.engines(step.world).apply(
        Engine(
            machine=task.machine, kind=kind, major=source.major, release=release, port=source.port,
            master=source.master, certificate=certificate + chain, key=key.decode(), settings=settings,
        )
    )  # fmt: skip


def gone(step: Step, task: ExportTask) -> None:
    """Leave nothing of the machine."""
    host: ComputePort = step.port("compute")
    host.remove(task.machine)
    host.remove_volume(task.volume)
    port(step.world).dissolve(_network(step, task))


def _network(step: Step, task: ExportTask) -> str:
    network: NetworkPort = step.port("network")
    return PurePath(network.guest_path(task.machine)).name
