"""Capacity Reservations: what runs in them, what they cost, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from cloudjar.billing.lines import measure
from cloudjar.billing.rate import rate
from cloudjar.spec import instance_types
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, allow, code, launch, only

ZONE = "eu-west-3a"


def reserve(ec2: Any, count: int = 1, **more: Any) -> str:
    made = ec2.create_capacity_reservation(
        **{"InstanceType": "t3.micro", "InstancePlatform": "Linux/UNIX", "AvailabilityZone": ZONE,
           "InstanceCount": count, **more})  # fmt: skip
    return str(made["CapacityReservation"]["CapacityReservationId"])


def room(ec2: Any, key: str) -> tuple[str, int, int]:
    (found,) = ec2.describe_capacity_reservations(CapacityReservationIds=[key])["CapacityReservations"]
    return found["State"], found["TotalInstanceCount"], found["AvailableInstanceCount"]


def held(ec2: Any, key: str) -> str | None:
    found = ec2.describe_instances(InstanceIds=[key])["Reservations"][0]["Instances"][0]
    return found.get("CapacityReservationId")  # type: ignore[no-any-return]  # botocore's answers are untyped


def here(ec2: Any, **more: Any) -> str:
    return launch(ec2, Placement={"AvailabilityZone": ZONE}, **more)


def targeting(key: str) -> dict[str, Any]:
    return {"CapacityReservationTarget": {"CapacityReservationId": key}}


def test_an_open_reservation_takes_what_matches(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    before = here(ec2)
    key = reserve(ec2, 2, TagSpecifications=[{"ResourceType": "capacity-reservation", "Tags": [{"Key": "a"}]}])
    assert held(ec2, before) == key
    away = launch(ec2, Placement={"AvailabilityZone": "eu-west-3b"})
    unwilling = here(ec2, CapacityReservationSpecification={"CapacityReservationPreference": "none"})
    inside, beyond = here(ec2), here(ec2)
    assert [held(ec2, vm) for vm in (away, unwilling, inside, beyond)] == [None, None, key, None]
    jar.settle()
    assert room(ec2, key) == ("active", 2, 0)
    usage = ec2.get_capacity_reservation_usage(CapacityReservationId=key)
    assert usage["InstanceUsages"] == [{"AccountId": ACCOUNT, "UsedInstanceCount": 2}]
    ec2.stop_instances(InstanceIds=[inside])
    jar.settle()
    assert (room(ec2, key), held(ec2, inside)) == (("active", 2, 1), None)
    ec2.start_instances(InstanceIds=[inside])
    assert (room(ec2, key), held(ec2, inside)) == (("active", 2, 0), key)


def test_a_targeted_reservation_takes_who_names_it(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    key = reserve(ec2, InstanceMatchCriteria="targeted")
    assert held(ec2, here(ec2)) is None
    vm = here(ec2, CapacityReservationSpecification=targeting(key))
    assert held(ec2, vm) == key
    assert code(partial(here, ec2), CapacityReservationSpecification=targeting(key)) == "ReservationCapacityExceeded"
    assert code(partial(launch, ec2), CapacityReservationSpecification=targeting(f"cr-{NOWHERE}")) == (
        "InvalidCapacityReservationId.NotFound"
    )


def test_only_in_reservations(ec2: Any) -> None:
    wanted = {"CapacityReservationPreference": "capacity-reservations-only"}
    assert code(partial(here, ec2), CapacityReservationSpecification=wanted) == "ReservationCapacityExceeded"
    key = reserve(ec2)
    assert held(ec2, here(ec2, CapacityReservationSpecification=wanted)) == key


def test_room_costs_whether_it_is_used_or_not(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    key = reserve(ec2, 3)
    vm = here(ec2)
    jar.settle()
    jar.advance(hours=10)
    assert jar.usage("BoxUsage:t3.micro") == timedelta(hours=10)
    assert jar.usage("UnusedBox:t3.micro") == timedelta(hours=10)
    ec2.cancel_capacity_reservation(CapacityReservationId=key)
    jar.advance(hours=10)
    assert jar.usage("UnusedBox:t3.micro") == timedelta(hours=10)
    assert held(ec2, vm) is None
    start, now = datetime(2000, 1, 1, tzinfo=UTC), jar.clock.now()
    spans = [span for span in jar.jar.usage.spans(start, now) if span.meter.usage_type.startswith("Unused")]
    costs = [charge.cost or Decimal(0) for charge in rate(measure(spans, start, now))]
    assert sum(costs) == pytest.approx(Decimal("0.0118") * 20, abs=Decimal("0.001"))


def test_a_reservation_ends_by_the_clock(jar: TestJar, ec2: Any) -> None:
    key = reserve(ec2, EndDateType="limited", EndDate=jar.clock.now() + timedelta(hours=3))
    vm = here(ec2)
    jar.advance(hours=2)
    assert room(ec2, key) == ("active", 1, 0)
    jar.advance(hours=2)
    assert (room(ec2, key), held(ec2, vm)) == (("expired", 1, 0), None)
    assert code(ec2.cancel_capacity_reservation, CapacityReservationId=key) == "InvalidCapacityReservationState"
    jar.advance(hours=30)
    assert code(ec2.describe_capacity_reservations, CapacityReservationIds=[key]) == (
        "InvalidCapacityReservationId.NotFound"
    )


def test_it_grows_shrinks_and_counts_in_the_quota(jar: TestJar, ec2: Any) -> None:
    key = reserve(ec2, 2)  # four of the five vCPUs
    assert code(partial(reserve, ec2)) == "VcpuLimitExceeded"
    assert code(partial(launch, ec2), Placement={"AvailabilityZone": "eu-west-3b"}) == "VcpuLimitExceeded"
    assert [held(ec2, here(ec2)) for _ in range(2)] == [key, key]  # counted already
    assert code(ec2.modify_capacity_reservation, CapacityReservationId=key, InstanceCount=3) == "VcpuLimitExceeded"
    assert code(ec2.modify_capacity_reservation, CapacityReservationId=key, InstanceCount=1) == "InvalidParameterValue"
    end = jar.clock.now() + timedelta(days=1)
    ec2.modify_capacity_reservation(CapacityReservationId=key, EndDateType="limited", EndDate=end)
    found = ec2.describe_capacity_reservations(Filters=only(end_date_type="limited"))["CapacityReservations"]
    assert [one["CapacityReservationId"] for one in found] == [key]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"InstanceType": "t9.micro"}, "InvalidParameterValue"),
        ({"AvailabilityZone": "eu-west-9a"}, "InvalidParameterValue"),
        ({"InstanceCount": 0}, "InvalidParameterValue"),
        ({"InstancePlatform": "BeOS"}, "InvalidParameterValue"),
        ({"InstancePlatform": "Windows"}, "UnsupportedOperation"),
        ({"EndDateType": "limited"}, "MissingParameter"),
        ({"EndDate": datetime(2099, 1, 1, tzinfo=UTC)}, "InvalidParameterCombination"),
        ({"StartDate": datetime(2099, 1, 1, tzinfo=UTC)}, "UnsupportedOperation"),
    ],
)
def test_what_cannot_be_reserved(ec2: Any, asked: dict[str, Any], answer: str) -> None:
    assert code(partial(reserve, ec2), **asked) == answer


def test_a_stopped_instance_chooses_again(jar: TestJar, ec2: Any) -> None:
    key = reserve(ec2, InstanceMatchCriteria="targeted")
    vm = here(ec2)
    jar.settle()
    wanted = {"InstanceId": vm, "CapacityReservationSpecification": targeting(key)}
    assert code(ec2.modify_instance_capacity_reservation_attributes, **wanted) == "IncorrectInstanceState"
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    ec2.modify_instance_capacity_reservation_attributes(**wanted)
    ec2.start_instances(InstanceIds=[vm])
    assert held(ec2, vm) == key


def test_capacity_is_split_off_and_moved(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    first = reserve(ec2, 4, InstanceMatchCriteria="targeted")
    inside = here(ec2, CapacityReservationSpecification=targeting(first))
    jar.settle()
    split = ec2.create_capacity_reservation_by_splitting
    for count in (0, 4):
        assert code(split, SourceCapacityReservationId=first, InstanceCount=count) == "InvalidParameterValue"
    marked = [{"ResourceType": "capacity-reservation", "Tags": [{"Key": "a", "Value": "b"}]}]
    told = split(SourceCapacityReservationId=first, InstanceCount=3, TagSpecifications=marked)
    second = told["DestinationCapacityReservation"]["CapacityReservationId"]
    assert (told["InstanceCount"], told["SourceCapacityReservation"]["TotalInstanceCount"]) == (3, 1)
    assert told["DestinationCapacityReservation"]["Tags"] == [{"Key": "a", "Value": "b"}]
    assert told["DestinationCapacityReservation"]["InstanceMatchCriteria"] == "targeted"
    assert (room(ec2, first), room(ec2, second)) == (("active", 1, 0), ("active", 3, 3))
    assert held(ec2, inside) == first
    move = ec2.move_capacity_reservation_instances
    ends = {"SourceCapacityReservationId": second, "DestinationCapacityReservationId": first}
    assert move(InstanceCount=1, **ends)["InstanceCount"] == 1
    assert (room(ec2, first), room(ec2, second)) == (("active", 2, 1), ("active", 2, 2))
    assert code(move, InstanceCount=3, **ends) == "InvalidParameterValue"
    for wrong in (reserve(ec2, 1, InstanceType="t3.small"), second):
        asked = {**ends, "DestinationCapacityReservationId": wrong, "InstanceCount": 1}
        assert code(move, **asked) == "InvalidParameterValue"
    move(InstanceCount=2, **ends)
    assert (room(ec2, first), room(ec2, second)[0]) == (("active", 4, 3), "cancelled")
    assert code(split, SourceCapacityReservationId=second, InstanceCount=1) == "InvalidCapacityReservationState"


def test_where_reserved_capacity_stands_is_told_of_large_types(jar: TestJar, ec2: Any) -> None:
    kind = "hpc7a.12xlarge"
    offered = ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=only(instance_type=kind))  # fmt: skip
    zone = offered["InstanceTypeOfferings"][0]["Location"]
    asked = ec2.describe_capacity_reservation_topology
    small = reserve(ec2)
    assert asked()["CapacityReservations"] == []
    assert asked(CapacityReservationIds=[small])["CapacityReservations"] == []
    assert code(asked, CapacityReservationIds=[f"cr-{NOWHERE}"]) == "InvalidCapacityReservationId.NotFound"
    assert code(asked, CapacityReservationIds=[small], MaxResults=5) == "InvalidParameterCombination"
    allow(jar, str(instance_types.vcpu_quota(kind)), 200)
    large_one = reserve(ec2, InstanceType=kind, AvailabilityZone=zone)
    [told] = asked()["CapacityReservations"]
    assert (told["CapacityReservationId"], told["State"], told["AvailabilityZone"]) == (large_one, "active", zone)
    assert len(told["NetworkNodes"]) == 3
    ec2.cancel_capacity_reservation(CapacityReservationId=large_one)
    assert asked()["CapacityReservations"] == []
