"""Rows as files: CSV in gzip, or Parquet in snappy."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudjar.billing.rate import REPORT
from cloudjar.billing.report_rows import Column, Used, Value

CSV, PARQUET = "csv.gz", "snappy.parquet"
"""Forms of files, by what their names end in."""


def write(form: str, named: Iterable[tuple[str, Column]], rows: Iterable[Used]) -> bytes:
    """A whole file, of columns by the names that they have in it."""
    columns = [(name, *column) for name, column in named]
    if form == PARQUET:
        held = list(rows)
        return _parquet([(name, kind, [read(row) for row in held]) for name, kind, read in columns])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _, _ in columns])
    for row in rows:
        writer.writerow([_text(read(row)) for _, _, read in columns])
    return gzip.compress(text.getvalue().encode(), 6, mtime=0)


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value.quantize(REPORT).normalize(), "f")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S.000Z}"
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _parquet(columns: list[tuple[str, str, list[Value]]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    types = {
        "string": pyarrow.string(),
        "double": pyarrow.float64(),
        "timestamp": pyarrow.timestamp("ms", "UTC"),
        "map": pyarrow.map_(pyarrow.string(), pyarrow.string()),
    }
    arrays = [pyarrow.array([_plain(value) for value in values], types[kind]) for _, kind, values in columns]
    shape = pyarrow.schema([(name, types[kind]) for name, kind, _ in columns])
    sink = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=shape), sink, compression="snappy")
    return sink.getvalue()


def _plain(value: Value) -> Any:
    if isinstance(value, Decimal):
        return float(value.quantize(REPORT))
    return sorted(value.items()) if isinstance(value, dict) else value
