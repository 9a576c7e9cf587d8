"""What engines write, brought to CloudWatch Logs each minute in the name of the service-linked role.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit import log_delivery
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.log_delivery import LogEvent
from cloudjar.kit.machine import Step
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.planes.database.engine_logs import EngineLogs, LogFile, engine_logs
from cloudjar.services.rds import errors
from cloudjar.services.rds.records import DbInstance

PRINCIPAL, ROLE = "rds.amazonaws.com", "AWSServiceRoleForRDS"
EXPORTS = {"postgres": ("postgresql", "upgrade"), "mariadb": ("audit", "error", "general", "slowquery")}
"""Kinds of logs, by engine. Upgrades write none of their own here."""
_AT_ONCE = 512 << 10


@record("rds", "log-export", key="id")
class LogExport(Record, frozen=True, kw_only=True):
    """How far the log of an instance (by its resource id, of MariaDB's each kind) was brought: a file, and the bytes of
    it. MariaDB's are known by their numbers, for they are renamed each hour."""

    id: str
    file: str = ""
    offset: int = 0


def port(world: World) -> EngineLogs:
    """Who reads engines' logs."""
    held: EngineLogs = world.ports.setdefault("database engine logs", engine_logs(world.ports["compute"]))
    return held


def asked(ctx: Ctx, engine: str, version: str, given: list[str] | None) -> tuple[str, ...]:
    """The kinds of logs that a request wants brought; the role that brings them is made when it is not there."""
    if not given:
        return ()
    if engine not in EXPORTS:
        raise errors.not_built(f"Exports of the logs of {engine}")
    unknown = [kind for kind in given if kind not in EXPORTS[engine]]
    if unknown:
        raise errors.combination(
            f"You cannot use the log types '{', '.join(unknown)}' with engine version {engine} {version}. For "
            "supported log types, see the documentation."
        )
    if ctx.find("iam", "role", ROLE) is None:
        ctx.call("iam", "CreateServiceLinkedRole", {"AWSServiceName": PRINCIPAL}, via=PRINCIPAL)
    return tuple(dict.fromkeys(given))


def changed(ctx: Ctx, db: DbInstance, config: Mapping[str, Any] | None) -> DbInstance:
    """The instance with some kinds brought from now on, and others no more."""
    if not config:
        return db
    more = asked(ctx, db.engine, db.version, config.get("EnableLogTypes"))
    less = config.get("DisableLogTypes") or ()
    return replace(db, exports=tuple(kind for kind in dict.fromkeys((*db.exports, *more)) if kind not in less))


def ship(step: Step, db: DbInstance) -> None:
    """Bring what was written since the last time; what cannot be brought now is, the next time."""
    for kind in db.exports:
        if kind == "upgrade":
            continue
        key = _key(db, kind)
        held = step.db[LogExport].get(key)
        if held is None:
            held = step.db[LogExport].add(LogExport(id=key))
        with contextlib.suppress(PlaneError, AwsError):
            for reached, text in _written(step.world, db, kind, held):
                _deliver(step.ctx, db, kind, text)
                held = step.db[LogExport].put(replace(held, file=reached.file, offset=reached.offset))


def _key(db: DbInstance, kind: str) -> str:
    return f"{db.resource_id}/{kind}" if db.engine == "mariadb" else db.resource_id


def _files(world: World, db: DbInstance, kind: str, held: LogExport) -> list[tuple[str, LogFile]]:
    """(what one is known by, file) of those that there may be something new in, oldest first."""
    found = port(world).files(db.machine, db.engine)
    if db.engine != "mariadb":
        return [(one.name, one) for one in found if one.name >= held.file]
    mine = [one for one in found if one.name.startswith(f"{kind}/")]
    mine.sort(key=lambda one: (one.name.endswith(".log"), one.name))  # what is being written has no hour yet
    numbers = [str(one.number) for one in mine]
    past = numbers.index(held.file) if held.file in numbers else 0
    return list(zip(numbers, mine, strict=True))[past:]


def _written(world: World, db: DbInstance, kind: str, held: LogExport) -> Iterator[tuple[LogExport, str]]:
    """Whole lines, file by file, and how far one is with each piece."""
    logs = port(world)
    for known, file in _files(world, db, kind, held):
        offset = held.offset if known == held.file else 0
        while offset < file.size:
            data = logs.read(db.machine, db.engine, file.name, offset, _AT_ONCE)
            whole = data[: data.rfind(b"\n") + 1] or (data if len(data) == _AT_ONCE else b"")
            if not whole:
                break
            offset += len(whole)
            yield replace(held, file=known, offset=offset), whole.decode("utf-8", "replace")


def _deliver(ctx: Ctx, db: DbInstance, kind: str, text: str) -> None:
    now = int(ctx.world.clock.now().timestamp() * 1000)
    events = [LogEvent(now, line) for line in text.splitlines() if line.strip()]
    role = arns.make("iam", "", db.account, f"role/aws-service-role/{PRINCIPAL}/{ROLE}")
    caller = ctx.as_role(role, service=PRINCIPAL, source_arn=arn_of(db), session_name="RDS")
    group, stream = f"/aws/rds/instance/{db.id}/{kind}", f"{db.id}.0" if db.engine == "postgres" else db.id
    log_delivery.deliver(ctx, caller, group, stream, events, via=PRINCIPAL, makes_group=True)


def forget(step: Step, resource_id: str) -> None:
    """An instance is gone; what was brought of it stays. In the running transaction."""
    for held in step.db[LogExport].all():
        if held.id.partition("/")[0] == resource_id:
            step.db[LogExport].drop(held)
