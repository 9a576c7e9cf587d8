"""Records put into delivery streams.

https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.firehose import buffering, errors, measuring

_BATCH = 4 << 20


def _id() -> str:
    return ids.token(168)


@op("PutRecord", data=True)
def put_record(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take one record."""
    held, record = buffering.direct(ctx, req["DeliveryStreamName"]), req["Record"]
    buffering.admit(ctx, held, [record])
    buffering.keep(ctx, held, [record["Data"]])
    measuring.measured(ctx.world, held, "PutRecord.Requests", 1)
    measuring.measured(ctx.world, held, "PutRecord.Bytes", len(record["Data"]))
    measuring.measured(ctx.world, held, "IncomingPutRequests", 1)
    return {"RecordId": _id(), "Encrypted": held.sealed}


@op("PutRecordBatch", data=True)
def put_record_batch(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take several records, all or none."""
    held, records = buffering.direct(ctx, req["DeliveryStreamName"]), req["Records"]
    size = sum(len(one["Data"]) for one in records)
    if size > _BATCH:
        raise errors.invalid("Records size exceeds 4 MB limit")
    buffering.admit(ctx, held, records)
    buffering.keep(ctx, held, [one["Data"] for one in records])
    measuring.measured(ctx.world, held, "PutRecordBatch.Requests", 1)
    measuring.measured(ctx.world, held, "PutRecordBatch.Records", len(records))
    measuring.measured(ctx.world, held, "PutRecordBatch.Bytes", size)
    measuring.measured(ctx.world, held, "IncomingPutRequests", 1)
    return {
        "FailedPutCount": 0,
        "Encrypted": held.sealed,
        "RequestResponses": [{"RecordId": _id()} for _ in records],
    }
