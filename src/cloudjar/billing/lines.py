"""Usage lines: how much of what was used by whom, in the unit of its price.

https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from cloudjar.kit.usage import Span
from cloudjar.spec import prices

HOUR = Decimal(3600)
MINUTE = timedelta(minutes=1)

# Usage types that are charged by the second, with a minute at the least each time.
BY_THE_SECOND = ("BoxUsage:", "SpotUsage:", "DedicatedUsage:", "UnusedBox:", "UnusedDed:", "HostUsage:",
                 "EBS:", "PublicIPv4:", "InstanceUsage:",
                 "Multi-AZUsage:", "CPUCredits:", "RDS:", "Fargate-")  # fmt: skip
# Usage types of which a part of an hour counts as an hour.
BY_THE_HOUR = ("NatGateway-Hours", "LoadBalancerUsage", "VpcEndpoint-Hours", "TransitGateway-Hours", "ClientVPN-",
               "VPN-Usage-Hours", "AmazonEKS-Hours")  # fmt: skip
# Units of prices for having a thing for a month that do not say so.
BY_THE_MONTH = frozenset(("Alarms", "Dashboards", "Keys", "Metrics", "Parameters", "Secrets"))
# What a price list calls API calls, and counts them in, where it has a name of its own for them.
REQUESTS = {
    "AWSCostExplorer": ("APIRequest", "Requests"),
    "AmazonCloudWatch": ("CW:Requests", "Requests"),
    "AWSSecretsManager": ("AWSSecretsManager-APIRequest", "API Requests"),
    "awskms": ("KMS-Requests", "Requests"),
}


class UsageLine(NamedTuple):
    """A quantity of one usage type, of one resource, between two instants of one calendar month (UTC).

    `service` is a price list's service code (AmazonEC2), `usage_type` is without region prefix, `quantity` is in
    `unit`, which is the unit of the price (Hrs, GB-Mo, Requests).
    """

    account: str
    region: str
    service: str
    usage_type: str
    operation: str
    unit: str
    resource: str
    quantity: Decimal
    start: datetime
    end: datetime


def measure(spans: Iterable[Span], start: datetime, end: datetime) -> Iterator[UsageLine]:
    """The lines of what was used in [start, end), one per span and calendar month.

    `end` should not be later than now: what still goes on is counted up to it. What a minimum or a begun hour
    adds is charged where the span ends.
    """
    for span in spans:
        stop = end if span.end is None else span.end
        pieces = list(months(max(span.start, start), min(stop, end)))
        extra = surplus(span.meter.usage_type, stop - span.start)
        if span.meter.unit == prices.ONCE:
            if start <= span.start < end:
                yield _once(span)
            continue
        if not pieces and extra and start <= span.start == stop < end:
            pieces = [(stop, stop)]  # over in no time: the minimum is charged all the same
        for first, last in pieces:
            yield _line(span, first, last, extra if last == stop else timedelta(0))


def surplus(usage_type: str, length: timedelta) -> timedelta:
    """What is charged beyond the length itself: up to a minute, or to a whole hour."""
    if usage_type.startswith(BY_THE_HOUR):
        hours = -(-length // timedelta(hours=1))
        return timedelta(hours=max(hours, 1)) - length
    if usage_type.startswith(BY_THE_SECOND):
        return max(MINUTE - length, timedelta(0))
    return timedelta(0)


def months(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) cut at the turns of the months, in UTC; nothing when it is empty."""
    while start < end:
        year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
        turn = min(end, datetime(year, month, 1, tzinfo=UTC))
        yield start, turn
        start = turn


def hours_in_month(moment: datetime) -> Decimal:
    """The hours of the calendar month: what a GB-month is a month of."""
    return Decimal(monthrange(moment.year, moment.month)[1] * 24)


def seconds(length: timedelta) -> Decimal:
    """A length in seconds, exact to the microsecond."""
    return Decimal(length.days * 86400 + length.seconds) + Decimal(length.microseconds) / 1_000_000


def is_monthly(unit: str) -> bool:
    """Whether a price is for having a unit for a month (GB-Mo, IOPS-Mo, GiBps-mo, Secrets)."""
    return unit.lower().endswith("-mo") or unit in BY_THE_MONTH


def _line(span: Span, start: datetime, end: datetime, surplus: timedelta) -> UsageLine:
    hours = seconds(end - start + surplus) / HOUR
    quantity = span.meter.rate * hours
    if is_monthly(span.meter.unit):
        quantity /= hours_in_month(start)
    m = span.meter
    return UsageLine(
        span.account, span.region, m.service, m.usage_type, m.operation, m.unit, span.resource, quantity, start, end
    )


def _once(span: Span) -> UsageLine:
    """A fee, due at the instant at which it was agreed: its meter's rate is the amount."""
    m = span.meter
    return UsageLine(
        span.account, span.region, m.service, m.usage_type, m.operation, m.unit, span.resource, m.rate, span.start,
        span.start,
    )  # fmt: skip


def requests(account: str, region: str, service: str, operation: str, count: int, hour: datetime) -> UsageLine:
    """API calls of one hour, as a line: free for the services of `prices.FREE_REQUESTS`."""
    plain = "Requests" if service in prices.FREE_REQUESTS else "Requests-Tier1"
    usage_type, unit = REQUESTS.get(service, (plain, "Requests"))
    end = hour + timedelta(hours=1)
    return UsageLine(account, region, service, usage_type, operation, unit, "", Decimal(count), hour, end)
