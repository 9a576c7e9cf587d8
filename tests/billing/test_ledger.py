"""The ledger: a month by day, hours at the prices of their day, and months that are over kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from cloudjar.billing.ledger import Ledger, ledger
from cloudjar.billing.measured import Line
from cloudjar.kit.closed_months import closed_months
from cloudjar.kit.quantities import Owner, Tally
from tests.jar import ACCOUNT, TestJar

JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
REGION = "eu-west-3"
OUT = Tally("AWSDataTransfer", "DataTransfer-Out-Bytes", "", "GB", 1)


def book(jar: TestJar) -> Ledger:
    return ledger(jar.jar.world)


def by_type(line: Line) -> str:
    return line.usage_type


def everything(_: Line) -> bool:
    return True


def test_a_volume_costs_by_day_hour_and_month(jar: TestJar) -> None:
    ec2 = jar.client("ec2")
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "Project", "Value": "x"}]}]
    volume = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=8, VolumeType="gp3", TagSpecifications=tags)
    jar.settle()
    jar.advance(days=30)  # until 14 February, noon
    kind, price = "EBS:VolumeUsage.gp3", Decimal("0.0928") * 8
    _, months = book(jar).sums(JANUARY, MARCH, "MONTHLY", keep=everything, key=by_type)
    expected = [price * Decimal("16.5") / 31, price * Decimal("13.5") / 28]
    assert [round(x, 20) for x in months[kind].unblended] == [round(x, 20) for x in expected]
    assert months[kind].unit == "GB-Mo"
    periods, days = book(jar).sums(JANUARY, MARCH, "DAILY", keep=everything, key=by_type)
    assert len(periods) == 31 + 28
    assert round(sum(days[kind].unblended), 20) == round(sum(expected), 20)
    assert days[kind].usage[13] == 0
    assert round(days[kind].usage[15], 20) == round(Decimal(8) / 31, 20)
    start = datetime(2026, 2, 13, tzinfo=UTC)
    _, hours = book(jar).sums(start, start + timedelta(days=1), "HOURLY", keep=everything, key=by_type)
    assert round(sum(hours[kind].unblended), 20) == round(days[kind].unblended[31 + 12], 20)
    _, tagged = book(jar).sums(JANUARY, MARCH, "MONTHLY", keep=lambda line: line.resource == volume["VolumeId"],
                               key=lambda line: dict(line.tags).get("Project"), resources=True)  # fmt: skip
    assert list(tagged) == ["x"]


def test_tags_tell_usage_from_when_they_were_given(jar: TestJar) -> None:
    ec2 = jar.client("ec2")
    key = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=31, VolumeType="gp3")["VolumeId"]
    jar.settle()
    jar.advance(days=1)
    ec2.create_tags(Resources=[key], Tags=[{"Key": "team", "Value": "a"}])
    jar.advance(days=2)
    _, found = book(jar).sums(JANUARY, FEBRUARY, "MONTHLY", keep=lambda line: line.resource == key,
                              key=lambda line: line.tags, resources=True)  # fmt: skip
    assert {tags: round(group.usage[0], 20) for tags, group in found.items()} == {(): 1, (("team", "a"),): 2}


def test_tiers_and_free_units_are_the_days_for_everybody(jar: TestJar) -> None:
    quantities = jar.jar.quantities
    with jar.jar.database.transaction():
        for key, amount in (("a", 60), ("b", 140)):
            quantities.add(Owner(ACCOUNT, REGION, key), OUT, amount)
        quantities.add(Owner(ACCOUNT, "us-east-1", "c"), OUT, 50, jar.clock.now() + timedelta(days=1))
    jar.advance(days=2)
    _, found = book(jar).sums(JANUARY, FEBRUARY, "MONTHLY", keep=lambda line: line.service == "AWSDataTransfer",
                              key=lambda line: line.resource, resources=True)  # fmt: skip
    costs = {key: group.unblended[0] for key, group in found.items()}
    # 100 GB are free, used up on the first day: 30 of a's 60 and 70 of b's 140.
    assert costs == {"a": Decimal("2.7"), "b": Decimal("6.3"), "c": Decimal("4.5")}


def test_what_comes_late_opens_a_closed_month(jar: TestJar) -> None:
    quantities, database = jar.jar.quantities, jar.jar.database
    with database.transaction():
        quantities.add(Owner(ACCOUNT, REGION, "a"), OUT, 150)
    then = jar.clock.now()
    jar.advance(days=40)

    def total() -> Decimal:
        _, found = book(jar).sums(
            JANUARY, FEBRUARY, "MONTHLY", keep=lambda line: line.resource == "a", key=by_type, resources=True
        )
        return found["DataTransfer-Out-Bytes"].unblended[0]

    assert total() == Decimal("4.5")
    assert database.query("SELECT until FROM usage_month") == [(int(FEBRUARY.timestamp()),)]
    jar.crash()
    assert total() == Decimal("4.5")
    with jar.jar.database.transaction():
        jar.jar.quantities.add(Owner(ACCOUNT, REGION, "a"), OUT, 10, then)
    assert closed_months(jar.jar.database).disturbed == 1
    assert total() == Decimal("5.4")
