"""What an export says of itself: which tables it has, why others are left out, and the files that tell it (pure).

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.FileNames.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cloudjar.planes.database.reading import Column, Table
from cloudjar.services.rds.exports.records import ExportTask, Extracted

_NOT_OF_COLUMNS = re.compile(r"[,;{}()\n\t= ]")
_NOT_OF_PATHS = re.compile(r"[\\`\" ]")
_WORDS = {
    "string": "binary (UTF8)", "binary": "binary", "int64": "int64", "int32": "int32", "int16": "int32 (INT_16)",
    "double": "double", "float": "float", "boolean": "boolean", "timestamp": "int64 (TIMESTAMP_MICROS)",
}  # fmt: skip


def chosen(tables: Iterable[Table], only: tuple[str, ...]) -> tuple[tuple[Extracted, ...], tuple[str, ...]]:
    """(what is exported of a snapshot's tables, or left out and why; what was asked for and is not there)."""
    found = list(tables)
    wanted = [table for table in found if not only or any(_is_in(table, one) for one in only)]
    unknown = tuple(one for one in only if not any(_is_in(table, one) for table in found))
    return tuple(Extracted(table=table, skipped=_flaw(table)) for table in wanted), unknown


def _is_in(table: Table, one: str) -> bool:
    """Whether a table is one, or in one, of ``database[.schema][.table]``, or ``database[.table]`` of MariaDB."""
    return any(one == ".".join(names) for names in (_names(table)[:count] for count in (1, 2, 3)))


def _names(table: Table) -> tuple[str, ...]:
    if table.schema == table.database and table.parts == (table.name,):
        return table.database, table.name  # MariaDB's
    return table.database, table.schema, table.name


def target(table: Table) -> str:
    """What a table is called as a whole."""
    return ".".join(_names(table))


def folder(table: Table) -> str:
    """Where a table's files are, below the export's own folder."""
    return _NOT_OF_PATHS.sub("_", f"{table.database}/{table.schema}.{table.name}")


def _flaw(table: Table) -> str:
    if not table.readable:
        return "PERMISSIONS_DO_NOT_EXIST"
    if "/" in table.name or any(_NOT_OF_COLUMNS.search(column.name) for column in table.columns):
        return "UNSUPPORTED_CHARACTERS"
    return "" if table.columns else "NO_COLUMNS"


def warning(task: ExportTask) -> str:
    """What was left out, as JSON; "" for nothing."""
    left_out = [{"tableName": target(one.table), "reason": one.skipped} for one in task.tables if one.skipped]
    missing = [{"objective": one, "reason": "NOT_FOUND"} for one in task.unknown]
    if not left_out and not missing:
        return ""
    said = {"skippedTables": left_out, "skippedObjectives": missing, "general": []}
    return json.dumps(said, separators=(",", ":"))


def whole(task: ExportTask) -> tuple[str, bytes]:
    """(name, text) of the file about the export."""
    said: dict[str, Any] = {
        "exportTaskIdentifier": task.id,
        "sourceArn": task.source_arn,
        "exportOnly": list(task.only),
        "snapshotTime": _instant(task.source.begun),
        "taskStartTime": _instant(task.begun),
        "taskEndTime": _instant(task.ended),
        "s3Bucket": task.bucket,
        "s3Prefix": task.prefix,
        "exportedFilesPath": task.folder,
        "iamRoleArn": task.role,
        "kmsKeyId": task.key,
        "status": task.status,
        "percentProgress": task.percent,
        "totalExportedDataInGB": round(task.extracted / (1 << 30), 6),
    }
    if text := warning(task):
        said["warningMessage"] = text
    return f"export_info_{task.id}.json", _text(said)


def tables(task: ExportTask) -> tuple[str, bytes]:
    """(name, text) of the file about its tables."""
    name = f"export_tables_info_{task.id}_from_1_to_{len(task.tables)}.json"
    return name, _text({"perTableStatus": [_status(one) for one in task.tables]})


def _status(one: Extracted) -> dict[str, Any]:
    if one.skipped:
        return {"target": target(one.table), "status": "SKIPPED", "warningMessage": one.skipped}
    parts = len(one.table.parts)
    return {
        "tableStatistics": {
            "partitioningInfo": {"numberOfPartitions": parts, "numberOfCompletedPartitions": parts},
            "extractionStartTime": _instant(one.begun),
            "extractionEndTime": _instant(one.ended),
        },
        "schemaMetadata": {"originalTypeMappings": [_column(column) for column in one.table.columns]},
        "status": "COMPLETE",
        "sizeGB": round(one.table.size / (1 << 30), 6),
        "target": target(one.table),
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "columnName": column.name,
        "originalType": column.type,
        "expectedExportedType": words(column.form),
        "originalCharMaxLength": column.length,
        "originalNumPrecision": column.digits,
        "originalDateTimePrecision": column.fraction,
    }


def words(form: str) -> str:
    """A form as Parquet's own language has it."""
    if not form.startswith("decimal("):
        return _WORDS[form]
    digits = int(form[8:-1].partition(",")[0])
    if digits <= 9:
        return f"int32 ({form.upper()})"
    if digits <= 18:
        return f"int64 ({form.upper()})"
    return f"fixed_len_byte_array({_bytes(digits)}) ({form.upper()})"


def _bytes(digits: int) -> int:
    """How many bytes hold a signed number of so many digits."""
    return int(10**digits - 1).bit_length() // 8 + 1


def _instant(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" if at is not None else None


def _text(said: dict[str, Any]) -> bytes:
    return json.dumps(said, indent=2).encode()
