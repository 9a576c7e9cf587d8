"""Throttling: token buckets by account, region and operation, in real time; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.spec import throttles
from cloudjar.spec.throttles import Bucket

_LIMIT = 10_000


class Throttle:
    """Admits a call or refuses it as AWS does; a full bucket costs no memory."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, ...], tuple[float, float]] = {}

    def admit(self, account: str, region: str, service: str, operation: str, req: Mapping[str, Any]) -> None:
        """Take what the call costs, or raise AWS's refusal: 503 RequestLimitExceeded of EC2, 400 ThrottlingException
        of the others; SDKs retry both."""
        limit = throttles.limit(service, operation, req)
        if limit is None:
            return
        # A small and a large form of one call have buckets of their own, told apart by their size.
        place = (account, region, operation, str(limit.requests.capacity))
        enough = self._take(place, limit.requests, 1)
        if enough and limit.resources is not None:
            enough = self._take((*place, "resources"), limit.resources, throttles.things(req))
        if not enough:
            if service == "ec2":
                raise AwsError("RequestLimitExceeded", "Request limit exceeded.", 503)
            raise AwsError("ThrottlingException", "Rate exceeded", 400)

    def _take(self, place: tuple[str, ...], bucket: Bucket, tokens: int) -> bool:
        now = monotonic()
        level, since = self._levels.get(place, (bucket.capacity, now))
        level = min(bucket.capacity, level + (now - since) * bucket.refill)
        if level < tokens:
            return False
        if len(self._levels) >= _LIMIT:
            self._levels.clear()
        self._levels[place] = (level - tokens, now)
        return True
