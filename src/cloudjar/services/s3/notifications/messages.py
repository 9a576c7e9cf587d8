"""What is said of an event, in S3's own form and in EventBridge's. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from cloudjar.base.caller import Caller
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.rows import NULL, Version

SERVICE = "s3.amazonaws.com"


class Told(NamedTuple):
    """What there is to tell of an event beside the object itself.

    `who` is an IAM unique id, an account or S3's own principal. `reason` is the call (``PutObject``). `extra` are
    further members of EventBridge's detail, `data` those of S3's own record.
    """

    name: str
    at: datetime
    who: str
    account: str
    address: str
    request_id: str
    reason: str
    extra: dict[str, Any] = {}
    data: dict[str, Any] = {}


_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
    "ObjectRestore:Delete": "Object Restore Expired",
    "LifecycleTransition": "Object Storage Class Changed",
    "IntelligentTiering": "Object Access Tier Changed",
    "ObjectAcl:Put": "Object ACL Updated",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
}


def detail_type(name: str) -> str:
    """EventBridge's name of an event; "" for those that it is not told of (replication)."""
    return _DETAIL_TYPES.get(name) or _DETAIL_TYPES.get(name.partition(":")[0], "")


def version_of(name: str) -> str:
    """The version of the message's structure, which the kind of event decides."""
    if name.startswith("Replication:"):
        return "2.2"
    late = ("Lifecycle", "IntelligentTiering", "ObjectAcl", "ObjectTagging")
    return "2.3" if name.startswith(late) or name == "ObjectRestore:Delete" else "2.1"


def principal(caller: Caller) -> str:
    """Who did it, as S3's messages say."""
    if caller.kind == "service":
        return caller.service
    if caller.kind == "anonymous":
        return "Anonymous"
    return f"AWS:{caller.unique_id or caller.account}"


def customer_id(bucket: Bucket) -> str:
    """The "Amazon customer id" of a bucket's owner: fourteen characters that mean nothing else."""
    return "A" + bucket.owner_id[:13].upper()


def stamp(at: datetime) -> str:
    """ISO 8601 with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def instant(seconds: float) -> str:
    """An instant in Unix seconds, as `stamp` says it."""
    return stamp(datetime.fromtimestamp(seconds, UTC))


def host_id(request_id: str) -> str:
    """The extended request id that goes with a request id here."""
    return f"{request_id}/s3"


def sequencer(version: Version) -> str:
    """Grows with every write of a key: hexadecimal, always as long."""
    return f"{version.seq:018X}"


def record(bucket: Bucket, version: Version, told: Told, listener: str) -> dict[str, Any]:
    """One entry of ``Records``; `listener` is the Id of the configuration."""
    thing: dict[str, Any] = {"key": quote_plus(version.key, safe="/*-._")}
    removed = told.name.startswith(("ObjectRemoved", "LifecycleExpiration"))
    if not removed:
        thing["size"] = version.size
    if not version.marker and not removed:
        thing["eTag"] = version.etag
    elif version.marker:
        thing["eTag"] = "d41d8cd98f00b204e9800998ecf8427e"
    if version.id != NULL:
        thing["versionId"] = version.id
    thing["sequencer"] = sequencer(version)
    return {
        "eventVersion": version_of(told.name),
        "eventSource": "aws:s3",
        "awsRegion": bucket.location,
        "eventTime": stamp(told.at),
        "eventName": told.name,
        "userIdentity": {"principalId": told.who},
        "requestParameters": {"sourceIPAddress": told.address},
        "responseElements": {
            "x-amz-request-id": told.request_id,
            "x-amz-id-2": host_id(told.request_id),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": listener,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": customer_id(bucket)},
                "arn": f"arn:aws:s3:::{bucket.name}",
            },
            "object": thing,
        },
        **told.data,
    }


def detail(bucket: Bucket, version: Version, told: Told) -> dict[str, Any]:
    """The ``detail`` of EventBridge's event."""
    kind = detail_type(told.name)
    thing: dict[str, Any] = {"key": version.key}
    if kind != "Object Deleted":
        thing["size"] = version.size
        thing["etag"] = version.etag
    elif version.marker:
        thing["etag"] = "d41d8cd98f00b204e9800998ecf8427e"
    if version.id != NULL:
        thing["version-id"] = version.id
    if kind in ("Object Created", "Object Deleted"):
        thing["sequencer"] = sequencer(version)
    found: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": thing,
        "request-id": told.request_id,
        "requester": SERVICE if told.who == SERVICE else told.account,
    }
    if told.address and told.who != SERVICE:
        found["source-ip-address"] = told.address
    if told.reason and kind in ("Object Created", "Object Deleted"):
        found["reason"] = told.reason
    if kind == "Object Deleted":
        found["deletion-type"] = "Delete Marker Created" if version.marker else "Permanently Deleted"
    return {**found, **told.extra}


def test_event(bucket: Bucket, at: datetime, request_id: str) -> dict[str, Any]:
    """What a destination hears when it is configured."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": stamp(at),
        "Bucket": bucket.name,
        "RequestId": request_id,
        "HostId": host_id(request_id),
    }
