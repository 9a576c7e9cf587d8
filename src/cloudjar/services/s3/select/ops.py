"""SelectObjectContent: the answer is a stream of events, made while it is read.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_SelectObjectContent.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.objects import encryption, finding
from cloudjar.services.s3.objects.reading import check_readable
from cloudjar.services.s3.objects.rows import Content
from cloudjar.services.s3.objects.writing import blobs
from cloudjar.services.s3.select import reading
from cloudjar.services.s3.select.grammar import parse
from cloudjar.services.s3.select.reading import Counter, Open, Scan
from cloudjar.services.s3.select.running import Fields, Plan, Table
from cloudjar.services.s3.select.tokens import refuse
from cloudjar.services.s3.select.tree import Every, Query
from cloudjar.services.s3.select.writing import Write, writer

_PAYLOAD = 64 << 10
_PROGRESS = 8 << 20
"""Bytes read between two progress events."""


class Answer:
    """The body: events, made on whatever thread pulls them. Reading an object blocks."""

    blocks = True

    def __init__(self, events: Iterator[dict[str, Any]]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._events


def prepare(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """Read a query, and so much of its object that what is wrong with either shows at once; on a thread, for a disk may
    have to be waited for."""
    bucket = need_bucket(ctx, req)
    version = finding.need(ctx, bucket, req, "POST")
    customer = encryption.customer_key(req)
    encryption.check_customer(version.sse, customer)
    check_readable(ctx, version)
    if req["ExpressionType"] != "SQL":
        raise refuse("InvalidExpressionType", "The ExpressionType is invalid. Only SQL expressions are supported.")
    query = parse(req["Expression"])
    write = writer(req["OutputSerialization"])
    given = req["InputSerialization"]
    scan = _scan(req, given, version.size)
    content = version.content or Content()
    key = encryption.opened(ctx, bucket, version.key, version.sse, content.key, customer)
    held = blobs(ctx)

    def read(start: int, stop: int) -> Iterable[bytes]:
        return held.open(content.blob, key, start, stop - start) if stop > start else ()

    counter = Counter()
    table, rows = _rows(read, version.size, given, scan, query, counter)
    plan = Plan(query, table, ctx.now)
    rows = iter(rows)
    first = list(islice(rows, 1))
    told = bool((req.get("RequestProgress") or {}).get("Enabled"))
    return ctx.prepared(Answer(_events(plan.run(chain(first, rows)), write, counter, progress=told)))


@op("SelectObjectContent", writes=False, data=True, prepare=prepare)
def select_object_content(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Run a query over one object."""
    return {"Payload": ctx.fetched}


def _scan(req: Mapping[str, Any], given: Mapping[str, Any], size: int) -> Scan | None:
    """The scan range. Raises InvalidScanRange, and UnsupportedScanRangeInput for what cannot be cut."""
    asked = req.get("ScanRange")
    if asked is None or (asked.get("Start") is None and asked.get("End") is None):
        return None
    csv, json = given.get("CSV"), given.get("JSON")
    cut = (csv is not None and not csv.get("AllowQuotedRecordDelimiter")) or (
        json is not None and json.get("Type") == "LINES"
    )
    if not cut or (given.get("CompressionType") or "NONE") != "NONE":
        raise refuse(
            "UnsupportedScanRangeInput",
            "Scan range queries are not supported on this type of object.",
        )
    start, stop = asked.get("Start"), asked.get("End")
    if start is None:
        return Scan(max(size - stop, 0), size)
    if stop is not None and stop < start:
        raise refuse("InvalidScanRange", "The provided scan range is not valid.")
    if start >= size:
        raise refuse("InvalidScanRange", "The provided scan range is not valid: it begins after the object's end.")
    return Scan(start, size if stop is None else min(stop, size))


def _rows(
    read: Open, size: int, given: Mapping[str, Any], scan: Scan | None, query: Query, counter: Counter
) -> tuple[Table | None, Iterable[Any]]:
    forms = [name for name in ("CSV", "JSON", "Parquet") if given.get(name) is not None]
    if len(forms) != 1:
        raise refuse("InvalidDataSource", "The InputSerialization must name exactly one of CSV, JSON and Parquet.")
    packed = given.get("CompressionType") or "NONE"
    if forms == ["Parquet"]:
        if packed != "NONE":
            raise refuse("InvalidCompressionFormat", "The file is not in a supported compression format.")
        return reading.parquet(read, size, counter)
    if forms == ["JSON"]:
        kind = given["JSON"].get("Type") or "DOCUMENT"
        pieces = reading.unpacked(reading.ranged(read, size, scan, b"\n"), packed, counter)
        elements = bool(query.source) and isinstance(query.source[0], Every)
        return None, reading.json_values(pieces, kind, elements=elements)
    return _csv_rows(read, size, given["CSV"], scan, packed, counter)


def _csv_rows(
    read: Open, size: int, given: Mapping[str, Any], scan: Scan | None, packed: str, counter: Counter
) -> tuple[Table, Iterable[Any]]:
    form = reading.csv_form(given)
    pieces = reading.unpacked(reading.ranged(read, size, scan, form.record.encode()), packed, counter)
    records = reading.csv_records(pieces, form)
    if form.header == "NONE":
        return Table(()), records
    if scan is None or scan.start == 0:
        first = next(records, None)
    else:  # the header is at the object's beginning, wherever the scan is
        first = next(reading.csv_records(read(0, size), form), None)
    return reading.csv_table(first, form), records


def _events(
    found: Iterable[Fields], write: Write, counter: Counter, *, progress: bool
) -> Iterator[dict[str, Any]]:
    returned, told = 0, 0
    held: list[bytes] = []
    waiting = 0
    for row in found:
        record = write(row)
        if len(record) > reading.RECORD:
            raise reading.too_large()
        held.append(record)
        waiting += len(record)
        if waiting >= _PAYLOAD:
            yield {"Records": {"Payload": b"".join(held)}}
            returned += waiting
            held, waiting = [], 0
        if progress and counter.scanned - told >= _PROGRESS:
            told = counter.scanned
            yield {"Progress": {"Details": _stats(counter, returned)}}
    if held:
        yield {"Records": {"Payload": b"".join(held)}}
        returned += waiting
    if progress:
        yield {"Progress": {"Details": _stats(counter, returned)}}
    yield {"Stats": {"Details": _stats(counter, returned)}}
    yield {"End": {}}


def _stats(counter: Counter, returned: int) -> dict[str, int]:
    return {"BytesScanned": counter.scanned, "BytesProcessed": counter.processed, "BytesReturned": returned}
