"""SelectObjectContent through a client."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.services.s3.conftest import Bucket

PEOPLE = b"name,age\nAnn,30\nBob,4\n"
CSV = {"CSV": {"FileHeaderInfo": "USE"}}


def ask(bucket: Bucket, expression: str, given: dict[str, Any], key: str = "k", **more: Any) -> tuple[bytes, Any]:
    answer = bucket.s3.select_object_content(
        Bucket=bucket.name,
        Key=key,
        ExpressionType="SQL",
        Expression=expression,
        InputSerialization=given,
        **{"OutputSerialization": {"CSV": {}}, **more},
    )
    with closing(answer["Payload"]) as payload:
        events = list(payload)
    assert events[-1] == {"End": {}}
    stats = next(event["Stats"]["Details"] for event in events if "Stats" in event)
    return b"".join(event["Records"]["Payload"] for event in events if "Records" in event), stats


def test_a_query_over_csv(bucket: Bucket) -> None:
    bucket.put("k", PEOPLE)
    found, stats = ask(bucket, "SELECT s.name FROM S3Object s WHERE CAST(s.age AS INT) > 20", CSV)
    assert found == b"Ann\n"
    assert stats == {"BytesScanned": len(PEOPLE), "BytesProcessed": len(PEOPLE), "BytesReturned": 4}
    found, _ = ask(bucket, "SELECT * FROM S3Object", CSV, OutputSerialization={"JSON": {}})
    assert [json.loads(line) for line in found.splitlines()] == [
        {"name": "Ann", "age": "30"},
        {"name": "Bob", "age": "4"},
    ]


def test_packed_json_large_enough_for_several_events(bucket: Bucket) -> None:
    rows = [{"n": number, "pad": "x" * 50} for number in range(5000)]
    packed = gzip.compress("\n".join(json.dumps(row) for row in rows).encode())
    bucket.put("k", packed)
    given = {"JSON": {"Type": "LINES"}, "CompressionType": "GZIP"}
    found, stats = ask(bucket, "SELECT s.n, s.pad FROM S3Object s", given, RequestProgress={"Enabled": True})
    assert found.count(b"\n") == 5000
    assert stats["BytesScanned"] == len(packed)
    found, _ = ask(bucket, "SELECT COUNT(*), MAX(s.n) FROM S3Object s", given)
    assert found == b"5000,4999\n"


def test_scan_ranges(bucket: Bucket) -> None:
    bucket.put("k", PEOPLE)
    scan: dict[str, Any] = {"ScanRange": {"Start": 10, "End": 17}}
    assert ask(bucket, "SELECT * FROM S3Object", CSV, **scan)[0] == b"Bob,4\n"
    with pytest.raises(ClientError, match="InvalidScanRange"):
        ask(bucket, "SELECT * FROM S3Object", CSV, ScanRange={"Start": 10, "End": 3})


def test_what_is_wrong_is_told_by_the_status_or_within_the_stream(bucket: Bucket) -> None:
    bucket.put("k", PEOPLE)
    for expression, code in (
        ("SELECT nobody FROM S3Object", "MissingHeaders"),
        ("SELECT FROM S3Object", "ParseEmptySelect"),
    ):
        with pytest.raises(ClientError) as caught:
            ask(bucket, expression, CSV)
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    with pytest.raises(EventStreamError, match="CastFailed"):
        ask(bucket, "SELECT CAST(name AS INT) FROM S3Object", CSV)
    with pytest.raises(ClientError, match="NoSuchKey"):
        ask(bucket, "SELECT * FROM S3Object", CSV, key="none")
