"""Every blob that S3 refers to, for the check of consistency: versions, and parts of uploads under way."""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.planes.objects.port import Blob
from cloudjar.services.s3.objects.rows import unpack, unpack_content, unpack_part
from cloudjar.store.database import Database

_AT_ONCE = 200


def references(database: Database) -> Iterator[tuple[str, Blob]]:
    """Names (``s3://bucket/key (version id)``) and blobs. The database may never have had a bucket."""
    there = {row[0] for row in database.query("SELECT name FROM sqlite_master WHERE type='table'")}
    for table in ("s3_current", "s3_history"):
        if table in there:
            yield from _versions(database, table)
    if "s3_part" in there:
        yield from _parts(database)


def _versions(database: Database, table: str) -> Iterator[tuple[str, Blob]]:
    last: tuple[str, str, int] = ("", "", 0)
    # History lies newest first: within a key, what follows has a smaller number.
    while rows := database.query(
        f"SELECT bucket, key, seq, data, content FROM {table} WHERE (bucket, key) > (?, ?) "
        f"OR (bucket=? AND key=? AND seq < ?) ORDER BY bucket, key, seq DESC LIMIT {_AT_ONCE}",
        (*last[:2], *last),
    ):
        for bucket, key, seq, data, content in rows:
            if content is not None:
                version = unpack(bucket, key, seq, data)
                yield f"s3://{bucket}/{key} ({version.id})", unpack_content(content).blob
        last = rows[-1][:3]


def _parts(database: Database) -> Iterator[tuple[str, Blob]]:
    last: tuple[str, int] = ("", 0)
    while rows := database.query(
        f"SELECT upload, number, data FROM s3_part WHERE (upload, number) > (?, ?) "
        f"ORDER BY upload, number LIMIT {_AT_ONCE}",
        last,
    ):
        for upload, number, data in rows:
            yield f"part {number} of upload {upload}", unpack_part(data).blob
        last = rows[-1][:2]
