"""Reserved Instances: what is on offer, what a purchase costs, how it ends, and what it can be changed to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from cloudjar.billing.lines import measure
from cloudjar.billing.rate import rate
from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, allow, code, only

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
HOURS = 8760


def offered(ec2: Any, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ec2.describe_reserved_instances_offerings(
        **{"InstanceType": "t3.medium", "OfferingClass": "standard", **more}
    )["ReservedInstancesOfferings"]
    return found


def one(ec2: Any, option: str = "No Upfront", scope: str = "Region", years: int = 1, **more: Any) -> dict[str, Any]:
    length = years * HOURS * 3600
    (found,) = offered(ec2, OfferingType=option, MinDuration=length, MaxDuration=length,
                       Filters=only(scope=scope), **more)[:1]  # fmt: skip
    return found


def buy(ec2: Any, offer: dict[str, Any], count: int = 1, **more: Any) -> str:
    bought = ec2.purchase_reserved_instances_offering(
        ReservedInstancesOfferingId=offer["ReservedInstancesOfferingId"], InstanceCount=count, **more
    )
    return str(bought["ReservedInstancesId"])


def shown(ec2: Any, key: str) -> dict[str, Any]:
    (found,) = ec2.describe_reserved_instances(ReservedInstancesIds=[key])["ReservedInstances"]
    return found  # type: ignore[no-any-return]  # botocore's answers are untyped


def paid(jar: TestJar) -> Decimal:
    now = jar.clock.now() + timedelta(seconds=1)
    spans = [s for s in jar.jar.usage.spans(EPOCH, now) if s.meter.usage_type.startswith("HeavyUsage")]
    return sum((charge.cost or Decimal(0) for charge in rate(measure(spans, EPOCH, now))), Decimal(0))


def test_offers_of_a_type(ec2: Any) -> None:
    found = offered(ec2)
    assert len(found) == 4 * 2 * 3  # the Region and three zones, two terms, three payments
    assert {offer["Scope"] for offer in found} == {"Region", "Availability Zone"}
    monthly = one(ec2)
    assert monthly["FixedPrice"] == 0.0
    assert monthly["RecurringCharges"][0]["Amount"] == pytest.approx(0.0472 * 0.627, abs=1e-5)
    ahead = one(ec2, "All Upfront")
    assert ahead["RecurringCharges"] == []
    assert ahead["FixedPrice"] == pytest.approx(0.0472 * 0.585 * HOURS, abs=1)
    again = ec2.describe_reserved_instances_offerings(
        ReservedInstancesOfferingIds=[ahead["ReservedInstancesOfferingId"]]
    )["ReservedInstancesOfferings"]
    assert again == [ahead]
    assert offered(ec2, ProductDescription="Windows") == []
    assert code(partial(offered, ec2), ReservedInstancesOfferingIds=[f"ffff1111-{NOWHERE}"]) == (
        "InvalidReservedInstancesOfferingId"
    )


def test_what_is_due_is_charged_when_it_is_bought(jar: TestJar, ec2: Any) -> None:
    offer = one(ec2, "Partial Upfront")
    key = buy(ec2, offer, 2)
    jar.settle()
    assert (shown(ec2, key)["State"], shown(ec2, key)["InstanceCount"]) == ("active", 2)
    upfront = Decimal(str(offer["FixedPrice"])) * 2
    assert paid(jar) == pytest.approx(upfront, abs=Decimal("0.01"))
    jar.advance(hours=100)
    hourly = Decimal(str(offer["RecurringCharges"][0]["Amount"]))
    assert paid(jar) == pytest.approx(upfront + hourly * 200, abs=Decimal("0.01"))


def test_a_term_is_over_by_the_clock(jar: TestJar, ec2: Any) -> None:
    key = buy(ec2, one(ec2, "All Upfront"))
    jar.settle()
    end = shown(ec2, key)["End"]
    assert end - shown(ec2, key)["Start"] == timedelta(days=365)
    jar.advance(days=364)
    assert shown(ec2, key)["State"] == "active"
    jar.advance(days=2)
    assert shown(ec2, key)["State"] == "retired"
    assert [r["ReservedInstancesId"] for r in ec2.describe_reserved_instances(Filters=only(state="retired"))[
        "ReservedInstances"]] == [key]  # fmt: skip


def test_twenty_a_month_for_the_region_and_each_zone(jar: TestJar, ec2: Any) -> None:
    offer = one(ec2)
    buy(ec2, offer, 20)
    assert code(partial(buy, ec2, offer)) == "ReservedInstancesLimitExceeded"
    buy(ec2, one(ec2, scope="Availability Zone"))
    allow(jar, "L-D0B7243C", 30)
    assert buy(ec2, offer)


def test_a_purchase_that_waits(jar: TestJar, ec2: Any) -> None:
    later = jar.clock.now() + timedelta(days=10)
    first, second = (buy(ec2, one(ec2, "All Upfront"), PurchaseTime=later) for _ in range(2))
    jar.settle()
    assert (shown(ec2, first)["State"], paid(jar)) == ("queued", Decimal(0))
    answer = ec2.delete_queued_reserved_instances(ReservedInstancesIds=[second])
    assert len(answer["SuccessfulQueuedPurchaseDeletions"]) == 1
    jar.advance(days=11)
    assert [shown(ec2, key)["State"] for key in (first, second)] == ["active", "queued-deleted"]
    assert paid(jar) == pytest.approx(Decimal(str(shown(ec2, first)["FixedPrice"])), abs=Decimal("0.01"))
    zonal = one(ec2, scope="Availability Zone")
    assert code(partial(buy, ec2, zonal), PurchaseTime=jar.clock.now() + timedelta(days=1)) == "InvalidParameterValue"


def test_the_same_capacity_in_other_sizes(jar: TestJar, ec2: Any) -> None:
    key = buy(ec2, one(ec2, "All Upfront"), 2)
    jar.settle()
    before = paid(jar)
    small = [{"InstanceCount": 4, "InstanceType": "t3.small"}]
    assert code(ec2.modify_reserved_instances, ReservedInstancesIds=[key],
                TargetConfigurations=[{"InstanceCount": 3, "InstanceType": "t3.small"}]) == "InvalidParameterValue"
    made = ec2.modify_reserved_instances(ReservedInstancesIds=[key], TargetConfigurations=small)
    (told,) = ec2.describe_reserved_instances_modifications(
        ReservedInstancesModificationIds=[made["ReservedInstancesModificationId"]]
    )["ReservedInstancesModifications"]
    assert (told["Status"], told["ModificationResults"][0]["TargetConfiguration"]) == ("fulfilled", small[0])
    after = shown(ec2, told["ModificationResults"][0]["ReservedInstancesId"])
    assert (after["InstanceType"], after["InstanceCount"], after["State"]) == ("t3.small", 4, "active")
    assert shown(ec2, key)["State"] == "retired"
    jar.settle()
    assert paid(jar) == before


def test_convertibles_are_exchanged_for_no_less(jar: TestJar, ec2: Any) -> None:
    key = buy(ec2, one(ec2, "All Upfront", OfferingClass="convertible"))
    jar.settle()
    jar.advance(days=100)
    larger = one(ec2, "All Upfront", OfferingClass="convertible", InstanceType="t3.large")
    smaller = one(ec2, "All Upfront", OfferingClass="convertible", InstanceType="t3.micro")
    wanted = [{"OfferingId": larger["ReservedInstancesOfferingId"], "InstanceCount": 1}]
    less = [{"OfferingId": smaller["ReservedInstancesOfferingId"], "InstanceCount": 1}]
    refused = ec2.get_reserved_instances_exchange_quote(ReservedInstanceIds=[key], TargetConfigurations=less)
    assert refused["IsValidExchange"] is False
    assert code(ec2.accept_reserved_instances_exchange_quote, ReservedInstanceIds=[key],
                TargetConfigurations=less) == "InvalidParameterValue"
    quote = ec2.get_reserved_instances_exchange_quote(ReservedInstanceIds=[key], TargetConfigurations=wanted)
    assert quote["IsValidExchange"] is True
    before = paid(jar)
    ec2.accept_reserved_instances_exchange_quote(ReservedInstanceIds=[key], TargetConfigurations=wanted)
    jar.settle()
    assert shown(ec2, key)["State"] == "retired"
    (new,) = ec2.describe_reserved_instances(Filters=only(state="active"))["ReservedInstances"]
    assert new["InstanceType"] == "t3.large"
    assert paid(jar) - before == pytest.approx(Decimal(quote["PaymentDue"]), abs=Decimal("0.01"))
    standard = buy(ec2, one(ec2))
    jar.settle()
    told = ec2.get_reserved_instances_exchange_quote(ReservedInstanceIds=[standard], TargetConfigurations=wanted)
    assert told["IsValidExchange"] is False


def test_what_was_bought_has_tags(ec2: Any) -> None:
    key = buy(ec2, one(ec2))
    ec2.create_tags(Resources=[key], Tags=[{"Key": "a", "Value": "b"}])
    assert shown(ec2, key)["Tags"] == [{"Key": "a", "Value": "b"}]
    (found,) = ec2.describe_tags(Filters=only(resource_id=key))["Tags"]
    assert found["ResourceType"] == "reserved-instances"


def test_all_there_is_in_pages(ec2: Any) -> None:
    first = ec2.describe_reserved_instances_offerings()
    assert len(first["ReservedInstancesOfferings"]) == 100
    second = ec2.describe_reserved_instances_offerings(NextToken=first["NextToken"], MaxResults=5)
    assert len(second["ReservedInstancesOfferings"]) == 5
    both = [*first["ReservedInstancesOfferings"], *second["ReservedInstancesOfferings"]]
    assert len({one["ReservedInstancesOfferingId"] for one in both}) == 105
