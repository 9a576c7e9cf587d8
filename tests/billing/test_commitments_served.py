"""What was bought through the API lowers the bill, and everything that tells of money tells the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from cloudjar.billing.ledger import ledger
from cloudjar.billing.report_columns import CUR_COLUMNS, FOCUS_COLUMNS
from cloudjar.billing.report_commitments import focus
from cloudjar.billing.report_rows import Used, used
from cloudjar.kit.usage import Meter
from tests.billing.buying import commit, launch, reserve
from tests.jar import ACCOUNT, TestJar, running

CLOSE = Decimal("1e-9")
JANUARY = {"Start": "2026-01-01", "End": "2026-02-01"}


def asked(jar: TestJar, metric: str, step: str = "MONTHLY", **more: Any) -> dict[str, Decimal]:
    """By record type, over the month."""
    found = jar.client("ce", region="us-east-1").get_cost_and_usage(
        TimePeriod=JANUARY, Granularity=step, Metrics=[metric],
        GroupBy=[{"Type": "DIMENSION", "Key": "RECORD_TYPE"}], **more,
    )  # fmt: skip
    sums: dict[str, Decimal] = {}
    for period in found["ResultsByTime"]:
        for group in period["Groups"]:
            kind = group["Keys"][0]
            sums[kind] = sums.get(kind, Decimal(0)) + Decimal(group["Metrics"][metric]["Amount"])
    return sums


def reported(jar: TestJar, step: str) -> Iterator[Used]:
    return used(jar.jar.world, ACCOUNT, jar.clock.now(), step, resources=True)


def test_costs_are_the_same_wherever_they_are_told(jar: TestJar) -> None:
    launch(jar)
    launch(jar, "t3.small")
    reserve(jar, "t3.small", option="Partial Upfront")
    commit(jar, "0.004", "Partial Upfront")
    jar.advance(days=3, hours=5, minutes=7)
    world = jar.jar.world
    month = ledger(world).book(jar.clock.now())
    for metric, column in (("UnblendedCost", "cost"), ("AmortizedCost", "amortized"), ("BlendedCost", "blended")):
        rows = [row for row in month.rows if row.line.service != "AWSCostExplorer"]
        whole = sum((sum(getattr(row, column), Decimal(0)) for row in rows), Decimal(0))
        free = {"Filter": {"Not": {"Dimensions": {"Key": "SERVICE_CODE", "Values": ["AWSCostExplorer"]}}}}
        for step in ("DAILY", "MONTHLY"):
            told = asked(jar, metric, step, **free)
            assert abs(sum(told.values()) - whole) < CLOSE
            assert {"DiscountedUsage", "RIFee", "Fee", "SavingsPlanCoveredUsage", "SavingsPlanNegation"} <= set(told)
        for granularity in ("HOURLY", "DAILY", "MONTHLY"):
            lines = [one for one in reported(jar, granularity) if one.line.service != "AWSCostExplorer"]
            assert abs(sum(getattr(one, column) for one in lines) - whole) < CLOSE
    whole = sum((sum(row.cost, Decimal(0)) for row in month.rows), Decimal(0))
    spread = sum((sum(row.amortized, Decimal(0)) for row in month.rows), Decimal(0))
    lines = list(focus(reported(jar, "DAILY")))
    assert abs(sum(one.cost for one in lines) - whole - _since(jar, month.rows)) < CLOSE
    assert abs(sum(one.amortized for one in lines) - spread - _since(jar, month.rows)) < CLOSE


def _since(jar: TestJar, rows: list[Any]) -> Decimal:
    """Questions to Cost Explorer cost something, also these."""
    def asked_for(found: list[Any]) -> Decimal:
        return sum((sum(row.cost, Decimal(0)) for row in found if row.line.service == "AWSCostExplorer"), Decimal(0))

    return asked_for(ledger(jar.jar.world).book(jar.clock.now()).rows) - asked_for(rows)


def test_a_reservation_covers_what_matches_it(jar: TestJar) -> None:
    (first,) = launch(jar)
    key = reserve(jar)
    jar.advance(days=2)
    boxes = {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["EUW3-BoxUsage:t3.micro"]}}
    sums = asked(jar, "UsageQuantity", Filter=boxes)
    assert sums["DiscountedUsage"] > 47
    assert sums.get("Usage", Decimal(0)) < 1  # what ran before it was bought
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:reserved-instances/{key}"
    lines = {one.line.kind: one for one in reported(jar, "MONTHLY") if one.line.commitment == arn}
    assert lines["DiscountedUsage"].line.resource == first
    cur = {name: read(lines["DiscountedUsage"]) for name, (_, read) in CUR_COLUMNS.items()}
    assert cur["reservation_reservation_a_r_n"] == arn
    assert (cur["pricing_term"], cur["pricing_offering_class"]) == ("Reserved", "standard")
    assert cur["line_item_unblended_cost"] == 0
    assert cur["reservation_effective_cost"] == lines["DiscountedUsage"].amortized
    fee = {name: read(lines["RIFee"]) for name, (_, read) in CUR_COLUMNS.items()}
    assert fee["reservation_number_of_reservations"] == "1"
    paid = Decimal(str(fee["line_item_unblended_cost"]))
    unused = Decimal(str(fee["reservation_unused_recurring_fee"]))
    assert abs(paid - unused - lines["DiscountedUsage"].amortized) < CLOSE
    charge = {name: read(next(focus([lines["DiscountedUsage"]]))) for name, (_, read) in FOCUS_COLUMNS.items()}
    assert (charge["CommitmentDiscountStatus"], charge["PricingCategory"]) == ("Used", "Committed")
    assert charge["CommitmentDiscountId"] == arn


def test_a_plan_covers_what_is_left(jar: TestJar) -> None:
    launch(jar)
    key = commit(jar, "1")
    jar.advance(hours=10)
    arn = f"arn:aws:savingsplans::{ACCOUNT}:savingsplan/{key}"
    lines = {one.line.kind: one for one in reported(jar, "MONTHLY") if one.line.commitment == arn}
    hours = lines["SavingsPlanCoveredUsage"].usage
    cur = {name: read(lines["SavingsPlanCoveredUsage"]) for name, (_, read) in CUR_COLUMNS.items()}
    assert abs(Decimal(str(cur["savings_plan_savings_plan_rate"])) - Decimal("0.00861")) < CLOSE
    assert cur["savings_plan_savings_plan_effective_cost"] == lines["SavingsPlanCoveredUsage"].amortized
    fee = {name: read(lines["SavingsPlanRecurringFee"]) for name, (_, read) in CUR_COLUMNS.items()}
    assert abs(Decimal(str(fee["savings_plan_used_commitment"])) - Decimal("0.00861") * hours) < CLOSE
    unused = lines["SavingsPlanRecurringFee"].amortized
    assert abs(Decimal(str(fee["savings_plan_total_commitment_to_date"])) - unused - Decimal("0.00861") * hours) < CLOSE


def test_a_month_that_is_over_is_kept_with_what_was_covered(jar: TestJar) -> None:
    launch(jar)
    reserve(jar, option="All Upfront")
    commit(jar, "0.1")
    jar.advance(days=40)
    then = jar.clock.now() - timedelta(days=35)

    def month() -> list[tuple[Any, ...]]:
        return sorted((row.line, row.usage, row.cost, row.amortized, row.blended, row.why)
                      for row in ledger(jar.jar.world).book(then).rows)  # fmt: skip

    before = month()
    assert {"DiscountedUsage", "RIFee", "Fee", "SavingsPlanRecurringFee"} <= {line.kind for line, *_ in before}
    jar.crash()
    assert month() == before


def test_leaving_it_running_is_covered_too(jar: TestJar) -> None:
    launch(jar)
    reserve(jar)
    ahead = ledger(jar.jar.world).ahead(jar.clock.now() + timedelta(days=10))
    kinds = {row.line.kind: sum(row.usage, Decimal(0)) for row in ahead if "t3.micro" in row.line.usage_type}
    assert kinds["DiscountedUsage"] == kinds["RIFee"] == 240
    assert all(kinds.get(kind, 0) == 0 for kind in ("Usage",))


def test_an_organization_shares_what_it_bought(jar: TestJar) -> None:
    organizations = jar.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    organizations.create_account(Email="dev@example.com", AccountName="dev")
    jar.settle()
    accounts = organizations.list_accounts()["Accounts"]
    (member,) = [one["Id"] for one in accounts if one["Id"] != ACCOUNT]
    reserve(jar, count=2)
    start = jar.clock.now()
    jar.advance(days=1)
    with jar.jar.database.transaction():
        meter = Meter("AmazonEC2", "BoxUsage:t3.micro", "RunInstances", "Hrs")
        for account, count in ((ACCOUNT, 1), (member, 2)):
            for number in range(count):
                jar.jar.usage.used(account, "eu-west-3", f"i-{number}", meter, start, start + timedelta(hours=10))
    found = jar.client("ce", region="us-east-1").get_cost_and_usage(
        TimePeriod=JANUARY, Granularity="MONTHLY", Metrics=["UsageQuantity"],
        GroupBy=[{"Type": "DIMENSION", "Key": key} for key in ("LINKED_ACCOUNT", "RECORD_TYPE")],
        Filter={"Dimensions": {"Key": "USAGE_TYPE", "Values": ["EUW3-BoxUsage:t3.micro"]}},
    )["ResultsByTime"][0]["Groups"]  # fmt: skip
    used_by = {tuple(one["Keys"]): float(one["Metrics"]["UsageQuantity"]["Amount"]) for one in found}
    assert round(used_by[ACCOUNT, "DiscountedUsage"], 2) == 10
    assert round(used_by[member, "DiscountedUsage"], 2) == 10
    assert round(used_by[member, "Usage"], 2) == 10


def test_splitting_a_jump_of_the_clock_changes_no_bill(tmp_path: Path) -> None:
    """Asked in between or not, in one jump or in several."""
    one, other = (_after(tmp_path / str(n), cuts) for n, cuts in enumerate(([], [61, 720, 20_000, 30_001])))
    assert one == other
    assert {"DiscountedUsage", "SavingsPlanCoveredUsage", "RIFee", "Usage"} <= {kind for kind, _ in one}


def _after(home: Path, cuts: list[int]) -> dict[tuple[str, int], tuple[Decimal, Decimal]]:
    """By record type and month: what was paid, and amortized, forty days later."""
    with running(home) as jar:
        launch(jar)
        launch(jar, "t3.small")
        reserve(jar)
        commit(jar, "0.01")
        book = ledger(jar.jar.world)
        start = jar.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)

        def told() -> dict[tuple[str, int], tuple[Decimal, Decimal]]:
            end = jar.clock.now() + timedelta(days=1)
            _, found = book.sums(start, end, "MONTHLY", keep=lambda _: True, key=lambda line: line.kind)
            return {
                (kind, index): (group.unblended[index].quantize(CLOSE), group.amortized[index].quantize(CLOSE))
                for kind, group in found.items()
                for index in range(len(group.usage))
            }

        for first, last in pairwise([0, *cuts, 40 * 24 * 60]):
            jar.advance(minutes=last - first)
            now = told()
        return now
