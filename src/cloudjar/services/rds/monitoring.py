"""Enhanced Monitoring: what an instance's operating system does, brought to CloudWatch Logs as JSON documents.

They are brought in the name of the role that was passed for it, to the group RDSOSMetrics, each instance's to a stream
of its resource id.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.html
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.caller import service as service_caller
from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.kit import log_delivery
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import State, watches
from cloudjar.kit.log_delivery import LogEvent
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.system import SystemPort, systems
from cloudjar.planes.database.ticking import Ticking, ticking
from cloudjar.services.rds import errors, loads
from cloudjar.services.rds.os_documents import Loads, Look, document, running
from cloudjar.services.rds.os_documents import loads as faded
from cloudjar.services.rds.records import DB, DbInstance

PRINCIPAL = "monitoring.rds.amazonaws.com"
GROUP = "RDSOSMetrics"
TABLE = "rds/monitored"
INTERVALS = (0, 1, 5, 10, 15, 30, 60)
_LOOK = "look"
_SESSION = 600.0
"""Seconds for which a session of the role serves."""


@record("rds", "monitored", key="id")
class Monitored(Record, frozen=True, kw_only=True):
    """An instance (by its resource id) of which documents are brought."""

    id: str
    name: str
    """Its identifier."""


def port(world: World) -> SystemPort:
    """Who reads systems here."""
    held: SystemPort = world.ports.setdefault("database systems", systems(world.ports["compute"]))
    return held


def ticks(world: World) -> Ticking:
    """Who tells when to look."""
    held: Ticking = world.ports.setdefault("database ticks", ticking(world.ports["compute"]))
    return held


def asked(ctx: Ctx, req: dict[str, Any], db: DbInstance) -> DbInstance:
    """The instance as a request wants it to be monitored. Raises what AWS raises."""
    every, role = req.get("MonitoringInterval"), req.get("MonitoringRoleArn")
    if every is None and not role:
        return db
    seconds = db.monitoring if every is None else every
    if seconds not in INTERVALS:
        raise errors.invalid(
            f"Invalid monitoring interval: {seconds}. Valid values: {', '.join(map(str, INTERVALS))}"
        )
    if not seconds:
        if role:
            raise errors.combination("You must specify a MonitoringInterval value other than 0 when you specify a "
                                     "MonitoringRoleARN value.")  # fmt: skip
        return replace(db, monitoring=0, monitoring_role="")
    role = role or db.monitoring_role
    if not role:
        raise errors.combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
    _need_role(ctx, role)
    return replace(db, monitoring=seconds, monitoring_role=role)


def _need_role(ctx: Ctx, role: str) -> None:
    """A role of the account that the service may take on."""
    parsed = arns.parse(role)
    name = parsed.resource.rpartition("/")[2] if parsed is not None else ""
    refused = errors.invalid(
        f"IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING: {role}"
    )
    if parsed is None or parsed.service != "iam" or parsed.account != ctx.account:
        raise refused
    if ctx.find("iam", "role", name) is None:
        raise refused
    try:
        ctx.as_role(role, service=PRINCIPAL, session_name="RDS")
    except AwsError as error:
        raise refused from error


@watches(DB)
def written(state: State, item: Record) -> None:
    """An instance whose monitoring began or ended, or that came up, is looked at."""
    if isinstance(item, DbInstance) and (item.monitoring or state.tables.get(_spec(), *_place(item)) is not None):
        state.wakes.wake(TABLE, item.account, item.region, item.resource_id, purpose="begin")


def _spec() -> Any:
    from cloudjar.kit.record import meta

    return meta(Monitored).spec


def _place(db: DbInstance) -> tuple[str, str, str]:
    return db.account, db.region, db.resource_id


@reconciler(Monitored)
def look(step: Step, held: Monitored | None) -> None:
    """One look, or the beginning or the end of looks."""
    if not step.wake.purpose:
        return
    db = next((one for one in step.db[DbInstance].all() if one.resource_id == step.key), None)
    key = (TABLE, step.key)
    if db is None or not db.monitoring or db.state == "deleting":
        ticks(step.world).leave(key)
        _seen(step.world).pop(step.key, None)
        if held is not None:
            with step.world.state.database.transaction():
                step.db[Monitored].drop(held)
        return
    if held is None or held.name != db.id:
        _note(step, held, db)
    _watch(step.world, db)
    if step.wake.purpose == _LOOK and db.state in loads.UP:
        _bring(step, db)


def _note(step: Step, held: Monitored | None, db: DbInstance) -> None:
    with step.world.state.database.transaction():
        if held is None:
            step.db[Monitored].add(Monitored(id=db.resource_id, name=db.id))
        else:
            step.db[Monitored].put(replace(held, name=db.id))


def _watch(world: World, db: DbInstance) -> None:
    place = (TABLE, db.account, db.region, db.resource_id)

    def tell() -> bool:
        try:
            with world.state.database.transaction():
                world.state.wakes.wake(*place, purpose=_LOOK)
        except sqlite3.ProgrammingError:
            return False  # the jar was closed
        return True

    ticks(world).watch((TABLE, db.resource_id), float(db.monitoring), tell)


def _seen(world: World) -> dict[str, tuple[Look, Loads]]:
    """What was seen last, by resource id: of this life alone, as a document is of what was between two looks."""
    held: dict[str, tuple[Look, Loads]] = world.ports.setdefault("rds monitoring seen", {})
    return held


def _bring(step: Step, db: DbInstance) -> None:
    host: ComputePort = step.port("compute")
    system = port(step.world).read(db.machine)
    if system is None:
        _seen(step.world).pop(db.resource_id, None)
        return
    now = Look(system, host.usage(db.machine), host.disk_use(db.machine).get(db.volume))
    before = _seen(step.world).get(db.resource_id)
    count = float(running(system))
    if before is None or system.up < before[0].system.up:
        _seen(step.world)[db.resource_id] = (now, (count, count, count))
        return
    load = faded(before[1], int(count), system.at - before[0].system.at)
    _seen(step.world)[db.resource_id] = (now, load)
    at = step.world.clock.now()
    said = json.dumps(document(db, at, before[0], now, load), separators=(",", ":"))
    _deliver(step.ctx, db, LogEvent(int(at.timestamp() * 1000), said))


def _deliver(ctx: Ctx, db: DbInstance, event: LogEvent) -> None:
    """A role that may not any more loses what was seen meanwhile."""
    try:
        log_delivery.deliver(ctx, _acting(ctx, db), GROUP, db.resource_id, [event], via=PRINCIPAL, makes_group=True)
    except AwsError as error:
        _sessions(ctx.world).pop(db.resource_id, None)
        if error.is_server_fault:
            raise


def _acting(ctx: Ctx, db: DbInstance) -> Caller:
    """A session of the role: one serves for many documents."""
    held = _sessions(ctx.world).get(db.resource_id)
    if held is None or held[0] != db.monitoring_role or monotonic() - held[1] > _SESSION:
        caller = ctx.as_role(
            db.monitoring_role, service=PRINCIPAL, source_arn=arn_of(db), session_name="RDS-EnhancedMonitoring"
        )
        held = _sessions(ctx.world)[db.resource_id] = (db.monitoring_role, monotonic(), caller)
    return held[2]


def _sessions(world: World) -> dict[str, tuple[str, float, Caller]]:
    held: dict[str, tuple[str, float, Caller]] = world.ports.setdefault("rds monitoring sessions", {})
    return held


@on_boot("rds")
def at_start(world: World) -> None:
    """Go on with what was monitored."""
    for one in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Monitored):
        world.state.wakes.wake(TABLE, one.account, one.region, one.id, purpose="begin")
