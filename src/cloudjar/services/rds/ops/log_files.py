"""What engines write of what they do.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.planes.database.engine_logs import EngineLogs, LogFile
from cloudjar.services.rds import exporting
from cloudjar.services.rds.ops.instances import by_name
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases

_FOLDER = "error/"
_LINES, _BYTES = 10_000, 1 << 20
T = TypeVar("T")


@op("DescribeDBLogFiles")
def describe_db_log_files(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The files that there are, narrowed by name, size and time."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    ahead = (ctx.now - ctx.world.clock.real()).total_seconds()
    shown: list[dict[str, Any]] = [
        {"LogFileName": _shown(one), "LastWritten": int((one.written + ahead) * 1000), "Size": one.size}
        for one in _files(ctx, db)
    ]
    part = req.get("FilenameContains") or ""
    return {
        "DescribeDBLogFiles": [
            one
            for one in shown
            if part in one["LogFileName"]
            and one["LastWritten"] >= (req.get("FileLastWritten") or 0)
            and one["Size"] >= (req.get("FileSize") or 0)
        ]
    }


@op("DownloadDBLogFilePortion", pages=False, writes=False)
def download_db_log_file_portion(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Lines of a file: the newest ones, or on from a marker (``0``: from the beginning)."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    asked = req["LogFileName"]
    file = next((one for one in _files(ctx, db) if asked in (one.name, _shown(one))), None)
    if file is None:
        said = f"DBLog File: {req['LogFileName']}, is not found on the DB instance"
        raise AwsError("DBLogFileNotFoundFault", said, 404)
    marker, lines = req.get("Marker"), req.get("NumberOfLines") or _LINES
    start = max(file.size - _BYTES, 0) if marker is None else _offset(marker, file)
    name, size = file.name, min(_BYTES, file.size - start)
    data = _asked(ctx, db, lambda logs: logs.read(db.machine, databases.kind(db.engine), name, start, size))
    if marker is None:
        data = b"".join(data.splitlines(keepends=True)[-lines:])
        end = file.size
    else:
        data = b"".join(_whole(data.splitlines(keepends=True), start + len(data) >= file.size)[:lines])
        end = start + len(data)
    return {
        "LogFileData": data.decode("utf-8", "replace"),
        "Marker": str(end),
        "AdditionalDataPending": end < file.size,
    }


def _whole(lines: list[bytes], is_end: bool) -> list[bytes]:
    """A line that was cut off is left for the next time, unless it is all that there is."""
    return lines if is_end or len(lines) < 2 or lines[-1].endswith(b"\n") else lines[:-1]


def _offset(marker: str, file: LogFile) -> int:
    number = marker.rpartition(":")[2]
    if not number.isdigit() or int(number) > file.size:
        raise AwsError("InvalidParameterValue", f"Invalid marker: {marker}")
    return int(number)


def _shown(file: LogFile) -> str:
    """What a file is called: MariaDB's have a folder for each kind of log."""
    return file.name if "/" in file.name else _FOLDER + file.name


def _files(ctx: Ctx, db: DbInstance) -> list[LogFile]:
    return _asked(ctx, db, lambda logs: logs.files(db.machine, databases.kind(db.engine)))


def _asked(ctx: Ctx, db: DbInstance, ask: Callable[[EngineLogs], T]) -> T:
    try:
        return ask(exporting.port(ctx.world))
    except PlaneError as failed:
        raise AwsError("DBInstanceNotReady", f"DB instance {db.id} is not ready.") from failed
