"""What a statement brought, as the API tells it (pure)."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudjar.planes.database.sessions import Answer
from cloudjar.services.rds_data import errors
from cloudjar.services.rds_data.values import Told

MOST = 1 << 20
MOST_FORMATTED = 10 << 20
_ROW = 64 << 10
_CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")


def shown(answer: Answer, told: Told, formatted: bool, described: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer to ExecuteStatement. Raises UnsupportedResultException."""
    if answer.columns is None:
        words = answer.tag.split()
        changed = int(words[-1]) if words and words[0] in _CHANGES else 0
        return {"numberOfRecordsUpdated": changed, "generatedFields": []}
    if answer.size > (MOST_FORMATTED if formatted else MOST):
        raise errors.unsupported("Database response exceeded size limit")
    if any(sum(len((cell or "").encode()) for cell in row) > _ROW for row in answer.rows):
        raise errors.unsupported("Packet for query is too large")
    shown: dict[str, Any] = {"numberOfRecordsUpdated": 0}
    if formatted and answer.tag.startswith("SELECT"):
        rows = [
            {column.name: told.json(column, cell) for column, cell in zip(answer.columns, row, strict=True)}
            for row in answer.rows
        ]
        text = msgspec.json.encode(rows)
        if len(text) > MOST_FORMATTED:
            raise errors.unsupported("Database response exceeded size limit")
        return {**shown, "formattedRecords": text.decode()}
    shown["records"] = [
        [told.field(column, cell) for column, cell in zip(answer.columns, row, strict=True)] for row in answer.rows
    ]
    return {**shown, "columnMetadata": described} if described else shown
