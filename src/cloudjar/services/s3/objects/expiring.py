"""``x-amz-expiration``: when the bucket's lifecycle will end an object."""

from __future__ import annotations

from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.judge import Held, expiry_of
from cloudjar.services.s3.lifecycle.rules import rules_of
from cloudjar.services.s3.objects.rows import Version
from cloudjar.wire.values import http_date


def header(bucket: Bucket, version: Version) -> str | None:
    """The header's text; None when no rule ends the object."""
    if not bucket.lifecycle:
        return None
    held = Held(version.id, version.modified, version.size, version.storage_class, tags=version.tags)
    found = expiry_of(rules_of(bucket), version.key, held)
    if found is None:
        return None
    at, rule = found
    return f'expiry-date="{http_date(at)}", rule-id="{rule}"'
