"""What twelve-month accounts have free, and credits: exact, by the day, shared by everybody who pays together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.billing import allowances, costs, crediting, measured
from cloudjar.billing.costs import Row
from cloudjar.billing.crediting import Purse
from cloudjar.billing.ledger import DIGITS
from cloudjar.billing.measured import Line
from cloudjar.kit.account_credits import Credit
from cloudjar.kit.quantities import Tally
from cloudjar.kit.usage import Meter
from tests.billing.scenarios import FEBRUARY, JANUARY, PARIS, VIRGINIA, Counted, Ran, Use, hours, measure

STOCKHOLM = "eu-north-1"
T2 = Meter("AmazonEC2", "BoxUsage:t2.micro", "RunInstances", "Hrs")
T3 = Meter("AmazonEC2", "BoxUsage:t3.micro", "RunInstances", "Hrs")
DISK = Meter("AmazonEC2", "EBS:VolumeUsage.gp3", "", "GB-Mo", Decimal(20))
ADDRESS = Meter("AmazonVPC", "PublicIPv4:InUseAddress", "", "Hrs")
DATABASE = Meter("AmazonRDS", "InstanceUsage:db.t3.micro", "CreateDBInstance:0014", "Hrs")
BALANCER = Meter("AWSELB", "LoadBalancerUsage", "LoadBalancing:Application", "Hrs")
NETWORK = Meter("AWSELB", "LoadBalancerUsage", "LoadBalancing:Network", "Hrs")
PUTS = Tally("AmazonS3", "Requests-Tier1", "", "Requests", 1)
MONTH = timedelta(days=31)
CLOSE = Decimal("1e-20")


def free_until(end: datetime | None) -> allowances.Window:
    return lambda _: end


def bill(uses: Iterable[Use], end: datetime | None = FEBRUARY + MONTH) -> list[Row]:
    """The rows of January of an account whose twelve months end so."""
    rows, grid = measure(uses, JANUARY)
    with localcontext() as context:
        context.prec = DIGITS
        gifts = allowances.given(rows, grid, lambda _: "payer", free_until(end))
        return costs.costed(rows, lambda _: "payer", gifts)


def cost(rows: Iterable[Row]) -> Decimal:
    return sum((sum(row.cost, Decimal(0)) for row in rows), Decimal(0))


def free(rows: Iterable[Row]) -> Decimal:
    return sum((sum(row.free, Decimal(0)) for row in rows), Decimal(0))


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ([Ran(T2, JANUARY, MONTH)], "0"),
        ([Ran(T2, JANUARY, MONTH), Ran(T2, JANUARY, MONTH, key="two")], "9.7416"),  # (1488 - 750) * 0.0132
        ([Ran(T2, JANUARY, MONTH), Ran(T2, JANUARY, MONTH, account="222222222222")], "9.7416"),
        ([Ran(T3, JANUARY, hours(100))], "1.18"),  # Paris has t2.micro: t3.micro is not free there
        ([Ran(DISK, JANUARY, MONTH)], "0"),
        ([Ran(DISK, JANUARY, MONTH), Ran(DISK, JANUARY, MONTH, key="two")], "0.928"),  # 10 GB * 0.0928
        ([Ran(ADDRESS, JANUARY, MONTH), Ran(ADDRESS, JANUARY, hours(10), key="two")], "0.02"),  # 4 hours * 0.005
        ([Ran(DATABASE, JANUARY, MONTH)], "0"),
        ([Ran(BALANCER, JANUARY, MONTH)], "0"),
        ([Ran(NETWORK, JANUARY, hours(10))], "0.2646"),
        ([Counted(PUTS, 2000, JANUARY)], "0"),
    ],
)
def test_what_a_month_costs_with_the_offers(uses: list[Use], expected: str) -> None:
    assert abs(cost(bill(uses)) - Decimal(expected)) < CLOSE


def test_requests_beyond_the_offer_cost() -> None:
    without = cost(bill([Counted(PUTS, 500, JANUARY)], None))
    assert without > 0
    assert cost(bill([Counted(PUTS, 2500, JANUARY)])) == without


def test_a_t3_micro_is_free_where_there_is_no_t2() -> None:
    line = Line("123456789012", STOCKHOLM, *T3[:4], "one")
    there, paris = allowances.offer(line), allowances.offer(line._replace(region=PARIS))
    assert there is not None
    assert there.limit == 750
    assert paris is None


def test_regions_and_types_share_one_offer() -> None:
    rows = bill([Ran(T2, JANUARY, MONTH), Ran(T2, JANUARY, MONTH, region=VIRGINIA)])
    assert abs(free(rows) - 750) < CLOSE
    by_region = {row.line.region: sum(row.free, Decimal(0)) for row in rows}
    assert abs(by_region[PARIS] - by_region[VIRGINIA]) < CLOSE


def test_the_offer_ends_with_the_twelve_months() -> None:
    """The day on which they end is the last one."""
    rows = bill([Ran(T2, JANUARY, MONTH)], JANUARY + timedelta(days=9, hours=12))
    assert free(rows) == 240
    assert free(bill([Ran(T2, JANUARY, MONTH)], JANUARY)) == 0
    assert free(bill([Ran(T2, JANUARY, MONTH)], None)) == 0


USES = st.lists(
    st.builds(
        Ran,
        meter=st.sampled_from([T2, DISK, ADDRESS, DATABASE, BALANCER]),
        start=st.integers(-5 * 86400, 31 * 86400).map(lambda s: JANUARY + timedelta(seconds=s)),
        length=st.integers(0, 40 * 86400).map(lambda s: timedelta(seconds=s)),
        region=st.sampled_from([PARIS, VIRGINIA]),
        account=st.sampled_from(["111111111111", "222222222222"]),
        key=st.sampled_from(["a", "b", "c"]),
    ),
    max_size=10,
)


@settings(max_examples=50, deadline=None)
@given(USES, st.integers(0, 35))
def test_nobody_has_more_free_than_he_used_nor_than_there_is(uses: list[Use], days: int) -> None:
    rows = bill(uses, JANUARY + timedelta(days=days))
    for row in rows:
        assert all(0 <= gift <= used for gift, used in zip(row.free, row.usage, strict=True))
        assert all(amount >= 0 for amount in row.cost)
    totals: dict[str, Decimal] = {}
    for row in rows:
        offer = allowances.offer(row.line)
        assert offer is not None
        totals[offer.name] = totals.get(offer.name, Decimal(0)) + sum(row.free, Decimal(0))
        assert totals[offer.name] <= offer.limit + CLOSE
    assert cost(rows) <= cost(bill(uses, None)) + CLOSE


def credit(amount: int, given: datetime = JANUARY, days: int = 365, key: str = "one") -> Credit:
    return Credit(
        account="123456789012", id=key, title="t", amount=Decimal(amount), given=given,
        expires=given + timedelta(days=days),
    )  # fmt: skip


def credited(uses: Iterable[Use], held: list[Credit]) -> tuple[list[Row], list[Row], Purse]:
    rows, grid = measure(uses, JANUARY)
    with localcontext() as context:
        context.prec = DIGITS
        priced = costs.costed(rows, lambda account: account)
        purse = Purse(held)
        return priced, crediting.lines(priced, "123456789012", purse, grid), purse


def test_credits_pay_until_they_are_spent() -> None:
    priced, paid, purse = credited([Ran(T3, JANUARY, MONTH)], [credit(5)])
    assert abs(cost(priced) - Decimal("8.7792")) < CLOSE
    assert abs(cost(paid) + 5) < CLOSE
    assert {row.line.kind for row in paid} == {"Credit"}
    assert {row.line.resource for row in paid} == {""}
    assert purse.left(FEBRUARY) == 0
    by_day = [sum((row.cost[day] for row in (*priced, *paid)), Decimal(0)) for day in range(31)]
    assert by_day[0] == 0
    assert by_day[30] > 0
    assert all(amount >= 0 for amount in by_day)


def test_what_expires_first_is_spent_first_and_what_has_expired_pays_nothing() -> None:
    soon, late = credit(100, days=10, key="soon"), credit(1, key="late")
    _, paid, purse = credited([Ran(T3, JANUARY, MONTH)], [soon, late])
    ten_days = Decimal("0.0118") * 240
    assert abs(cost(paid) + ten_days + 1) < CLOSE
    assert purse.left(FEBRUARY) == 0


def test_credits_pay_nothing_of_before_they_were_given() -> None:
    _, paid, _ = credited([Ran(T3, JANUARY, hours(24))], [credit(5, JANUARY + timedelta(days=1))])
    assert paid == []


def test_an_hour_s_credits_are_its_share_of_the_day_s() -> None:
    priced, paid, _ = credited([Ran(T3, JANUARY, hours(6))], [credit(5)])
    (day,) = paid
    whole = [[row.cost[0] / 6 if hour < 6 else Decimal(0) for hour in range(24)] for row in priced]
    hourly = [row._replace(cost=columns, line=row.line) for row, columns in zip(priced, whole, strict=True)]
    (found,) = crediting.by_the_hour(hourly, [*priced, *paid], 0)
    assert abs(sum(found.cost, Decimal(0)) - day.cost[0]) < CLOSE
    assert found.cost[6:] == [Decimal(0)] * 18
    assert measured.total(found.usage) == 0
