"""What holds for every bill with reservations and plans, whatever ran and whatever was bought."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.billing import covered, measured
from cloudjar.billing.covered_days import Splits
from cloudjar.billing.ledger import DIGITS
from cloudjar.billing.measured import Grid, Labels, Line
from cloudjar.kit.commitments import Commitment
from cloudjar.kit.usage import Span
from tests.billing.committed import FAMILY, OTHER, STRANGER, box, plan, reserved, rows, total
from tests.billing.scenarios import JANUARY, ME

CLOSE = Decimal("1e-15")
KEYS = st.integers(0, 99).map(str)
ACCOUNTS = st.sampled_from([ME, OTHER, STRANGER])
MOMENTS = st.integers(-5 * 86400, 31 * 86400).map(lambda seconds: JANUARY + timedelta(seconds=seconds))
BOXES = st.builds(
    box, kind=st.sampled_from(["t3.nano", "t3.micro", "t3.small", "m5.large"]), length=st.floats(0, 900),
    start=MOMENTS, zone=st.sampled_from("ab"), key=KEYS, account=ACCOUNTS,
    head=st.sampled_from(["BoxUsage", "BoxUsage", "UnusedBox"]),
)  # fmt: skip
RESERVED = st.builds(
    reserved, kind=st.sampled_from(["t3.micro", "t3.small", "m5.large"]), hourly=st.sampled_from(["0.004", "0"]),
    count=st.integers(1, 3), upfront=st.sampled_from(["0", "31"]), zone=st.sampled_from(["", "", "euw3-az1"]),
    start=MOMENTS, account=ACCOUNTS, key=KEYS,
)  # fmt: skip
PLANS = st.builds(
    plan, commitment=st.sampled_from(["0.003", "0.02", "0.5"]), family=st.sampled_from(["", "t3"]),
    region=st.just("eu-west-3"), ahead=st.sampled_from(["0", "0.001"]), start=MOMENTS, account=ACCOUNTS,
    key=st.integers(100, 199).map(str),
)  # fmt: skip
USES = st.lists(BOXES, max_size=6, unique_by=lambda one: (one.account, one.resource))
DEALS = st.lists(RESERVED | PLANS, max_size=4, unique_by=lambda one: one.resource).map(
    lambda found: [one for one in found if one.terms.hourly or one.terms.upfront]
)
NOWS = st.integers(0, 31 * 86400).map(lambda seconds: JANUARY + timedelta(seconds=seconds))


@settings(max_examples=80, deadline=None)
@given(USES, DEALS)
def test_the_parts_of_any_partition_add_up(spans: list[Span], deals: list[Commitment]) -> None:
    found = rows(spans, deals)
    for column in ("cost", "amortized", "blended", "usage"):
        whole = total(found, column)
        for name in Line._fields:
            parts: dict[object, Decimal] = defaultdict(Decimal)
            for row in found:
                parts[getattr(row.line, name)] += total([row], column)
            assert abs(sum(parts.values(), Decimal(0)) - whole) < CLOSE
    assert abs(total(found, "blended") - total(found)) < CLOSE
    assert len({row.line for row in found}) == len(found)


@settings(max_examples=80, deadline=None)
@given(USES, DEALS)
def test_usage_is_neither_lost_nor_made(spans: list[Span], deals: list[Commitment]) -> None:
    found, alone = rows(spans, deals), rows(spans, [])
    about = [row for row in found if row.line.kind in ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")]
    assert abs(total(about, "usage") - total(alone, "usage")) < CLOSE
    assert all(amount > -CLOSE for row in found for amount in (*row.usage, *row.amortized))
    for deal in deals:  # nothing covers more than what it is
        mine = [row for row in found if row.line.commitment == deal.terms.arn]
        fees = [row for row in mine if row.line.kind.endswith("Fee")]
        hours = total(fees, "usage", unit="Hrs")
        assert all(row.line.account == deal.account for row in fees)
        each = total(mine, "amortized")
        bought = deal.terms.commitment * hours
        if not deal.terms.commitment:
            count = Decimal(deal.terms.count)
            bought = (deal.terms.hourly + deal.terms.upfront / 8760) * hours / count
        assert abs(each - bought) < CLOSE


@settings(max_examples=40, deadline=None)
@given(USES, DEALS)
def test_hours_add_up_to_their_day(spans: list[Span], deals: list[Commitment]) -> None:
    days = rows(spans, deals)
    start = JANUARY + timedelta(days=11)
    hours = rows(spans, deals, grid=Grid(start, 3600, 24, JANUARY + timedelta(days=400)))
    for column in ("cost", "amortized", "usage"):
        by_kind: dict[str, Decimal] = defaultdict(Decimal)
        for row in days:
            by_kind[row.line.kind] += getattr(row, column)[11]
        for row in hours:
            by_kind[row.line.kind] -= sum(getattr(row, column))
        assert all(abs(rest) < CLOSE for rest in by_kind.values())


@settings(max_examples=60, deadline=None)
@given(USES, DEALS, st.lists(NOWS, min_size=1, max_size=3))
def test_days_that_are_over_need_not_be_worked_out_again(
    spans: list[Span], deals: list[Commitment], moments: list[datetime]
) -> None:
    splits = Splits()
    for now in sorted(moments):
        grid = measured.month_grid(JANUARY, now)
        if not 0 < (now - grid.start) // timedelta(days=1) < grid.steps:
            continue
        seen = [s if s.end is not None and s.end <= now else s._replace(end=None) for s in spans if s.start < now]
        bought = [deal for deal in deals if deal.start < now]
        with localcontext() as context:
            context.prec = DIGITS
            found: measured.Rows = {}
            measured.add_spans(found, seen, grid, Labels(()))
            told = splits.month(found, seen, bought, grid, Labels(()), _payer, disturbed=0)
            whole = covered.split(seen, bought, grid, Labels(()), _payer)
        for column in ("usage", "cost", "amortized"):
            known = {row.line: sum(getattr(row, column)) for row in told.known}
            again = {row.line: sum(getattr(row, column)) for row in whole.known}
            assert all(abs(known.get(line, 0) - again.get(line, 0)) < CLOSE for line in known.keys() | again.keys())
        assert {line: round(sum(row), 20) for line, row in told.left.items() if any(row)} == {
            line: round(sum(row), 20) for line, row in whole.left.items() if any(row)
        }


def _payer(account: str) -> str:
    return FAMILY.get(account, account)
