"""Bills to the cent with what was bought ahead: reservations and plans, worked out on paper from prices and rates.

Paris: t3.nano 0.0059, t3.micro 0.0118, t3.small 0.0236, g5.xlarge 1.176 dollars an hour. Reservations of t3.micro cost
0.0074 an hour; a plan over everything has rates of 0.73 of on-demand (t3.micro 0.00861), one of a family of 0.627.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from cloudjar.billing.costs import Row
from cloudjar.billing.rate import cents
from cloudjar.kit.commitments import Commitment
from cloudjar.kit.usage import Span
from tests.billing.committed import OTHER, STRANGER, box, plan, reserved, rows, total
from tests.billing.scenarios import FEBRUARY, JANUARY, LEAP, ME, VIRGINIA, hours
from tests.billing.test_scenarios import on_paper

Case = tuple[str, datetime, Sequence[Span], Sequence[Commitment], str, str]
MARCH_27 = datetime(2027, 3, 1, tzinfo=UTC)
ELEVENTH_25 = datetime(2025, 1, 11, tzinfo=UTC)
MIDDLE = JANUARY + hours(360)
NOON = JANUARY + hours(14 * 24 + 12)
SHARED = Decimal("1e-15")

RESERVATIONS: Sequence[Case] = [
    ("used all month", JANUARY, [box("t3.micro")], [reserved("t3.micro")], "744 * 0.0074", "744 * 0.0074"),
    ("not used", JANUARY, [], [reserved("t3.micro")], "744 * 0.0074", "744 * 0.0074"),
    ("used for half a month", JANUARY, [box("t3.micro", 372)], [reserved("t3.micro")], "744 * 0.0074", "744 * 0.0074"),
    ("one of two", JANUARY, [box("t3.micro"), box("t3.micro", key="two")], [reserved("t3.micro")],
     "744 * 0.0074 + 744 * 0.0118", "744 * 0.0074 + 744 * 0.0118"),
    ("three of two", JANUARY, [box("t3.micro"), box("t3.micro", key="two")], [reserved("t3.micro", count=3)],
     "3 * 744 * 0.0074", "3 * 744 * 0.0074"),
    ("its own zone", JANUARY, [box("t3.micro", zone="b")], [reserved("t3.micro", zone="euw3-az2")], "744 * 0.0074",
     "744 * 0.0074"),
    ("another zone", JANUARY, [box("t3.micro")], [reserved("t3.micro", zone="euw3-az2")],
     "744 * 0.0118 + 744 * 0.0074", "744 * 0.0118 + 744 * 0.0074"),
    ("another region", JANUARY, [box("t3.micro", region=VIRGINIA)], [reserved("t3.micro")],
     "744 * 0.0104 + 744 * 0.0074", "744 * 0.0104 + 744 * 0.0074"),
    ("another family", JANUARY, [box("t2.micro")], [reserved("t3.micro")], "744 * 0.0132 + 744 * 0.0074",
     "744 * 0.0132 + 744 * 0.0074"),
    ("a small one is two micro ones", JANUARY, [box("t3.micro"), box("t3.micro", key="two")],
     [reserved("t3.small", "0.0148")], "744 * 0.0148", "744 * 0.0148"),
    ("a micro one is half a small one", JANUARY, [box("t3.small")], [reserved("t3.micro")],
     "744 * 0.0074 + 372 * 0.0236", "744 * 0.0074 + 372 * 0.0236"),
    ("the smallest first", JANUARY, [box("t3.small"), box("t3.nano")], [reserved("t3.small", "0.0148")],
     "744 * 0.0148 + 186 * 0.0236", "744 * 0.0148 + 186 * 0.0236"),
    ("in a zone sizes are not flexible", JANUARY, [box("t3.micro")], [reserved("t3.small", "0.0148", zone="euw3-az1")],
     "744 * 0.0148 + 744 * 0.0118", "744 * 0.0148 + 744 * 0.0118"),
    ("families that are not flexible", JANUARY, [box("g5.xlarge")], [reserved("g5.2xlarge", "1")],
     "744 * 1.176 + 744 * 1", "744 * 1.176 + 744 * 1"),
    ("and that are, at their own size", JANUARY, [box("g5.xlarge")], [reserved("g5.xlarge", "0.74")], "744 * 0.74",
     "744 * 0.74"),
    ("zonal before regional", JANUARY, [box("t3.micro"), box("t3.micro", zone="b", key="two")],
     [reserved("t3.micro", key="r"), reserved("t3.micro", zone="euw3-az1", key="z")], "2 * 744 * 0.0074",
     "2 * 744 * 0.0074"),
    ("three one after the other in an hour", JANUARY,
     [box("t3.micro", 1 / 3, NOON + hours(n / 3), key=str(n)) for n in range(3)], [reserved("t3.micro")],
     "744 * 0.0074", "744 * 0.0074"),
    ("three at once in an hour", JANUARY, [box("t3.micro", 1, NOON, key=str(n)) for n in range(3)],
     [reserved("t3.micro")], "744 * 0.0074 + 2 * 0.0118", "744 * 0.0074 + 2 * 0.0118"),
    ("hours that are not used do not wait", JANUARY, [box("t3.micro", 48, NOON, key=str(n)) for n in range(2)],
     [reserved("t3.micro")], "744 * 0.0074 + 48 * 0.0118", "744 * 0.0074 + 48 * 0.0118"),
    ("an instance of ten seconds", JANUARY, [box("t3.micro", 10 / 3600, NOON)], [reserved("t3.micro")],
     "744 * 0.0074", "744 * 0.0074"),
    ("bought in the middle of the month", JANUARY, [box("t3.micro")], [reserved("t3.micro", start=MIDDLE)],
     "360 * 0.0118 + 384 * 0.0074", "360 * 0.0118 + 384 * 0.0074"),
    ("bought in the middle of an hour", JANUARY, [box("t3.micro")],
     [reserved("t3.micro", start=JANUARY + timedelta(minutes=30))], "0.5 * 0.0118 + 743.5 * 0.0074",
     "0.5 * 0.0118 + 743.5 * 0.0074"),
    ("expired in the middle of the month", JANUARY, [box("t3.micro")], [reserved("t3.micro", start=ELEVENTH_25)],
     "240 * 0.0074 + 504 * 0.0118", "240 * 0.0074 + 504 * 0.0118"),
    ("modified in the middle of the month", JANUARY, [box("t3.micro")],
     [reserved("t3.micro", stop=MIDDLE), reserved("t3.nano", "0.0037", count=2, start=MIDDLE, key="new")],
     "744 * 0.0074", "744 * 0.0074"),
    ("all upfront, when it is bought", JANUARY, [box("t3.micro")], [reserved("t3.micro", "0", upfront="60")], "60",
     "744 * 60 / 8760"),
    ("all upfront, later", FEBRUARY, [box("t3.micro", 672, FEBRUARY)], [reserved("t3.micro", "0", upfront="60")], "0",
     "672 * 60 / 8760"),
    ("all upfront and not used", FEBRUARY, [], [reserved("t3.micro", "0", upfront="60")], "0", "672 * 60 / 8760"),
    ("partial upfront", JANUARY, [box("t3.micro")], [reserved("t3.micro", "0.0035", upfront="31")],
     "31 + 744 * 0.0035", "744 * 31 / 8760 + 744 * 0.0035"),
    ("partial upfront, half used, beside another", JANUARY, [box("t3.micro", 372), box("t3.small", 100)],
     [reserved("t3.micro", "0.0035", upfront="31", zone="euw3-az1")], "31 + 744 * 0.0035 + 100 * 0.0236",
     "744 * 31 / 8760 + 744 * 0.0035 + 100 * 0.0236"),
    ("a leap month", LEAP, [box("t3.micro", 696, LEAP)], [reserved("t3.micro", start=LEAP)], "696 * 0.0074",
     "696 * 0.0074"),
    ("a leap month, all upfront", LEAP, [box("t3.micro", 696, LEAP)],
     [reserved("t3.micro", "0", upfront="60", start=LEAP - hours(744))], "0", "696 * 60 / 8760"),
    ("a year that ends before the leap day does", LEAP, [box("t3.micro", 696, LEAP)],
     [reserved("t3.micro", start=MARCH_27)], "672 * 0.0074 + 24 * 0.0118", "672 * 0.0074 + 24 * 0.0118"),
    ("another account's", JANUARY, [box("t3.micro", account=OTHER)], [reserved("t3.micro")], "744 * 0.0074",
     "744 * 0.0074"),
    ("a stranger's", JANUARY, [box("t3.micro", account=STRANGER)], [reserved("t3.micro")],
     "744 * 0.0074 + 744 * 0.0118", "744 * 0.0074 + 744 * 0.0118"),
    ("a zone that others call otherwise", JANUARY, [box("t3.micro", account=OTHER, region=VIRGINIA, zone="a")],
     [reserved("t3.micro", "0.0065", zone="use1-az2", region=VIRGINIA)], "744 * 0.0065", "744 * 0.0065"),
    ("another zone of the same name", JANUARY, [box("t3.micro", account=OTHER, region=VIRGINIA, zone="b")],
     [reserved("t3.micro", "0.0065", zone="use1-az6", region=VIRGINIA)], "744 * 0.0065 + 744 * 0.0104",
     "744 * 0.0065 + 744 * 0.0104"),
    ("dedicated instances", JANUARY, [box("t3.micro", head="DedicatedUsage")], [reserved("t3.micro")],
     "744 * 0.0074 + 744 * 0.0125", "744 * 0.0074 + 744 * 0.0125"),
    ("room that is kept", JANUARY, [box("t3.micro", head="UnusedBox")], [reserved("t3.micro")], "744 * 0.0074",
     "744 * 0.0074"),
    ("room that is kept, in a zone", JANUARY, [box("t3.micro", head="UnusedBox")],
     [reserved("t3.micro", zone="euw3-az1")], "744 * 0.0074 + 744 * 0.0118", "744 * 0.0074 + 744 * 0.0118"),
]  # fmt: skip

PLANS: Sequence[Case] = [
    ("all of it used", JANUARY, [box("t3.micro")], [plan("0.00861")], "744 * 0.00861", "744 * 0.00861"),
    ("nothing used", JANUARY, [], [plan("0.00861")], "744 * 0.00861", "744 * 0.00861"),
    ("under-used", JANUARY, [box("t3.micro", 100)], [plan("0.00861")], "744 * 0.00861", "744 * 0.00861"),
    ("over-used", JANUARY, [box("t3.micro"), box("t3.micro", key="two")], [plan("0.00861")],
     "744 * 0.00861 + 744 * 0.0118", "744 * 0.00861 + 744 * 0.0118"),
    ("half an instance", JANUARY, [box("t3.micro")], [plan("0.004305")], "744 * 0.004305 + 372 * 0.0118",
     "744 * 0.004305 + 372 * 0.0118"),
    ("any region", JANUARY, [box("t3.micro", region=VIRGINIA)], [plan("0.00759")], "744 * 0.00759", "744 * 0.00759"),
    ("a family", JANUARY, [box("t3.micro")], [plan("0.0074", "0.627", family="t3", region="eu-west-3")],
     "744 * 0.0074", "744 * 0.0074"),
    ("a family, any size", JANUARY, [box("t3.small")], [plan("0.0148", "0.627", family="t3", region="eu-west-3")],
     "744 * 0.0148", "744 * 0.0148"),
    ("another family", JANUARY, [box("t2.micro")], [plan("0.0074", "0.627", family="t3", region="eu-west-3")],
     "744 * 0.0074 + 744 * 0.0132", "744 * 0.0074 + 744 * 0.0132"),
    ("a family elsewhere", JANUARY, [box("t3.micro")], [plan("0.0074", "0.627", family="t3", region=VIRGINIA)],
     "744 * 0.0074 + 744 * 0.0118", "744 * 0.0074 + 744 * 0.0118"),
    ("reservations first", JANUARY, [box("t3.micro"), box("t3.micro", key="two")],
     [plan("0.00861"), reserved("t3.micro")], "744 * 0.00861 + 744 * 0.0074", "744 * 0.00861 + 744 * 0.0074"),
    ("a reservation leaves a plan nothing", JANUARY, [box("t3.micro")], [plan("0.00861"), reserved("t3.micro")],
     "744 * 0.00861 + 744 * 0.0074", "744 * 0.00861 + 744 * 0.0074"),
    ("the greatest saving first", JANUARY, [box("t3.micro"), box("t3.nano")], [plan("0.00861")],
     "744 * 0.00861 + 744 * 0.0059", "744 * 0.00861 + 744 * 0.0059"),
    ("the lower rate of equal savings", JANUARY, [box("m5.large"), box("m5.xlarge")], [plan("0.08176")],
     "744 * 0.08176 + 744 * 0.224", "744 * 0.08176 + 744 * 0.224"),
    ("a family's plan first", JANUARY, [box("t3.micro"), box("t2.micro")],
     [plan("0.00964"), plan("0.0074", "0.627", family="t3", region="eu-west-3", key="f")], "744 * 0.01704",
     "744 * 0.01704"),
    ("all upfront, when it is bought", JANUARY, [box("t3.micro")], [plan("0.01", ahead="0.01")], "8760 * 0.01",
     "744 * 0.01"),
    ("all upfront, later", FEBRUARY, [box("t3.micro", 672, FEBRUARY)], [plan("0.01", ahead="0.01")], "0",
     "672 * 0.01"),
    ("partial upfront", JANUARY, [box("t3.micro")], [plan("0.01", ahead="0.004")], "8760 * 0.004 + 744 * 0.006",
     "744 * 0.01"),
    ("expired in the middle of the month", JANUARY, [box("t3.micro")], [plan("0.00861", start=ELEVENTH_25)],
     "240 * 0.00861 + 504 * 0.0118", "240 * 0.00861 + 504 * 0.0118"),
    ("a leap month", LEAP, [box("t3.micro", 696, LEAP)], [plan("0.00861", start=LEAP)], "696 * 0.00861",
     "696 * 0.00861"),
    ("another account's", JANUARY, [box("t3.micro", account=OTHER)], [plan("0.00861")], "744 * 0.00861",
     "744 * 0.00861"),
    ("a stranger's", JANUARY, [box("t3.micro", account=STRANGER)], [plan("0.00861")], "744 * 0.00861 + 744 * 0.0118",
     "744 * 0.00861 + 744 * 0.0118"),
    ("given back", JANUARY, [box("t3.micro")],
     [plan("1", ahead="0.5", stop=JANUARY + hours(50), returned=True)], "744 * 0.0118", "744 * 0.0118"),
    ("two plans together", JANUARY, [box("t3.micro")], [plan("0.004"), plan("0.00461", key="two")],
     "744 * 0.00861", "744 * 0.00861"),
]  # fmt: skip
CASES = [*(("reserved: " + case[0], *case[1:]) for case in RESERVATIONS), *(("plan: " + c[0], *c[1:]) for c in PLANS)]


@pytest.mark.parametrize(
    ("month", "spans", "deals", "paid", "amortized"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_bill_to_the_cent(
    month: datetime, spans: Sequence[Span], deals: Sequence[Commitment], paid: str, amortized: str
) -> None:
    found = rows(spans, deals, month)
    assert [row.why for row in found if row.why] == []
    assert cents(total(found).quantize(Decimal("1e-10"))) == on_paper(paid)
    assert cents(total(found, "amortized").quantize(Decimal("1e-10"))) == on_paper(amortized)
    assert abs(total(found, "blended") - total(found)) < SHARED
    used = sum((total(rows([span], [], month), "usage") for span in spans), Decimal(0))
    about = [row for row in found if "Usage" in row.line.kind]
    assert abs(total(about, "usage") - used) < SHARED


def kinds(found: list[Row], column: str = "cost") -> dict[str, Decimal]:
    return {kind: total(found, column, kind=kind) for kind in {row.line.kind for row in found}}


def test_line_items_of_reservations() -> None:
    found = rows([box("t3.micro", 372), box("t3.small", 100)], [reserved("t3.micro", "0.0035", upfront="31")])
    assert kinds(found) == {
        "DiscountedUsage": 0, "RIFee": Decimal("0.0035") * 744, "Fee": 31, "Usage": Decimal("0.0236") * 100,
    }  # fmt: skip
    each = Decimal(31) / 8760 + Decimal("0.0035")
    spread = kinds(found, "amortized")
    assert round(spread["DiscountedUsage"], 15) == round(372 * each, 15)
    assert round(spread["RIFee"], 15) == round(372 * each, 15)
    assert spread["Fee"] == 0
    assert kinds(found, "usage") == {"DiscountedUsage": 372, "RIFee": 744, "Fee": 1, "Usage": 100}
    assert {row.line.commitment for row in found if row.line.kind != "Usage"} == {
        "arn:aws:ec2:eu-west-3:123456789012:reserved-instances/ri"
    }


def test_line_items_of_plans() -> None:
    found = rows([box("t3.micro", 400)], [plan("0.01", ahead="0.004")])
    worth = Decimal("0.0118") * 400
    assert kinds(found) == {
        "SavingsPlanCoveredUsage": worth, "SavingsPlanNegation": -worth,
        "SavingsPlanRecurringFee": Decimal("0.006") * 744, "SavingsPlanUpfrontFee": Decimal("0.004") * 8760,
    }  # fmt: skip
    used = Decimal("0.00861") * 400
    assert kinds(found, "amortized") == {
        "SavingsPlanCoveredUsage": used, "SavingsPlanNegation": 0, "SavingsPlanUpfrontFee": 0,
        "SavingsPlanRecurringFee": Decimal("0.01") * 744 - used,
    }  # fmt: skip


def test_what_is_paid_back_stands_on_the_bill() -> None:
    found = rows([box("t3.micro")], [plan("1", ahead="0.5", stop=JANUARY + hours(50), returned=True)])
    assert kinds(found) == {
        "Usage": Decimal("0.0118") * 744, "SavingsPlanUpfrontFee": 4380, "SavingsPlanRecurringFee": 25, "Refund": -4405,
    }  # fmt: skip


def test_who_bought_it_has_it_first_and_blended_costs_are_everybodys_average() -> None:
    spans = [box("t3.micro"), box("t3.micro", account=OTHER)]
    for deal in (reserved("t3.micro", account=OTHER), plan("0.00861", account=OTHER)):
        found = rows(spans, [deal])
        assert total(found, account=ME, kind="Usage") == Decimal("0.0118") * 744
        assert total(found, "usage", account=OTHER, kind="Usage") == 0
    found = rows(spans, [reserved("t3.micro", account=OTHER)])
    half = Decimal("0.0118") * 744 / 2
    assert total(found, "blended", account=ME) == half
    assert total(found, "blended", account=OTHER) == half + Decimal("0.0074") * 744


def test_a_bill_that_goes_on_counts_up_to_now() -> None:
    found = rows([box("t3.micro")], [reserved("t3.micro"), plan("1")], now=JANUARY + timedelta(hours=30, minutes=30))
    assert kinds(found) == {
        "DiscountedUsage": 0, "RIFee": Decimal("0.0074") * Decimal("30.5"),
        "SavingsPlanRecurringFee": Decimal("30.5"),
    }  # fmt: skip
    assert kinds(found, "usage")["DiscountedUsage"] == Decimal("30.5")
