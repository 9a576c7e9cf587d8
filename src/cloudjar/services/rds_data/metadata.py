"""What columns are, as the API tells it: in the words of the engine's own library for Java (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudjar.planes.database.postgres_wire import Column, Value

ASKS = """SELECT coalesce(c.relname, ''), coalesce(a.attnotnull, false), c.oid IS NOT NULL AND a.attnum > 0,
    coalesce(a.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false),
    t.typname, coalesce(e.typname, '')
FROM unnest($1::oid[], $2::int2[], $3::oid[]) WITH ORDINALITY AS w(rel, num, typ, place)
LEFT JOIN pg_catalog.pg_class c ON c.oid = w.rel
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = w.rel AND a.attnum = w.num
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = w.rel AND d.adnum = w.num
JOIN pg_catalog.pg_type t ON t.oid = w.typ
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
ORDER BY w.place"""
_MOST = 2147483647
_TYPES = {
    "int2": (5, 5), "int4": (4, 10), "int8": (-5, 19), "oid": (-5, 10), "numeric": (2, 0), "float4": (7, 8),
    "float8": (8, 17), "money": (8, _MOST), "bool": (-7, 1), "bit": (-7, 1), "bpchar": (1, _MOST), "char": (1, 1),
    "varchar": (12, _MOST), "text": (12, _MOST), "name": (12, 63), "bytea": (-2, _MOST), "date": (91, 13),
    "time": (92, 15), "timetz": (92, 21), "timestamp": (93, 29), "timestamptz": (93, 35),
}  # fmt: skip
"""The number of java.sql.Types, and digits or characters at most."""
_SCALES = {"float4": 8, "float8": 17, "time": 6, "timetz": 6, "timestamp": 6, "timestamptz": 6}
_SERIAL = {"int2": "smallserial", "int4": "serial", "int8": "bigserial"}
_SIGNED = ("int2", "int4", "int8", "numeric", "float4", "float8", "money")
_CASELESS = (*_SIGNED, "oid", "bool", "bit", "date", "time", "timetz", "timestamp", "timestamptz", "interval")
_OTHER, _ARRAY = 1111, 2003


def asked(columns: Sequence[Column]) -> list[Value]:
    """The parameters of `ASKS`."""
    found = ([one.table for one in columns], [one.number for one in columns], [one.type for one in columns])
    return [Value("{" + ",".join(str(n) for n in numbers) + "}") for numbers in found]


def told(columns: Sequence[Column], rows: Sequence[tuple[str | None, ...]]) -> list[dict[str, Any]]:
    """Columns with what the engine said to `ASKS`."""
    return [_column(column, *(said or "" for said in row)) for column, row in zip(columns, rows, strict=True)]


def _column(
    column: Column, table: str, required: str, known: str, counted: str, kind: str, element: str
) -> dict[str, Any]:
    number, precision = (_ARRAY, _MOST) if element else _TYPES.get(kind, (_OTHER, _MOST))
    scale, declared = _SCALES.get(kind, 0), column.modifier - 4
    if kind == "numeric" and declared >= 0:
        precision, scale = declared >> 16 & 0xFFFF, declared & 0xFFFF
    elif kind in ("varchar", "bpchar") and declared >= 0:
        precision = declared
    counts = counted == "t"
    return {
        "name": column.name,
        "label": column.name,
        "type": number,
        "typeName": _SERIAL.get(kind, kind) if counts else kind,
        "schemaName": "",
        "tableName": table,
        "isAutoIncrement": counts,
        "isSigned": kind in _SIGNED,
        "isCurrency": kind == "money",
        "isCaseSensitive": kind not in _CASELESS,
        "nullable": (0 if required == "t" else 1) if known == "t" else 2,
        "precision": precision,
        "scale": scale,
        "arrayBaseColumnType": _TYPES.get(element, (_OTHER, 0))[0] if element else 0,
    }
