"""An object as rows: CSV, JSON and Parquet, from bytes that come in pieces.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_InputSerialization.html
"""

from __future__ import annotations

import bz2
import csv
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.services.s3.select.running import Table
from cloudjar.services.s3.select.tokens import refuse

Open = Callable[[int, int], Iterable[bytes]]
"""(start, stop) -> the object's bytes there, in pieces."""

RECORD = 1 << 20
"""Bytes that a record may have."""
_DOCUMENT = 32 << 20
"""Bytes of one JSON value that is read whole, because the query looks into it."""


class Scan(NamedTuple):
    """Bytes among which records must begin: [start, stop)."""

    start: int
    stop: int


class Counter:
    """How many bytes were read of the object, and how many they were once unpacked."""

    def __init__(self) -> None:
        self.scanned = 0
        self.processed = 0


def too_large() -> Exception:
    """A record that is longer than S3 Select takes."""
    return refuse(
        "OverMaxRecordSize",
        "The length of a record in the input or result is greater than the maxCharsPerRecord limit of 1 MB.",
    )


def unpacked(pieces: Iterable[bytes], compression: str, counter: Counter) -> Iterator[bytes]:
    """The bytes of a GZIP, BZIP2 or plain object. Raises InvalidCompressionFormat."""
    for data in _unpacked(_counted(pieces, counter), compression):
        counter.processed += len(data)
        if data:
            yield data


def _counted(pieces: Iterable[bytes], counter: Counter) -> Iterator[bytes]:
    for data in pieces:
        counter.scanned += len(data)
        yield data


def _unpacked(pieces: Iterable[bytes], compression: str) -> Iterator[bytes]:
    if compression == "NONE":
        yield from pieces
        return
    bad = refuse(
        "InvalidCompressionFormat",
        f"{compression} is not applicable to the queried object. Please correct the request and try again.",
    )
    make: Callable[[], Any] = bz2.BZ2Decompressor if compression == "BZIP2" else lambda: zlib.decompressobj(31)
    opened = make()
    try:
        for data in pieces:
            rest = data
            while rest:
                if opened.eof:
                    opened = make()
                yield from _limited(opened, rest)
                rest = opened.unused_data
        if not opened.eof:
            raise bad
    except (OSError, zlib.error, EOFError):
        raise bad from None


def _limited(opened: Any, data: bytes) -> Iterator[bytes]:
    """What comes of some packed bytes, a megabyte at a time: a bomb must not fill the memory."""
    yield opened.decompress(data, RECORD)
    if isinstance(opened, bz2.BZ2Decompressor):
        while not (opened.eof or opened.needs_input):
            yield opened.decompress(b"", RECORD)
        return
    while opened.unconsumed_tail and not opened.eof:
        yield opened.decompress(opened.unconsumed_tail, RECORD)


# -- records
def split(pieces: Iterable[bytes], delimiter: bytes, *, quote: bytes = b"", newline: bool = True) -> Iterator[bytes]:
    """Records without their delimiters. With `quote`, delimiters within quotes do not count. `newline`: a carriage
    return before a line feed belongs to it."""
    held = b""
    for data in pieces:
        held += data
        *whole, held = _cut(held, delimiter, quote)
        for one in whole:
            yield _bare(one, newline=newline)
        if len(held) > RECORD:
            raise too_large()
    if held:
        yield _bare(held, newline=newline)


def _bare(record: bytes, *, newline: bool) -> bytes:
    if len(record) > RECORD:
        raise too_large()
    return record[:-1] if newline and record.endswith(b"\r") else record


def _cut(data: bytes, delimiter: bytes, quote: bytes) -> list[bytes]:
    parts = data.split(delimiter)
    if not quote or quote not in data:
        return parts
    joined: list[bytes] = []
    open_one: list[bytes] = []
    odd = False
    for part in parts:
        odd ^= part.count(quote) % 2 == 1
        open_one.append(part)
        if not odd:
            joined.append(delimiter.join(open_one))
            open_one = []
    return [*joined, delimiter.join(open_one)] if open_one else joined


def ranged(read: Open, size: int, scan: Scan | None, delimiter: bytes) -> Iterator[bytes]:
    """The bytes of the records that begin within a scan range: the one that its end cuts is given whole."""
    if scan is None:
        yield from read(0, size)
        return
    start, skip = scan.start, False
    if start > 0:  # the record before belongs to whoever scans before, unless it ends just here
        start -= len(delimiter)
        skip = True
    at = max(start, 0)
    held = b""
    for data in read(at, size):
        held += data
        if skip:
            found = held.find(delimiter)
            if found < 0:
                at += max(len(held) - len(delimiter), 0)
                held = held[-len(delimiter) :]
                continue
            at += found + len(delimiter)
            held, skip = held[found + len(delimiter) :], False
        if at >= scan.stop:
            return
        if at + len(held) >= scan.stop:
            end = held.find(delimiter, max(scan.stop - at - len(delimiter), 0))
            if end >= 0:
                yield held[: end + len(delimiter)]
                return
            keep = max(scan.stop - at - len(delimiter), 0)
            yield held[:keep]
            at, held = at + keep, held[keep:]
            continue
        keep = max(len(held) - len(delimiter), 0)
        yield held[:keep]
        at, held = at + keep, held[keep:]
    if held and not skip:
        yield held


# -- CSV
class Csv(NamedTuple):
    """How a CSV file is written."""

    header: str = "NONE"
    comments: str = "#"
    escape: str = '"'
    record: str = "\n"
    field: str = ","
    quote: str = '"'
    quoted_records: bool = False


def csv_form(given: Mapping[str, Any]) -> Csv:
    """From ``InputSerialization.CSV``."""
    form = Csv(
        given.get("FileHeaderInfo") or "NONE",
        "#" if given.get("Comments") is None else given["Comments"],
        given.get("QuoteEscapeCharacter") or '"',
        given.get("RecordDelimiter") or "\n",
        given.get("FieldDelimiter") or ",",
        '"' if given.get("QuoteCharacter") is None else given["QuoteCharacter"],
        bool(given.get("AllowQuotedRecordDelimiter")),
    )
    if len(form.field) != 1 or len(form.record.encode()) > 2 or len(form.quote) > 1 or len(form.escape) > 1:
        raise refuse("InvalidRequestParameter", "The value of a parameter in the SelectRequest element is invalid.")
    return form


def csv_records(pieces: Iterable[bytes], form: Csv) -> Iterator[list[str]]:
    """The records of a CSV file, its header among them. Raises InvalidTextEncoding and CSVParsingError."""
    quote = form.quote.encode() if form.quoted_records and form.quote else b""
    for line in split(pieces, form.record.encode(), quote=quote, newline=form.record == "\n"):
        if not line:
            continue
        text = _decoded(line)
        if form.comments and text.startswith(form.comments):
            continue
        yield _fields(text, form)


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if line.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError:
        raise refuse(
            "InvalidTextEncoding", "Invalid encoding type. Only UTF-8 encoding is supported."
        ) from None


def _fields(text: str, form: Csv) -> list[str]:
    if not form.quote or form.quote not in text:
        return text.split(form.field)
    doubled = form.escape == form.quote
    try:
        return next(
            csv.reader(
                (text,),
                delimiter=form.field,
                quotechar=form.quote,
                doublequote=doubled,
                escapechar=None if doubled else form.escape,
            )
        )
    except (csv.Error, StopIteration):
        said = "Encountered an error parsing the CSV file. Check the file and try again."
        raise refuse("CSVParsingError", said) from None


def csv_table(first: list[str] | None, form: Csv) -> Table:
    """What the columns are called, given the file's first record."""
    return Table(tuple(first) if form.header == "USE" and first else ())


# -- JSON
def json_values(pieces: Iterable[bytes], kind: str, *, elements: bool) -> Iterator[Any]:
    """The JSON values of an object: one a line (LINES), or one after the other (DOCUMENT). `elements`: of an array at
    the top its elements are the rows. Raises JSONParsingError and InvalidTextEncoding."""
    found = split(pieces, b"\n") if kind == "LINES" else _documents(pieces, elements=elements)
    for text in found:
        if text.strip():
            yield from _rows(text, elements=elements and kind == "LINES")


def _rows(text: bytes, *, elements: bool) -> Iterator[Any]:
    import json

    try:
        value = json.loads(_decoded(text), parse_float=Decimal)
    except (ValueError, RecursionError):
        raise refuse(
            "JSONParsingError", "Encountered an error parsing the JSON file. Check the file and try again."
        ) from None
    if elements and isinstance(value, list):
        yield from value
    else:
        yield value


_MARK = re.compile(rb'["\\{}\[\],]|\s+')


def _documents(pieces: Iterable[bytes], *, elements: bool) -> Iterator[bytes]:
    """Values that follow each other, cut apart without being read; of an array at the top, its elements when they are
    what is asked for, so that it need not be held."""
    cutter = _Cutter(elements=elements)
    for data in pieces:
        yield from cutter.feed(data)
    yield from cutter.end()


class _Cutter:
    """Finds where JSON values end by their brackets and quotes alone."""

    def __init__(self, *, elements: bool) -> None:
        self._elements = elements
        self._held = bytearray()
        self._at = 0
        self._depth = 0
        self._text = False
        self._array = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._held += data
        held, at = self._held, self._at
        while match := _MARK.search(held, at):
            mark = match[0]
            at = match.end()
            if self._text:
                if mark == b"\\":
                    if at == len(held):
                        self._at = at - 1  # what is escaped has not come yet
                        break
                    at += 1
                elif mark == b'"':
                    self._text = False
                continue
            found = self._mark(mark, match.start(), at)
            if found is not None:
                start, stop = found
                value = bytes(held[start:stop])
                del held[:at]
                at = 0
                yield value
        else:
            self._at = len(held)
        if len(held) > _DOCUMENT:
            raise too_large()

    def _mark(self, mark: bytes, start: int, stop: int) -> tuple[int, int] | None:
        """Where a value lies that this mark ends."""
        if mark == b'"':
            self._text = True
        elif mark in (b"{", b"["):
            if mark == b"[" and self._depth == 0 and self._elements and not self._array:
                self._array = True
                return (0, 0) if not bytes(self._held[:start]).strip() else None
            self._depth += 1
        elif mark in (b"}", b"]"):
            if self._depth == 0 and self._array:
                self._array = False
                return 0, start
            self._depth -= 1
            if self._depth == 0 and not self._array:
                return 0, stop
        elif self._depth == 0 and self._array and mark == b",":
            return 0, start
        elif self._depth == 0 and not self._array and mark.isspace():
            return 0, stop
        return None

    def end(self) -> Iterator[bytes]:
        if self._depth or self._text or self._array:
            raise refuse(
                "JSONParsingError", "Encountered an error parsing the JSON file. Check the file and try again."
            )
        yield bytes(self._held)


# -- Parquet
class _Seekable(io.RawIOBase):
    """An object as a file that can be read anywhere, in clear in memory alone."""

    def __init__(self, read: Open, size: int, counter: Counter) -> None:
        self._read = read
        self._size = size
        self._place = 0
        self._counter = counter

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(base + offset, 0)
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        stop = self._size if size is None or size < 0 else min(self._place + size, self._size)
        data = b"".join(self._read(self._place, stop)) if stop > self._place else b""
        self._place += len(data)
        self._counter.scanned += len(data)
        return data


def parquet(read: Open, size: int, counter: Counter) -> tuple[Table, Iterator[list[Any]]]:
    """The columns and rows of a Parquet file. Raises ParquetParsingError."""
    import pyarrow
    from pyarrow import parquet as files

    bad = refuse("ParquetParsingError", "Encountered an error parsing the Parquet file. Check the file and try again.")
    try:
        opened = files.ParquetFile(pyarrow.PythonFile(_Seekable(read, size, counter), mode="r"))
    except (pyarrow.ArrowException, OSError, ValueError):
        raise bad from None

    def rows() -> Iterator[list[Any]]:
        try:
            for batch in opened.iter_batches(batch_size=4096):
                counter.processed += batch.nbytes
                columns = [column.to_pylist() for column in batch.columns]
                for row in zip(*columns, strict=True):
                    yield list(row)
        except (pyarrow.ArrowException, OSError):
            raise bad from None

    return Table(tuple(opened.schema_arrow.names)), rows()
