"""Which of a bucket's configurations an answer, or an object, falls under: by prefix, tags and access point.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-configurations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from cloudjar.base.errors import AwsError
from cloudjar.kit.observing import Seen
from cloudjar.kit.record import arn_of
from cloudjar.services.s3.access.reaching import reach
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.attributes import header_tags
from cloudjar.services.s3.objects.index import index
from cloudjar.wire import host


def flat(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration's filter: ``Prefix``, ``Tags`` (name -> value), ``AccessPointArn``; empty for everything."""
    given = configuration.get("Filter") or {}
    found = dict(given.get("And") or given)
    tags = [*found.pop("Tags", ()), *([found.pop("Tag")] if found.get("Tag") else [])]
    return {**found, **({"Tags": {tag["Key"]: tag["Value"] for tag in tags}} if tags else {})}


def is_about(wanted: Mapping[str, Any], key: str, tags: Mapping[str, str]) -> bool:
    """Whether a flat filter lets an object through, its access point aside."""
    if not key.startswith(wanted.get("Prefix") or ""):
        return False
    return all(tags.get(name) == value for name, value in (wanted.get("Tags") or {}).items())


def of_metrics(seen: Seen, bucket: Bucket) -> Iterator[str]:
    """The ids of the metrics configurations that an answer falls under. One with a filter is about objects alone."""
    for name, configuration in bucket.metrics.items():
        wanted = flat(configuration)
        if not wanted or _falls_under(seen, bucket, wanted):
            yield name


def _falls_under(seen: Seen, bucket: Bucket, wanted: Mapping[str, Any]) -> bool:
    key = seen.req.get("Key")
    point = wanted.get("AccessPointArn")
    if not isinstance(key, str) or (point and point != _point(seen)):
        return False
    return is_about(wanted, key, _tags(seen, bucket, key) if wanted.get("Tags") else {})


def _tags(seen: Seen, bucket: Bucket, key: str) -> Mapping[str, str]:
    """The tags of the object that an answer is about: as it is now, or as the request says; of what is gone none."""
    objects, version_id = index(seen.ctx.world), seen.req.get("VersionId")
    found = objects.version(bucket.name, key, version_id) if version_id else objects.current(bucket.name, key)
    if found is not None:
        return found.tags
    try:
        return header_tags(seen.req.get("Tagging")) if isinstance(seen.req.get("Tagging"), str) else {}
    except AwsError:
        return {}


def _point(seen: Seen) -> str:
    """The ARN of the access point that a request came by; "" when by none."""
    request = seen.ctx.request
    if request is None:
        return ""
    at = host.read(request.headers.get("host", ""))
    for name in (at.bucket or at.local_labels, unquote(request.path.lstrip("/").partition("/")[0])):
        if name:
            try:
                point = reach(seen.ctx, name).point
            except AwsError:
                continue
            return "" if point is None else arn_of(point)
    return ""
