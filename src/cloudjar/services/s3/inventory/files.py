"""Inventory files: CSV, packed; Parquet and ORC. Written to wherever bytes go, some rows at a time."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from cloudjar.services.s3.inventory.rows import Column, Value, csv_row

_BATCH = 10_000
SUFFIXES = {"CSV": "csv.gz", "Parquet": "parquet", "ORC": "orc"}
_ARROW = {"string": "string", "long": "int64", "boolean": "bool_", "timestamp": "timestamp"}
_WORDS = {"string": "optional binary {} (STRING);", "long": "optional int64 {};", "boolean": "optional boolean {};",
          "timestamp": "optional int64 {} (TIMESTAMP(MILLIS,true));"}  # fmt: skip


class Out(Protocol):
    """Where bytes go."""

    def feed(self, data: bytes) -> None: ...


def schema(form: str, wanted: Sequence[Column]) -> str:
    """The manifest's ``fileSchema``."""
    if form == "CSV":
        return ", ".join(column.name for column in wanted)
    if form == "ORC":
        kinds = {"long": "bigint"}
        fields = ",".join(f"{column.field}:{kinds.get(column.type, column.type)}" for column in wanted)
        return f"struct<{fields}>"
    fields = " ".join(_WORDS[column.type].format(column.field) for column in wanted)
    return f"message s3.inventory {{ {fields} }}"


def write(form: str, wanted: Sequence[Column], rows: Iterable[Sequence[Value]], out: Out) -> None:
    """One file with all rows."""
    stream = _Stream(out)
    if form == "CSV":
        _write_csv(wanted, rows, stream)
    else:
        _write_columns(form, wanted, rows, stream)


def _write_csv(wanted: Sequence[Column], rows: Iterable[Sequence[Value]], stream: _Stream) -> None:
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as packed:
        for row in rows:
            packed.write((csv_row(row, wanted) + "\n").encode())


def _write_columns(form: str, wanted: Sequence[Column], rows: Iterable[Sequence[Value]], stream: _Stream) -> None:
    import pyarrow

    types = [pyarrow.timestamp("ms", "UTC") if column.type == "timestamp" else getattr(pyarrow, _ARROW[column.type])()
             for column in wanted]  # fmt: skip
    shape = pyarrow.schema([(column.field, kind) for column, kind in zip(wanted, types, strict=True)])
    writer: Any
    if form == "Parquet":
        from pyarrow import parquet

        writer = parquet.ParquetWriter(stream, shape)
    else:
        from pyarrow import orc

        writer = orc.ORCWriter(stream)
    with writer:
        written = False
        for batch in _batches(rows):
            held = [pyarrow.array(list(values), kind) for values, kind in zip(zip(*batch, strict=True), types,
                                                                              strict=True)]  # fmt: skip
            _write_table(writer, pyarrow.Table.from_arrays(held, schema=shape))
            written = True
        if not written:
            _write_table(writer, shape.empty_table())


def _write_table(writer: Any, table: Any) -> None:
    (writer.write_table if hasattr(writer, "write_table") else writer.write)(table)


def _batches(rows: Iterable[Sequence[Value]]) -> Iterator[list[Sequence[Value]]]:
    held = iter(rows)
    while batch := list(islice(held, _BATCH)):
        yield batch


class _Stream(io.RawIOBase):
    """A file that can only be written on."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        held = bytes(data)
        self._out.feed(held)
        self._size += len(held)
        return len(held)

    def tell(self) -> int:
        return self._size
