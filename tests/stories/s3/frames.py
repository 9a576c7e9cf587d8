"""What people do with tables in S3, run by an environment of its own (see tools/clients.txt): it prints what it saw."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import duckdb_extension_httpfs
import pandas as pd
import pyarrow.fs
import pyarrow.parquet as pq
import s3fs

KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
ENDPOINT, REGION = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]
HOST = ENDPOINT.removeprefix("http://")
ROWS = 200_000


def of_s3fs(saw: dict[str, object]) -> None:
    files = s3fs.S3FileSystem(client_kwargs={"endpoint_url": ENDPOINT, "region_name": REGION})
    files.mkdir("cj-frames", create_parents=True)
    with files.open("cj-frames/raw/x.txt", "wb", block_size=5 << 20) as out:
        for n in range(12):
            out.write(bytes([65 + n]) * 1_000_000)
    saw["range"] = files.cat_file("cj-frames/raw/x.txt", start=999_998, end=1_000_002).decode()
    files.mv("cj-frames/raw/x.txt", "cj-frames/raw/y.txt")
    saw["moved"] = files.find("cj-frames/raw")
    saw["size"] = files.info("cj-frames/raw/y.txt")["size"]


def of_pandas(saw: dict[str, object]) -> None:
    frame = pd.DataFrame({"n": range(ROWS), "s": [f"row {n}" for n in range(ROWS)]})
    options = {"client_kwargs": {"endpoint_url": ENDPOINT, "region_name": REGION}}
    frame.to_parquet("s3://cj-frames/table/one.parquet", storage_options=options, row_group_size=20_000)
    saw["equal"] = bool(pd.read_parquet("s3://cj-frames/table/one.parquet", storage_options=options).equals(frame))


def of_pyarrow(saw: dict[str, object]) -> None:
    files = pyarrow.fs.S3FileSystem(endpoint_override=HOST, scheme="http", region=REGION)
    part = pq.read_table("cj-frames/table/one.parquet", filesystem=files, filters=[("n", ">=", ROWS - 10)])
    pq.write_table(part, "cj-frames/table/two.parquet", filesystem=files)
    found = files.get_file_info(pyarrow.fs.FileSelector("cj-frames/table", recursive=True))
    saw["files"] = sorted(f.path for f in found)


def of_duckdb(saw: dict[str, object]) -> None:
    (extension,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("*.duckdb_extension")
    db = duckdb.connect()
    db.execute(f"LOAD '{extension}'")
    db.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', REGION '{REGION}', ENDPOINT '{HOST}', "
        "USE_SSL false, URL_STYLE 'path')"
    )
    saw["counted"] = db.execute("SELECT count(*), sum(n) FROM 's3://cj-frames/table/*.parquet'").fetchone()
    db.execute("COPY (SELECT n, s FROM 's3://cj-frames/table/two.parquet') TO 's3://cj-frames/out.csv'")
    saw["csv"] = db.execute("SELECT count(*), min(s) FROM 's3://cj-frames/out.csv'").fetchone()


if __name__ == "__main__":
    told: dict[str, object] = {"rows": ROWS}
    for step in (of_s3fs, of_pandas, of_pyarrow, of_duckdb):
        step(told)
    print(json.dumps(told))
