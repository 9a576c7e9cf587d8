"""Whom a bucket tells of what happens in it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3.buckets.finding import need_bucket, save
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.notifications import messages
from cloudjar.services.s3.notifications.config import checked, parse, unusable
from cloudjar.services.s3.notifications.outbox import send

_KINDS = {"sqs": "queue", "sns": "topic", "lambda": "Lambda function"}


@op("PutBucketNotificationConfiguration")
def put_bucket_notification_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replaces the whole configuration. Every destination is told of it first, and must take that."""
    bucket = need_bucket(ctx, req)
    kept = checked(req["NotificationConfiguration"])
    if not req.get("SkipDestinationValidation"):
        _try_destinations(ctx, bucket, sorted({listener.arn for listener in parse(kept)}))
    save(ctx, replace(bucket, notification=kept or None))
    return {}


def _try_destinations(ctx: Ctx, bucket: Bucket, destinations: list[str]) -> None:
    """Send the test event to each. Raises InvalidArgument that names those that did not take it, and why."""
    there = ctx.at(bucket.account, bucket.location)
    said = msgspec.json.encode(messages.test_event(bucket, ctx.now, ctx.request_id)).decode()
    why = {}
    for arn in destinations:
        try:
            _try(there, bucket, arn, said)
        except AwsError as error:
            why[arn] = _reason(there, arn, error)
    if why:
        raise unusable(why)


def _try(ctx: Ctx, bucket: Bucket, arn: str, said: str) -> None:
    target = arns.parse(arn)
    assert target is not None, arn
    if target.region != bucket.location:
        raise AwsError("InvalidArgument", "The notification destination service region is not valid", 400)
    if not ctx.world.load(target.service):
        raise AwsError("NonExistent", f"Cloudjar has no {target.service}", 400)
    if target.service != "lambda":
        send(ctx, bucket.name, arn, said)
        return
    caller = callers.service(messages.SERVICE, bucket.account, f"arn:aws:s3:::{bucket.name}")
    ctx.call("lambda", "Invoke", {"FunctionName": arn, "InvocationType": "DryRun"}, caller=caller)


def _reason(ctx: Ctx, arn: str, error: AwsError) -> str:
    """What is wrong with a destination, as AWS says it: a stranger is told of a queue that is not there, too."""
    target = arns.parse(arn)
    assert target is not None, arn
    kind = _KINDS[target.service]
    if error.code == "InvalidArgument":
        return error.message
    place = ctx.at(target.account, target.region)
    noun = {"sqs": "queue", "sns": "topic", "lambda": "function"}[target.service]
    if all(place.find(target.service, noun, key) is None for key in (target.resource, arn)):
        return f"The destination {kind} does not exist"
    if target.service == "lambda":
        return f"Not authorized to invoke function [{arn}]"
    return f"Permissions on the destination {kind} do not allow S3 to publish notifications from this bucket"


@op("GetBucketNotificationConfiguration")
def get_bucket_notification_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """As it was put; nothing when there is none."""
    return dict(need_bucket(ctx, req).notification or {})
