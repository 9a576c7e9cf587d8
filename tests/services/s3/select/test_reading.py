"""How objects become rows, however their bytes are cut, and rows a result."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.s3.select import reading, writing
from cloudjar.services.s3.select.reading import Counter, Csv, Scan
from cloudjar.services.s3.select.running import Fields
from cloudjar.services.s3.select.values import MISSING


def cut(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


SIZES = [1, 2, 3, 7, 1000]


@pytest.mark.parametrize("size", SIZES)
def test_csv_records(size: int) -> None:
    data = b'a,b\r\n#no\n"x, ""y""",2\n\n\xc3\xa9,3'
    assert list(reading.csv_records(cut(data, size), Csv())) == [["a", "b"], ['x, "y"', "2"], ["é", "3"]]


@pytest.mark.parametrize("size", SIZES)
def test_quoted_records(size: int) -> None:
    data = b'1;"a\nb"\n2;c\n'
    form = Csv(field=";", quoted_records=True)
    assert list(reading.csv_records(cut(data, size), form)) == [["1", "a\nb"], ["2", "c"]]


@pytest.mark.parametrize("size", SIZES)
def test_other_delimiters_and_escapes(size: int) -> None:
    form = Csv(field="|", record="\r\r", quote="'", escape="\\", comments="")
    data = rb"1|'it\'s'" + b"\r\r#2|x\r\r"
    assert list(reading.csv_records(cut(data, size), form)) == [["1", "it's"], ["#2", "x"]]


@pytest.mark.parametrize("size", SIZES)
def test_json_documents_and_lines(size: int) -> None:
    lines = b'{"a": 1.10}\n\n{"a": "x\\n"}\n'
    found = list(reading.json_values(cut(lines, size), "LINES", elements=False))
    assert found == [{"a": Decimal("1.10")}, {"a": "x\n"}]
    values = [{"a": [1, {"b": '}"]\\'}]}, {"c": None}]
    following = b"".join(json.dumps(value, indent=1).encode() for value in values)
    assert list(reading.json_values(cut(following, size), "DOCUMENT", elements=True)) == values
    array = json.dumps([*values, 5, "a,b", [], [[]]], indent=2).encode()
    assert list(reading.json_values(cut(array, size), "DOCUMENT", elements=True)) == [*values, 5, "a,b", [], [[]]]
    assert list(reading.json_values(cut(array, size), "DOCUMENT", elements=False)) == [[*values, 5, "a,b", [], [[]]]]


def test_json_that_is_none() -> None:
    for data in (b'{"a": ', b"[1, 2", b'{"a" 1}', b'"x', b"nope"):
        with pytest.raises(AwsError) as caught:
            list(reading.json_values(cut(data, 2), "DOCUMENT", elements=True))
        assert caught.value.code == "JSONParsingError"


@pytest.mark.parametrize("size", SIZES)
def test_unpacking(size: int) -> None:
    data = b"0123456789" * 1000
    counter = Counter()
    packed = gzip.compress(data[:5000]) + gzip.compress(data[5000:])
    assert b"".join(reading.unpacked(cut(packed, size), "GZIP", counter)) == data
    assert (counter.scanned, counter.processed) == (len(packed), len(data))
    packed = bz2.compress(data[:5000]) + bz2.compress(data[5000:])
    assert b"".join(reading.unpacked(cut(packed, size), "BZIP2", Counter())) == data


def test_a_bomb_does_not_fill_the_memory() -> None:
    packed = gzip.compress(bytes(64 << 20))
    pieces = [len(piece) for piece in reading.unpacked(cut(packed, 1 << 16), "GZIP", Counter())]
    assert max(pieces) <= reading.RECORD
    assert sum(pieces) == 64 << 20


@pytest.mark.parametrize("packed", [b"plain text", gzip.compress(b"x" * 100, mtime=0)[:-3]], ids=["plain", "cut"])
def test_what_is_not_packed_so(packed: bytes) -> None:
    with pytest.raises(AwsError) as caught:
        list(reading.unpacked(cut(packed, 4), "GZIP", Counter()))
    assert caught.value.code == "InvalidCompressionFormat"


def test_records_too_long_and_text_that_is_none() -> None:
    with pytest.raises(AwsError) as caught:
        list(reading.csv_records(cut(b"x" * (reading.RECORD + 1), 1 << 16), Csv()))
    assert caught.value.code == "OverMaxRecordSize"
    with pytest.raises(AwsError) as caught:
        list(reading.csv_records([b"a,\xff\n"], Csv()))
    assert caught.value.code == "InvalidTextEncoding"


@pytest.mark.parametrize("delimiter", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", SIZES)
def test_scans_that_adjoin_give_every_record_once(size: int, delimiter: bytes) -> None:
    records = [b"r" * (number % 5) + str(number).encode() for number in range(20)]
    data = delimiter.join(records) + delimiter
    for width in (1, 4, 9, 50):
        found: list[bytes] = []
        for start in range(0, len(data), width):
            scan = Scan(start, min(start + width, len(data)))
            pieces = reading.ranged(lambda a, b: cut(data[a:b], size), len(data), scan, delimiter)
            found += [one for one in b"".join(pieces).split(delimiter) if one]
        assert found == records


def test_results() -> None:
    row = Fields(
        ("a", "b", "c", "d", "e"), ("x,y", Decimal("1.50"), None, MISSING, datetime(2026, 1, 1, tzinfo=UTC))
    )
    as_csv = writing.writer({"CSV": {}})
    assert as_csv(row) == b'"x,y",1.5,,,2026-01-01T00:00:00Z\n'
    always = writing.writer({"CSV": {"QuoteFields": "ALWAYS", "FieldDelimiter": ";", "RecordDelimiter": "|"}})
    assert always(row) == b'"x,y";"1.5";"";"";"2026-01-01T00:00:00Z"|'
    as_json = writing.writer({"JSON": {}})
    assert as_json(row) == b'{"a":"x,y","b":1.5,"c":null,"e":"2026-01-01T00:00:00Z"}\n'


def test_parquet() -> None:
    import io

    pyarrow: Any = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    held = io.BytesIO()
    parquet.write_table(pyarrow.table({"n": [1, 2], "t": ["a", None]}), held)
    data = held.getvalue()
    counter = Counter()
    table, rows = reading.parquet(lambda a, b: cut(data[a:b], 9), len(data), counter)
    assert table.names == ("n", "t")
    assert list(rows) == [[1, "a"], [2, None]]
    assert counter.scanned > 0
    with pytest.raises(AwsError) as caught:
        reading.parquet(lambda a, b: [b"x" * (b - a)], 100, counter)
    assert caught.value.code == "ParquetParsingError"
