"""What a column's values become in an export, by the engine's own name of its type (pure).

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.data-types.html
"""

from __future__ import annotations

STRING = "string"
BINARY = "binary"
_POSTGRES = {
    "bigint": "int64", "integer": "int32", "smallint": "int16", "double precision": "double", "real": "float",
    "boolean": "boolean", "bytea": BINARY,
}  # fmt: skip
_MARIADB = {
    "tinyint": "int32", "smallint": "int32", "mediumint": "int32", "int": "int32", "bigint": "int64", "year": "int32",
    "float": "double", "double": "double", "datetime": "timestamp", "timestamp": "timestamp",
}  # fmt: skip
_BYTES = (
    "bit", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point", "linestring",
    "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
)  # fmt: skip
_WIDER = {"mediumint": "int64", "int": "int64", "bigint": "decimal(20,0)"}
"""Without a sign."""
_DIGITS = 38
"""More are text."""


def of_postgres(kind: str) -> str:
    """The form of a type as ``information_schema`` has it; what is no number and no truth is text."""
    return _POSTGRES.get(kind, STRING)


def of_mariadb(kind: str, declared: str, digits: int, scale: int) -> str:
    """Likewise, of ``DATA_TYPE`` and ``COLUMN_TYPE`` (``bigint(20) unsigned``), and of a decimal's digits."""
    if kind in _BYTES:
        return BINARY
    if kind in ("decimal", "numeric"):
        return f"decimal({digits},{scale})" if digits <= _DIGITS else STRING
    if "unsigned" in declared and kind in _WIDER:
        return _WIDER[kind]
    return _MARIADB.get(kind, STRING)
