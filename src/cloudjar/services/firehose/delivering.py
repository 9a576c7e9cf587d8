"""Buffers to their destinations: files into buckets, posts to HTTP endpoints, both with backups.

What waits is removed when it is delivered: after a crash in between it is delivered again.

https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery, log_delivery
from cloudjar.kit.context import Ctx
from cloudjar.kit.log_delivery import LogEvent
from cloudjar.services.firehose import measuring, packing, prefixes
from cloudjar.services.firehose.records import Delivery
from cloudjar.services.firehose.settings import PRINCIPAL, Config


class Batch(NamedTuple):
    """Records on their way; `since` is when the oldest came."""

    records: Sequence[bytes]
    since: datetime


def actor(ctx: Ctx, held: Delivery, role: str) -> Caller:
    """Firehose with a role that it was given. Raises AccessDenied."""
    return ctx.assume(
        role, service=PRINCIPAL, source_arn=ctx.arn(held), session_name="firehose", external_id=held.account
    ).caller


def to_bucket(ctx: Ctx, held: Delivery, config: Config, batch: Batch, *, plain: bool = False) -> None:
    """Write a file of records; `plain` as they came (a backup). Raises what STS and S3 answer."""
    zone = prefixes.zone(held.config.get("CustomTimeZone") or "UTC")
    at = batch.since.astimezone(zone)
    compression = config["CompressionFormat"]
    name = prefixes.file_name(held.name, held.version, at, compression, config.get("FileExtension") or "")
    after_each = b"" if plain else packing.delimiter(config)
    body = packing.packed(batch.records, compression, name, after_each)
    write(ctx, held, config, prefixes.evaluated(config["Prefix"], at) + name, body)


def write(ctx: Ctx, held: Delivery, config: Config, key: str, body: bytes) -> None:
    """Write a file as the destination's role. Raises what STS and S3 answer."""
    bucket = config["BucketARN"].rpartition(":")[2]
    where = bucket_delivery.place(ctx, bucket)
    if where is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
    params: dict[str, Any] = {"Bucket": bucket, "Key": key, "Body": body}
    kms = config["EncryptionConfiguration"].get("KMSEncryptionConfig")
    if kms:
        params.update(ServerSideEncryption="aws:kms", SSEKMSKeyId=kms["AWSKMSKeyARN"])
    who = actor(ctx, held, config["RoleARN"])
    ctx.at(held.account, where.region).call("s3", "PutObject", params, caller=who)


class Refusal(NamedTuple):
    """Why records could not be delivered, as their backup tells it."""

    code: str
    message: str
    tries: int


def failed(ctx: Ctx, held: Delivery, config: Config, batch: Batch, why: Refusal) -> None:
    """Write records that an endpoint did not take as lines of JSON. Raises what STS and S3 answer."""
    zone = prefixes.zone(held.config.get("CustomTimeZone") or "UTC")
    at = batch.since.astimezone(zone)
    lines = [
        json.dumps(
            {
                "attemptsMade": why.tries,
                "arrivalTimestamp": int(batch.since.timestamp() * 1000),
                "errorCode": why.code,
                "errorMessage": why.message,
                "attemptEndingTimestamp": int(ctx.now.timestamp() * 1000),
                "rawData": base64.b64encode(one).decode(),
            }
        ).encode()
        for one in batch.records
    ]
    compression = config["CompressionFormat"]
    name = prefixes.file_name(held.name, held.version, at, compression, "")
    prefix = config.get("ErrorOutputPrefix") or config["Prefix"]
    key = prefixes.evaluated(prefix, at, error_type="http-endpoint-failed") + name
    write(ctx, held, config, key, packing.packed(lines, compression, name, b"\n"))


def posted(ctx: Ctx, held: Delivery, batch: Batch, request_id: str) -> tuple[Mapping[str, str], bytes]:
    """(headers, body) of a post to an HTTP endpoint."""
    config, after_each = held.config, packing.delimiter(held.config)
    told = {
        "requestId": request_id,
        "timestamp": int(ctx.now.timestamp() * 1000),
        "records": [{"data": base64.b64encode(one + after_each).decode()} for one in batch.records],
    }
    body = json.dumps(told).encode()
    request = config["RequestConfiguration"]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Amazon Kinesis Data Firehose Agent/1.0",
        "X-Amz-Firehose-Protocol-Version": "1.0",
        "X-Amz-Firehose-Request-Id": request_id,
        "X-Amz-Firehose-Source-Arn": ctx.arn(held),
    }
    key = ctx.world.sealer.open(held.secret, "firehose-access-key") if held.secret else None
    if key:
        headers["X-Amz-Firehose-Access-Key"] = key.decode("latin-1", "replace")
    common = {one["AttributeName"]: one["AttributeValue"] for one in request["CommonAttributes"]}
    if common:
        headers["X-Amz-Firehose-Common-Attributes"] = json.dumps({"commonAttributes": common})
    if request["ContentEncoding"] == "GZIP":
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, 6, mtime=0)
    return headers, body


def judged(status: int, answer: bytes, request_id: str) -> tuple[str, str]:
    """(code, message) of what is wrong with an endpoint's answer; ("", "") when it took the records."""
    if status == 0:
        return "HttpEndpoint.DestinationException", "The endpoint did not answer in time."
    try:
        told = json.loads(answer)
    except ValueError:
        told = None
    if not isinstance(told, dict) or told.get("requestId") != request_id:
        return "HttpEndpoint.InvalidResponseFromDestination", "The response does not have the request's requestId."
    if status != 200:
        return "HttpEndpoint.DestinationException", str(told.get("errorMessage") or f"The status was {status}.")
    return "", ""


def log_failure(ctx: Ctx, held: Delivery, config: Config, code: str, message: str) -> None:
    """Tell the log group of a destination, if it has one, why something was not delivered; as its role."""
    told = config.get("CloudWatchLoggingOptions") or {}
    if not told.get("Enabled"):
        return
    role = config.get("RoleARN") or (config.get("S3DestinationDescription") or {}).get("RoleARN")
    line = {
        "deliveryStreamARN": ctx.arn(held),
        "destination": config.get("BucketARN") or config["EndpointConfiguration"]["Url"],
        "deliveryStreamVersionId": held.version,
        "message": message,
        "errorCode": code,
    }
    try:
        who = actor(ctx, held, role or "")
        event = LogEvent(int(ctx.now.timestamp() * 1000), json.dumps(line))
        log_delivery.deliver(ctx, who, told["LogGroupName"], told["LogStreamName"], [event], via=PRINCIPAL)
    except AwsError:
        return  # who may not write his log does without


def succeeded(ctx: Ctx, held: Delivery, kind: str, batch: Batch) -> None:
    """Count what was delivered (``DeliveryToS3``)."""
    world = ctx.world
    measuring.measured(world, held, f"{kind}.Success", 1)
    measuring.measured(world, held, f"{kind}.Records", len(batch.records))
    measuring.measured(world, held, f"{kind}.Bytes", sum(map(len, batch.records)))
    age = max((ctx.now - batch.since).total_seconds(), 0.0)
    measuring.measured(world, held, f"{kind}.DataFreshness", round(age))


def instant(millis: int) -> datetime:
    """Milliseconds as AWS time."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def request_id() -> str:
    """A post's own."""
    return ids.uuid4()
