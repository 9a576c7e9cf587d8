"""CSV of an engine as Parquet: some rows at a time, packed with gzip (pure).

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.data-types.html
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from cloudjar.planes.database.reading import Table

SUFFIX = "c000.gz.parquet"
_BLOCK = 64 << 20
"""Bytes that are read at once; no row is longer."""
_LARGEST = 256 << 20
"""What a file has before another one is begun, more or less."""


class UnreadableError(Exception):
    """A table's rows cannot be taken: one is longer than what is read at once, or is no text where it should be."""


class Sink(Protocol):
    """Where the bytes of one file go."""

    def feed(self, data: bytes) -> None: ...

    def finish(self) -> Any: ...

    def abort(self) -> None: ...


def written(table: Table, rows: io.BufferedReader, begin: Callable[[], Sink]) -> Iterator[Sink]:
    """Write rows into files, each into what `begin` gives, and give each as soon as it is whole. No rows, no file."""
    if not rows.peek(1):
        return
    import pyarrow
    from pyarrow import parquet

    shape = pyarrow.schema([(column.name, _kept(column.form)) for column in table.columns])
    writer: Any = None
    stream: Any = None
    for batch in _batches(table, rows):
        if writer is None:
            stream = _Stream(begin())
            writer = parquet.ParquetWriter(stream, shape, compression="gzip", store_decimal_as_integer=True)
        writer.write_batch(_converted(table, batch, shape))
        if stream.size >= _LARGEST:
            writer.close()
            yield stream.sink
            writer = None
    if writer is not None:
        writer.close()
        yield stream.sink


def _batches(table: Table, rows: io.BufferedReader) -> Iterator[Any]:
    import pyarrow

    try:
        yield from _read(table, rows)
    except pyarrow.ArrowInvalid as failed:
        raise UnreadableError(f"{table.name}: {failed}") from failed


def _read(table: Table, rows: io.BufferedReader) -> Any:
    from pyarrow import csv

    return csv.open_csv(
        rows,
        csv.ReadOptions(column_names=[column.name for column in table.columns], block_size=_BLOCK, use_threads=False),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types={column.name: _told(column.form) for column in table.columns},
            null_values=[""], true_values=["t"], false_values=["f"], strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip


def _told(form: str) -> Any:
    """What a column is in the CSV."""
    import pyarrow

    if form in ("binary", "string"):
        return pyarrow.string()
    return pyarrow.timestamp("us") if form == "timestamp" else _kept(form)


def _kept(form: str) -> Any:
    """What a column is in the file."""
    import pyarrow

    if form.startswith("decimal("):
        digits, scale = form[8:-1].split(",")
        return pyarrow.decimal128(int(digits), int(scale))
    return {
        "string": pyarrow.string, "binary": pyarrow.binary, "int64": pyarrow.int64, "int32": pyarrow.int32,
        "int16": pyarrow.int16, "double": pyarrow.float64, "float": pyarrow.float32, "boolean": pyarrow.bool_,
        "timestamp": lambda: pyarrow.timestamp("us", "UTC"),
    }[form]()  # fmt: skip


def _converted(table: Table, batch: Any, shape: Any) -> Any:
    import pyarrow

    columns = []
    for column, held in zip(table.columns, batch.columns, strict=True):
        if column.form == "binary":
            digits = (one.as_py() for one in held)
            held = pyarrow.array(
                [None if one is None else bytes.fromhex(one.removeprefix("\\x")) for one in digits], pyarrow.binary()
            )
        elif column.form == "timestamp":
            held = held.cast(pyarrow.int64()).cast(pyarrow.timestamp("us", "UTC"))
        columns.append(held)
    return pyarrow.RecordBatch.from_arrays(columns, schema=shape)


class _Stream(io.RawIOBase):
    """A file that can only be written on."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        held = bytes(data)
        self.sink.feed(held)
        self.size += len(held)
        return len(held)

    def tell(self) -> int:
        return self.size
