"""``AWS/Billing``: what the running month costs so far, in us-east-1, four times a day.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/monitor_estimated_charges_with_cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

from cloudjar.billing.ledger import DIGITS, Book, ledger
from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Dimensions, Metric, Point

NAMESPACE, NAME = "AWS/Billing", "EstimatedCharges"
REGION = "us-east-1"
STEP = 6 * 3600
_CURRENCY = ("Currency", "USD")
ZERO = Decimal(0)


class Estimated:
    """Derived from the ledger when somebody asks: a point says what was spent by the end of its six hours."""

    service = "budgets"

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """The account's charges, by service, and for who pays for others by account."""
        if region != REGION:
            return
        now, asker = world.clock.now(), Asker(world, account)
        found = {_key()}
        for month in ledger(world).months(max(metrics.instant(since), _ago(now)), now + timedelta(seconds=1)):
            for row in month.rows:
                found.update(asker.keys(row.line.account, row.line.service))
        yield from (Metric(NAMESPACE, NAME, one) for one in sorted(found))

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """One point every six hours."""
        if region != REGION or metric.name != NAME:
            return
        now = world.clock.now()
        first = int(max(start, _ago(now).timestamp()))
        first += -first % STEP
        last = min(stop, now.timestamp() - STEP + 1)
        day: datetime | None = None
        sums: list[Decimal] = []
        for at in range(first, int(-(-last // 1)), STEP):
            begun = datetime.fromtimestamp(at, UTC)
            if begun.date() != (day.date() if day is not None else None):
                day, sums = begun, list(self._day(world, account, metric.dimensions, begun))
            yield metrics.value(begun, float(round(sums[begun.hour * 3600 // STEP], 2)))

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:  # noqa: ARG002 the port's
        """Always: an account that spends nothing is told so."""
        return STEP if region == REGION else 0

    def _day(self, world: World, account: str, wanted: Dimensions, day: datetime) -> Iterator[Decimal]:
        """What the month came to by the end of each six hours of a day."""
        book, asker = ledger(world), Asker(world, account)
        month = book.book(day)
        before = (day.replace(hour=0) - month.grid.start).days
        with localcontext() as context:
            context.prec = DIGITS
            total = _sum(asker, wanted, month, 0, before)
            hours = book.hours(day)
            for quarter in range(0, 24, STEP // 3600):
                total += _sum(asker, wanted, hours, quarter, quarter + STEP // 3600)
                yield total


def _ago(now: datetime) -> datetime:
    """How far back points go: fifteen months, as those that are stored."""
    return now - timedelta(days=455)


def _key(*more: tuple[str, str]) -> Dimensions:
    return tuple(sorted((_CURRENCY, *more)))


class Asker:
    """Whose charges an account is told: its own, and when it pays for an organization its members'."""

    def __init__(self, world: World, account: str) -> None:
        self._account = account
        self._payer = ledger(world).payer
        find = world.ports.get("organization")
        organization = find() if find is not None else None
        standing = organization.standing(account) if organization is not None else None
        self._consolidates = standing is not None and standing.management_account == account

    def keys(self, account: str, service: str) -> Iterator[Dimensions]:
        """The metrics that a charge is in."""
        if account != self._account and self._payer(account) != self._account:
            return
        yield _key()
        yield _key(("ServiceName", service))
        if self._consolidates:
            yield _key(("LinkedAccount", account))
            yield _key(("LinkedAccount", account), ("ServiceName", service))


def _sum(asker: Asker, wanted: Dimensions, book: Book, first: int, last: int) -> Decimal:
    total = ZERO
    about: dict[tuple[str, str], bool] = {}
    for row in book.rows:
        place = (row.line.account, row.line.service)
        if place not in about:
            about[place] = wanted in set(asker.keys(*place))
        if about[place]:
            total += sum(row.cost[first:last], ZERO)
    return total


metrics.derives(NAMESPACE, Estimated())
