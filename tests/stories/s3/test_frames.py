"""Tables in S3 with the libraries that people read them with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.stories.s3.conftest import Tool
from tests.stories.served import Served

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]


def test_s3fs_pandas_pyarrow_and_duckdb_read_what_each_other_wrote(run: Tool, shop: Served) -> None:
    python = Path(sys.prefix) / "clients" / "bin" / "python"
    assert python.exists(), "the Python clients are not there. Try: make clients"
    saw = json.loads(run(str(python), str(Path(__file__).with_name("frames.py"))))
    rows = saw["rows"]
    assert saw["range"] == "AABB"
    assert saw["moved"] == ["cj-frames/raw/y.txt"]
    assert saw["size"] == 12_000_000
    assert saw["equal"] is True
    assert saw["files"] == ["cj-frames/table/one.parquet", "cj-frames/table/two.parquet"]
    last = range(rows - 10, rows)
    assert saw["counted"] == [rows + 10, sum(range(rows)) + sum(last)]
    assert saw["csv"] == [10, f"row {rows - 10}"]
    listed = shop.client("s3").list_objects_v2(Bucket="cj-frames")["Contents"]
    assert [o["Key"] for o in listed] == ["out.csv", "raw/y.txt", "table/one.parquet", "table/two.parquet"]
