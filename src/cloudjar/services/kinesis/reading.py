"""Records out of shards.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.services.kinesis import finding, sealing, sequence
from cloudjar.services.kinesis.records import Stream
from cloudjar.services.kinesis.rows import Row, rows
from cloudjar.services.kinesis.shards import Shard

MOST = 10 << 20


class Batch(NamedTuple):
    """Records, where to read on (None when the shard ends here), and how far behind the newest record that is."""

    records: list[dict[str, Any]]
    size: int
    after: int
    over: bool
    behind: int


def batch(ctx: Ctx, stream: Stream, shard: Shard, after: int, limit: int, most: int = MOST) -> Batch:
    """The next records of a shard, opened. Raises KMS's errors as Kinesis names them."""
    store, now = rows(ctx.world), int(ctx.now.timestamp() * 1000)
    after = max(after, shard.trimmed)
    found = store.read(shard, after, limit, most)
    horizon = finding.horizon(ctx, stream)
    if found and found[0].at < horizon:  # expired, and not cleared away yet
        after = store.before(shard, horizon)
        found = store.read(shard, after, limit, most)
    reached = found[-1].number if found else max(after, 0)
    tip = store.tip(shard).number
    behind = max(now - (store.arrival(shard, reached + 1) or now), 0) if reached < tip else 0
    records = [_shown(ctx, stream, shard, row) for row in found]
    size = sum(len(one["Data"]) + len(one["PartitionKey"]) for one in records)
    over = shard.last is not None and reached >= shard.last
    return Batch(records, size, reached, over, behind)


def _shown(ctx: Ctx, stream: Stream, shard: Shard, row: Row) -> dict[str, Any]:
    told: dict[str, Any] = {
        "SequenceNumber": sequence.text(shard.base, row.number),
        "ApproximateArrivalTimestamp": row.at / 1000,
        "Data": sealing.opened(ctx, stream, row.cipher, row.data),
        "PartitionKey": row.key,
    }
    if row.cipher:
        told["EncryptionType"] = "KMS"
    return told


def children(ctx: Ctx, stream: Stream, shard: Shard) -> list[dict[str, Any]]:
    """What was made of a shard, as a reader is told who comes to its end."""
    layout = finding.layout(ctx, stream)
    return [
        {
            "ShardId": child.id,
            "ParentShards": [sequence.shard_id(one) for one in child.parents],
            "HashKeyRange": {"StartingHashKey": str(child.lo), "EndingHashKey": str(child.hi)},
        }
        for child in layout.children(shard)
    ]


