"""What holds for every bill: parts add up to the whole, and how the clock was moved does not matter."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.billing.ledger import ledger
from cloudjar.billing.measured import Line
from cloudjar.kit.quantities import Tally
from cloudjar.kit.usage import Meter
from tests.billing.scenarios import FEBRUARY, JANUARY, PARIS, VIRGINIA, Counted, Ran, Use, bill, cost
from tests.jar import TestJar, running

METERS = (
    Meter("AmazonEC2", "BoxUsage:t3.micro", "RunInstances", "Hrs"),
    Meter("AmazonEC2", "EBS:VolumeUsage.gp3", "", "GB-Mo", Decimal(8)),
    Meter("AmazonEC2", "NatGateway-Hours", "NatGateway", "Hrs"),
    Meter("AmazonCloudWatch", "CW:AlarmMonitorUsage", "", "Alarms", Decimal(7)),
    Meter("AmazonS3", "TimedStorage-ByteHrs", "StandardStorage", "GB-Mo", Decimal(70_000)),
)
TALLIES = (
    Tally("AWSDataTransfer", "DataTransfer-Out-Bytes", "", "GB", 1),
    Tally("AWSQueueService", "Requests-Tier1", "", "Requests", 1),
)
KEYS = st.sampled_from(["a", "b", "c"])
REGIONS = st.sampled_from([PARIS, VIRGINIA])
ACCOUNTS = st.sampled_from(["111111111111", "222222222222"])
MOMENTS = st.integers(-20 * 86400, 50 * 86400).map(lambda seconds: JANUARY + timedelta(seconds=seconds))
LENGTHS = st.integers(0, 60 * 86400).map(lambda seconds: timedelta(seconds=seconds))
RUNS = st.builds(
    Ran, meter=st.sampled_from(METERS), start=MOMENTS, length=LENGTHS, region=REGIONS, account=ACCOUNTS, key=KEYS
)
COUNTS = st.builds(
    Counted, tally=st.sampled_from(TALLIES), amount=st.integers(0, 3_000_000), at=MOMENTS, region=REGIONS,
    account=ACCOUNTS, key=KEYS,
)  # fmt: skip
USES = st.lists(RUNS | COUNTS, max_size=12)
CLOSE = Decimal("1e-15")


@settings(max_examples=60, deadline=None)
@given(USES)
def test_the_parts_of_any_partition_add_up(uses: list[Use]) -> None:
    rows = bill(uses, JANUARY)
    whole = cost(rows)
    for name in Line._fields:
        parts: dict[object, Decimal] = defaultdict(Decimal)
        for row in rows:
            parts[getattr(row.line, name)] += cost([row])
        assert abs(sum(parts.values(), Decimal(0)) - whole) < CLOSE
    by_day = sum((row.cost[day] for row in rows for day in range(31)), Decimal(0))
    assert abs(by_day - whole) < CLOSE
    assert all(amount >= 0 for row in rows for amount in (*row.cost, *row.usage, *row.free))


@settings(max_examples=60, deadline=None)
@given(USES, st.randoms(use_true_random=False))
def test_the_order_of_what_is_told_does_not_matter(uses: list[Use], chance: Random) -> None:
    turned = list(uses)
    chance.shuffle(turned)
    assert abs(cost(bill(uses, JANUARY)) - cost(bill(turned, JANUARY))) < CLOSE


@settings(max_examples=60, deadline=None)
@given(USES, st.integers(0, 31 * 86400))
def test_a_month_that_is_over_does_not_change(uses: list[Use], later: int) -> None:
    over = FEBRUARY + timedelta(days=60)  # minimums and begun hours are due where things end
    assert abs(cost(bill(uses, JANUARY, over)) - cost(bill(uses, JANUARY, over + timedelta(seconds=later)))) < CLOSE


@pytest.mark.parametrize("cuts", [[1], [59, 61], [1, 16 * 24 * 60 + 720, 39 * 24 * 60], [720, 1440, 20000, 30001]])
def test_splitting_a_jump_of_the_clock_changes_no_bill(tmp_path: Path, cuts: list[int]) -> None:
    """The same forty days in one jump or in several: bills are the same to the last digit."""
    whole = 40 * 24 * 60
    bills = [_bill(tmp_path / str(n), turns) for n, turns in enumerate(([0, whole], [0, *cuts, whole]))]
    assert bills[0] == bills[1]
    assert sum(bills[0].values()) > 0


def _bill(home: Path, turns: list[int]) -> dict[tuple[str, int], Decimal]:
    with running(home) as jar:
        ec2 = jar.client("ec2")
        made = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=100, VolumeType="gp3")["VolumeId"]
        ec2.allocate_address(Domain="vpc")
        jar.client("kms").create_key()
        jar.client("s3").create_bucket(Bucket="jam", CreateBucketConfiguration={"LocationConstraint": PARIS})
        jar.client("s3").put_object(Bucket="jam", Key="k", Body=b"x" * 100_000)
        jar.settle()
        for first, last in pairwise(turns):
            jar.advance(minutes=last - first)
        ec2.delete_volume(VolumeId=made)
        jar.settle()
        jar.advance(hours=5)
        book = ledger(jar.jar.world)
        book.collect()
        _, found = book.sums(
            JANUARY, jar.clock.now() + timedelta(days=1), "MONTHLY", keep=lambda _: True,
            key=lambda line: line.bill_usage_type,
        )  # fmt: skip
        return {
            (name, index): cost.quantize(CLOSE)
            for name, group in found.items()
            for index, cost in enumerate(group.unblended)
        }


@pytest.mark.parametrize("region", [PARIS, VIRGINIA])
def test_hours_add_up_to_their_day(steady_jar: TestJar, region: str) -> None:
    jar = steady_jar
    jar.client("ec2", region).create_volume(AvailabilityZone=f"{region}a", Size=10, VolumeType="gp3")
    jar.settle()
    jar.advance(days=1, hours=3, minutes=7)
    start = jar.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    ask = ledger(jar.jar.world).sums
    for day in (start - timedelta(days=1), start):
        _, hours = ask(day, day + timedelta(days=1), "HOURLY", keep=lambda _: True, key=lambda line: line.service)
        _, days = ask(day, day + timedelta(days=1), "DAILY", keep=lambda _: True, key=lambda line: line.service)
        assert set(hours) == set(days)
        for name, group in days.items():
            assert abs(sum(hours[name].unblended, Decimal(0)) - group.unblended[0]) < CLOSE
