"""From spans to a bill: seconds, months, minimums, tiers, free units, rounding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from cloudjar.billing import invoice, lines, rate
from cloudjar.kit.usage import Meter, Span
from cloudjar.spec import prices

ME = "123456789012"
START = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


MICRO = Meter("AmazonEC2", "BoxUsage:t3.micro", "RunInstances", "Hrs")
DISK = Meter("AmazonEC2", "EBS:VolumeUsage.gp3", "CreateVolume-Gp3", "GB-Mo", Decimal(8))
ADDRESS = Meter("AmazonVPC", "PublicIPv4:InUseAddress", "RunInstances", "Hrs")
NAT = Meter("AmazonEC2", "NatGateway-Hours", "NatGateway", "Hrs")


def span(meter: Meter, length: timedelta | None, region: str = "eu-west-3", start: datetime = START) -> Span:
    return Span(ME, region, f"r-{meter.usage_type}", meter, start, None if length is None else start + length)


def quantity(one: Span, end: datetime | None = None, start: datetime = START - timedelta(days=30)) -> Decimal:
    found = lines.measure([one], start, end or START + timedelta(days=90))
    return sum((line.quantity for line in found), Decimal(0))


@pytest.mark.parametrize(
    ("meter", "length", "expected"),
    [
        (MICRO, HOUR, Decimal(1)),
        (MICRO, timedelta(seconds=90), Decimal(90) / 3600),
        (MICRO, timedelta(seconds=10), Decimal(60) / 3600),
        (MICRO, timedelta(0), Decimal(60) / 3600),
        (ADDRESS, timedelta(minutes=30), Decimal("0.5")),
        (NAT, timedelta(minutes=61), Decimal(2)),
        (NAT, HOUR, Decimal(1)),
        (DISK, timedelta(days=1), Decimal(8) * 24 / (31 * 24)),
    ],
)
def test_what_a_span_measures(meter: Meter, length: timedelta, expected: Decimal) -> None:
    assert quantity(span(meter, length)) == expected


def test_what_goes_on_counts_until_now() -> None:
    assert quantity(span(MICRO, None), START + 3 * HOUR) == 3
    assert quantity(span(MICRO, None), START) == 0


def test_windows_that_follow_each_other_add_up() -> None:
    one = span(MICRO, timedelta(hours=5, seconds=30))
    cuts = [START - HOUR, START + HOUR, START + 2 * HOUR, START + 6 * HOUR]
    parts = [quantity(one, b, a) for a, b in pairwise(cuts)]
    assert sum(parts) == quantity(one)


def test_a_volume_held_for_whole_months_is_its_size_in_each() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    one = span(DISK, timedelta(days=31 + 28), start=start)
    found = list(lines.measure([one], start, start + timedelta(days=90)))
    assert [line.quantity for line in found] == [8, 8]
    assert [line.start.month for line in found] == [1, 2]


def test_the_bill_of_the_course() -> None:
    """An hour of a t3.micro in Paris with 8 GB of gp3 and a public address."""
    spans = [span(m, HOUR) for m in (MICRO, DISK, ADDRESS)]
    charges = rate.rate(lines.measure(spans, START, START + 2 * HOUR))
    costs = {c.line.usage_type: c.cost for c in charges}
    assert costs["BoxUsage:t3.micro"] == Decimal("0.0118")
    assert costs["PublicIPv4:InUseAddress"] == Decimal("0.005")
    assert costs["EBS:VolumeUsage.gp3"] == (Decimal("0.0928") * 8 / 744).quantize(rate.REPORT)
    bill = invoice.summary(charges)
    assert [s.name for s in bill.services] == ["Amazon Elastic Compute Cloud", "Amazon Virtual Private Cloud"]
    assert bill.amount == Decimal("0.02")
    assert bill.cost == sum(c.cost for c in charges if c.cost is not None)
    box = bill.services[0].items[0]
    assert (box.bill_usage_type, box.quantity, box.resources) == ("EUW3-BoxUsage:t3.micro", Decimal(1), 1)
    assert bill.unpriced == ()


def storage(gigabytes: int, resource: str = "b", start: datetime = START, region: str = "us-east-1") -> lines.UsageLine:
    return lines.UsageLine(ME, region, "AmazonS3", "TimedStorage-ByteHrs", "StandardStorage", "GB-Mo", resource,
                           Decimal(gigabytes), start, start + HOUR)  # fmt: skip


def test_tiers_count_the_month_over_all_resources() -> None:
    first, second = rate.rate([storage(51200, "a"), storage(1000, "b", START + HOUR)])
    assert first.cost == Decimal("0.023") * 51200
    assert second.cost == Decimal("0.022") * 1000
    later = rate.rate([storage(51200), storage(1000, start=START + timedelta(days=30))])
    assert later[1].cost == Decimal("0.023") * 1000
    elsewhere = rate.rate([storage(51200), storage(1000, region="eu-west-3")])
    assert elsewhere[1].cost == Decimal("0.024") * 1000


def test_one_line_over_two_tiers() -> None:
    (charge,) = rate.rate([storage(51300)])
    assert charge.cost == Decimal("0.023") * 51200 + Decimal("0.022") * 100


def messages(count: int, start: datetime = START, region: str = "us-east-1") -> lines.UsageLine:
    return lines.UsageLine(ME, region, "AWSQueueService", "Requests-Tier1", "", "Requests", "q", Decimal(count), start,
                           start + HOUR)  # fmt: skip


def test_free_units_are_for_the_account_over_all_regions_each_month() -> None:
    some = [messages(600_000), messages(600_000, START + HOUR, "eu-west-3")]
    paid = [c.cost for c in rate.rate(some)]
    assert paid == [Decimal("0.24"), Decimal("0.24")]
    free = rate.rate(some, free_units=True)
    assert [c.free for c in free] == [600_000, 400_000]
    assert [c.cost for c in free] == [0, Decimal("0.08")]


def test_what_has_no_price_is_on_the_bill_but_not_in_the_total() -> None:
    charges = rate.rate(lines.measure([span(MICRO, HOUR, "ap-south-1"), span(MICRO, HOUR)], START, START + 2 * HOUR))
    bill = invoice.summary(charges)
    (item,) = bill.unpriced
    assert (item.region, item.cost, item.amount) == ("ap-south-1", None, None)
    assert "ap-south-1" in item.why
    assert bill.cost == Decimal("0.0118")


def test_a_quantity_in_another_unit_than_the_price_is_not_multiplied() -> None:
    wrong = storage(5)._replace(unit="GB")
    (charge,) = rate.rate([wrong])
    assert charge.cost is None
    assert "GB-Mo" in charge.why


def test_calls_of_control_planes_cost_nothing() -> None:
    free = lines.requests(ME, "eu-west-3", "AWSIdentityAndAccessManagement", "CreateUser", 1000, START)
    (charge,) = rate.rate([free])
    assert charge.cost == 0
    assert charge.price is not None


def test_cents_are_rounded_half_up_and_once() -> None:
    assert rate.cents(Decimal("0.005")) == Decimal("0.01")
    assert rate.cents(Decimal("0.0049999")) == Decimal("0.00")
    assert rate.tiered(prices.price("AmazonS3", "TimedStorage-ByteHrs", "us-east-1").tiers, Decimal(0)) == 0


@pytest.mark.parametrize(
    ("amounts", "whole", "expected"),
    [
        (["0.333", "0.333", "0.334"], "1.00", ["0.33", "0.33", "0.34"]),
        (["0.005", "0.005", "0.005"], "0.02", ["0.01", "0.01", "0.00"]),
        (["10.994", "-10.991"], "0.00", ["10.99", "-10.99"]),
        ([], "0.00", []),
    ],
)
def test_lines_add_up_to_the_total_that_is_shown(amounts: list[str], whole: str, expected: list[str]) -> None:
    found = invoice.apportioned([Decimal(one) for one in amounts], Decimal(whole), Decimal("0.01"))
    assert [str(one) for one in found] == expected
    assert sum(found) == Decimal(whole)
