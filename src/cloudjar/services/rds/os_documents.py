"""The documents of Enhanced Monitoring: what an operating system did between two looks (pure).

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring-Available-OS-Metrics.html
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, NamedTuple

from cloudjar.planes.compute.usage import DiskUse, Usage
from cloudjar.planes.database.system import Process, System
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases

_ENGINES = {"postgres": "POSTGRES", "mariadb": "MARIADB", "aurora-postgresql": "AURORA_POSTGRESQL"}
_MOUNT, _FILES, _DEVICE, _INTERFACE = "/rdsdbdata", "rdsfilesys", "rdsdev", "eth0"
_PROCESSES = 50
_SPANS = (60.0, 300.0, 900.0)
Loads = tuple[float, float, float]


class Look(NamedTuple):
    """What was seen at one moment."""

    system: System
    usage: Usage | None
    disk: DiskUse | None


def loads(before: Loads, running: int, seconds: float) -> Loads:
    """How many tasks ran or waited for the disk, on average of one, five and fifteen minutes that fade away."""
    one, five, fifteen = (
        running + (held - running) * math.exp(-seconds / span) for held, span in zip(before, _SPANS, strict=True)
    )
    return one, five, fifteen


def running(system: System) -> int:
    """Tasks that run, or wait for the disk."""
    return sum(1 for one in system.processes if one.state in "RD")


def document(db: DbInstance, at: datetime, before: Look, now: Look, load: Loads) -> dict[str, Any]:
    """What happened from one look to the next."""
    size = databases.size(db.instance_class)
    passed = max(now.system.at - before.system.at, 1e-3)
    days, rest = divmod(int(now.system.up), 86_400)
    return {
        "engine": _ENGINES.get(db.engine, db.engine),
        "instanceID": db.id,
        "instanceResourceID": db.resource_id,
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": 1,
        "uptime": f"{days} days, {rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}" if days else
                  f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}",
        "numVCPUs": int(size.vcpus),
        "cpuUtilization": _cpu(before.system, now.system, passed, size.vcpus),
        "loadAverageMinute": {"one": _short(load[0]), "five": _short(load[1]), "fifteen": _short(load[2])},
        "memory": _memory(now.system.memory),
        "tasks": _tasks(now.system),
        "swap": {"cached": 0.0, "total": 0.0, "free": 0.0, "in": 0.0, "out": 0.0},
        "network": [_network(before.usage, now.usage, passed)],
        "diskIO": [_disk(before.disk, now.disk, passed)],
        "fileSys": _files(now.system),
        "processList": _list(before.system, now.system, passed),
    }  # fmt: skip


def _short(number: float) -> float:
    return round(number, 2)


def _cpu(before: System, now: System, passed: float, vcpus: float) -> dict[str, float]:
    user, kernel = (
        min(max(later - earlier, 0.0) / passed / vcpus * 100, 100.0)
        for earlier, later in ((before.user, now.user), (before.kernel, now.kernel))
    )
    total = min(user + kernel, 100.0)
    return {
        "guest": 0.0, "irq": 0.0, "system": _short(kernel), "wait": 0.0, "idle": _short(100 - total),
        "user": _short(user), "total": _short(total), "steal": 0.0, "nice": 0.0,
    }  # fmt: skip


def _memory(said: dict[str, int]) -> dict[str, int]:
    """Kilobytes."""
    kilobytes = {name: value >> 10 for name, value in said.items()}
    get = kilobytes.get
    return {
        "writeback": get("file_writeback", 0), "hugePagesFree": 0, "hugePagesRsvd": 0, "hugePagesSurp": 0,
        "cached": get("file", 0), "hugePagesSize": 2048, "free": max(get("limit", 0) - get("used", 0), 0),
        "hugePagesTotal": 0, "inactive": get("inactive_anon", 0) + get("inactive_file", 0),
        "pageTables": get("pagetables", 0), "dirty": get("file_dirty", 0), "mapped": get("file_mapped", 0),
        "active": get("active_anon", 0) + get("active_file", 0), "total": get("limit", 0),
        "slab": get("slab", 0), "buffers": 0,
    }  # fmt: skip


def _tasks(system: System) -> dict[str, int]:
    states = [one.state for one in system.processes]
    return {
        "sleeping": sum(state in "SI" for state in states), "zombie": states.count("Z"),
        "running": states.count("R"), "stopped": sum(state in "Tt" for state in states), "total": len(states),
        "blocked": states.count("D"),
    }  # fmt: skip


def _network(before: Usage | None, now: Usage | None, passed: float) -> dict[str, Any]:
    grown = _grown(before, now, ("received_bytes", "sent_bytes"))
    received, sent = grown["received_bytes"], grown["sent_bytes"]
    return {"interface": _INTERFACE, "rx": _short(received / passed), "tx": _short(sent / passed)}


def _disk(before: DiskUse | None, now: DiskUse | None, passed: float) -> dict[str, Any]:
    same = before is not None and now is not None and before.born == now.born
    names = ("read_ops", "write_ops", "read_bytes", "written_bytes", "read_ms", "write_ms", "busy_ms", "queued_ms")
    grown = _grown(before if same else None, now if same else None, names)
    operations = grown["read_ops"] + grown["write_ops"]
    size = grown["read_bytes"] + grown["written_bytes"]
    return {
        "device": _DEVICE,
        "readIOsPS": _short(grown["read_ops"] / passed),
        "writeIOsPS": _short(grown["write_ops"] / passed),
        "tps": _short(operations / passed),
        "readKb": int(grown["read_bytes"]) >> 10,
        "writeKb": int(grown["written_bytes"]) >> 10,
        "readKbPS": _short(grown["read_bytes"] / 1024 / passed),
        "writeKbPS": _short(grown["written_bytes"] / 1024 / passed),
        "await": _short((grown["read_ms"] + grown["write_ms"]) / operations) if operations else 0.0,
        "avgQueueLen": _short(grown["queued_ms"] / 1000 / passed),
        "avgReqSz": _short(size / 512 / operations) if operations else 0.0,
        "util": _short(min(grown["busy_ms"] / 10 / passed, 100.0)),
        "rrqmPS": 0.0,
        "wrqmPS": 0.0,
    }


def _grown(before: Any, now: Any, names: tuple[str, ...]) -> dict[str, float]:
    if before is None or now is None:
        return dict.fromkeys(names, 0.0)
    return {name: max(float(getattr(now, name)) - float(getattr(before, name)), 0.0) for name in names}


def _files(system: System) -> list[dict[str, Any]]:
    disk = system.disk
    if disk is None:
        return []
    return [
        {
            "name": _FILES,
            "mountPoint": _MOUNT,
            "total": disk.total >> 10,
            "used": disk.used >> 10,
            "usedPercent": _short(100 * disk.used / disk.total) if disk.total else 0.0,
            "maxFiles": disk.files,
            "usedFiles": disk.used_files,
            "usedFilePercent": _short(100 * disk.used_files / disk.files) if disk.files else 0.0,
        }
    ]


def _list(before: System, now: System, passed: float) -> list[dict[str, Any]]:
    """The processes that took most, and sums first of what AWS sums: none of its own runs here."""
    earlier = {(one.id, one.begun): one.cpu for one in before.processes}
    total = now.memory.get("limit") or 1

    def shown(one: Process) -> dict[str, Any]:
        spent = max(one.cpu - earlier.get((one.id, one.begun), 0.0), 0.0)
        return {
            "id": one.id, "tgid": one.id, "parentID": one.parent, "name": one.name, "vss": one.virtual >> 10,
            "rss": one.resident >> 10, "vmlimit": "unlimited", "cpuUsedPc": _short(100 * spent / passed),
            "memoryUsedPc": _short(100 * one.resident / total),
        }  # fmt: skip

    found = [shown(one) for one in now.processes]
    return sorted(found, key=lambda one: (-one["cpuUsedPc"], -one["rss"], one["id"]))[:_PROCESSES]
