"""Flow logs in buckets: files of text, packed, one for each delivery.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.bucket_delivery import Place
from cloudjar.kit.context import Ctx
from cloudjar.kit.log_delivery import LogEvent
from cloudjar.services.ec2.flow_logs.records import FlowLog

PRINCIPAL = "delivery.logs.amazonaws.com"
_VIA = "vpc-flow-logs.amazonaws.com"


def invalid(message: str) -> AwsError:
    """A parameter that cannot be."""
    return AwsError("InvalidParameter", message)


def destination(req: Mapping[str, Any]) -> str:
    """The bucket's ARN that a request names. Raises InvalidParameter."""
    target = req.get("LogDestination")
    if not target:
        raise invalid("LogDestination can't be empty if LogGroupName is not provided.")
    if req.get("LogGroupName"):
        raise invalid("LogDestination type must be cloud-watch-logs if LogGroupName is provided.")
    if req.get("DeliverLogsPermissionArn"):
        raise invalid("DeliverLogsPermissionArn is not applicable for s3 delivery.")
    return str(target)


def options(req: Mapping[str, Any]) -> dict[str, bool]:
    """How files are laid out: ``hive`` names in the path, a folder an hour."""
    given = req.get("DestinationOptions") or {}
    if (given.get("FileFormat") or "plain-text") != "plain-text":
        raise AwsError("InvalidParameter", "Flow logs in Parquet are not built in Cloudjar: use plain-text.")
    return {"hive": bool(given.get("HiveCompatiblePartitions")), "hourly": bool(given.get("PerHourPartition"))}


def refusal(ctx: Ctx, target: str, *, hive: bool) -> tuple[str, str] | None:
    """Why nothing can be delivered to a bucket: it is not there, or does not let the delivery in. Who may change its
    policy has it changed."""
    where = bucket_delivery.place_of(ctx, target)
    if where is None:
        return "400", f"LogDestination: {target} does not exist"
    folder = f"AWSLogs/aws-account-id={ctx.account}" if hive else f"AWSLogs/{ctx.account}"
    bucket_delivery.let_in(ctx, where, folder, PRINCIPAL, f"arn:aws:logs:{ctx.region}:{ctx.account}:*", _VIA)
    try:
        with ctx.world.state.database.transaction():
            _put(ctx, where, f"{folder}/test", b"")
            raise _Undone
    except _Undone:
        return None
    except AwsError:
        return "400", f"Access Denied for LogDestination: {where.bucket}. Please check LogDestination permission"


class _Undone(Exception):
    """A write that was only a question."""


def _put(ctx: Ctx, where: Place, key: str, body: bytes) -> None:
    source = arns.make("logs", ctx.region, ctx.account, "*")
    bucket_delivery.put(ctx, callers.service(PRINCIPAL, ctx.account, source), where, key, body)


def deliver(ctx: Ctx, log: FlowLog, streams: Mapping[str, list[LogEvent]]) -> None:
    """Write what an interval brought. Raises what S3 answers."""
    where = bucket_delivery.place_of(ctx, log.bucket)
    if where is None:
        raise AwsError("AccessDenied", "The bucket is gone")
    events = sorted(event for held in streams.values() for event in held)
    text = "\n".join([" ".join(log.fields), *(event.message for event in events)]) + "\n"
    _put(ctx, where, _key(log, ctx.now), gzip.compress(text.encode(), mtime=0))


def _key(log: FlowLog, now: datetime) -> str:
    account, region = log.account, log.region
    if log.hive:
        head = f"AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}"
        folder = f"{head}/year={now:%Y}/month={now:%m}/day={now:%d}" + (f"/hour={now:%H}" if log.hourly else "")
    else:
        folder = f"AWSLogs/{account}/vpcflowlogs/{region}/{now:%Y/%m/%d}" + (f"/{now:%H}" if log.hourly else "")
    end = ids.entropy(4).hex()
    return f"{folder}/{account}_vpcflowlogs_{region}_{log.id}_{now:%Y%m%dT%H%MZ}_{end}.log.gz"


def shown(log: FlowLog) -> dict[str, Any]:
    """The members of AWS's FlowLog that tell of a bucket."""
    return {
        "LogDestination": log.bucket,
        "LogDestinationType": "s3",
        "DestinationOptions": {
            "FileFormat": "plain-text",
            "HiveCompatiblePartitions": log.hive,
            "PerHourPartition": log.hourly,
        },
    }
