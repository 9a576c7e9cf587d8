"""Throttling: token buckets by account, region and operation, in real time; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.kit.db import State
from cloudjar.kit.quota import Quotas
from cloudjar.spec import throttles
from cloudjar.spec.throttles import Bucket

_LIMIT = 10_000
_QUERY = ("cloudwatch", "sns")
"""Services whose refusals have the code of the query protocol."""
Code = tuple[str, str]
"""A quota: its service's code and its own."""


class Throttle:
    """Admits a call or refuses it as AWS does; a full bucket costs no memory."""

    def __init__(self, quotas: Quotas | None = None, speed: float = 1.0) -> None:
        self._quotas = quotas
        self._speed = speed
        self._levels: dict[tuple[str, ...], tuple[float, float]] = {}
        self._rates: dict[tuple[str, str, Code], float | None] = {}

    def forget_rates(self) -> None:
        """A quota has changed."""
        self._rates.clear()

    def draw(self, account: str, region: str, service: str, code: Code) -> None:
        """Take one of the calls that a quota allows in a second, or raise the service's refusal; so many may come at
        once."""
        rate = self._rate(account, region, code)
        if rate is None or self._take((account, region, *code), Bucket(max(rate, 1.0), rate), 1):
            return
        if service in _QUERY:
            raise AwsError("Throttling", "Rate exceeded", 400)
        if service == "kms":
            said = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
            raise AwsError("ThrottlingException", said, 400)
        raise AwsError("ThrottlingException", "Rate exceeded", 429 if service == "scheduler" else 400)

    def _rate(self, account: str, region: str, code: Code) -> float | None:
        place = (account, region, code)
        if place not in self._rates:
            if len(self._rates) >= _LIMIT:
                self._rates.clear()
            self._rates[place] = self._quotas.limit(account, region, code) if self._quotas is not None else None
        return self._rates[place]

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
        now, capacity = monotonic(), bucket.capacity * max(self._speed, 1.0)
        level, since = self._levels.get(place, (capacity, now))
        level = min(capacity, level + (now - since) * bucket.refill * self._speed)
        if level < tokens:
            return False
        if len(self._levels) >= _LIMIT:
            self._levels.clear()
        self._levels[place] = (level - tokens, now)
        return True


def of(state: State, speed: float) -> Throttle:
    """A throttle that goes by the quotas in force, and admits so many times as much as AWS."""
    made = Throttle(state.quotas, speed)

    def changed() -> None:
        made.forget_rates()
        state.database.on_commit(made.forget_rates)  # somebody may have looked meanwhile

    state.watchers.setdefault("servicequotas", []).append(changed)
    return made
