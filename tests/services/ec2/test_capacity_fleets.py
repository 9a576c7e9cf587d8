"""Capacity Reservation Fleets: room of several types, by priority."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, make_subnet, make_vpc

Q_VCPUS = "L-1216C47A"
MICRO, MEDIUM = "t3.micro", "t3.medium"  # two vCPUs each


def specified(kind: str, **more: Any) -> dict[str, Any]:
    return {"InstanceType": kind, "InstancePlatform": "Linux/UNIX", "AvailabilityZone": "eu-west-3a", **more}


def made(ec2: Any, target: int, *specs: dict[str, Any], **more: Any) -> str:
    asked = {"TotalTargetCapacity": target, "InstanceTypeSpecifications": list(specs), **more}
    answer = ec2.create_capacity_reservation_fleet(**asked)
    assert (answer["State"], answer["TotalFulfilledCapacity"]) == ("submitted", 0)
    return str(answer["CapacityReservationFleetId"])


def shown(jar: TestJar, ec2: Any, key: str) -> dict[str, Any]:
    jar.settle()
    found = ec2.describe_capacity_reservation_fleets(CapacityReservationFleetIds=[key])["CapacityReservationFleets"]
    one: dict[str, Any] = found[0]
    return one


def counts(fleet: dict[str, Any]) -> list[int]:
    return [one["TotalInstanceCount"] for one in fleet["InstanceTypeSpecifications"]]


def test_a_fleet_reserves_by_priority_and_bills_what_is_not_used(jar: TestJar, ec2: Any) -> None:
    key = made(ec2, 3, specified(MICRO, Priority=2), specified(MEDIUM, Priority=1, Weight=2.0))
    fleet = shown(jar, ec2, key)
    assert (fleet["State"], fleet["TotalFulfilledCapacity"], counts(fleet)) == ("active", 4, [0, 2])
    assert (fleet["AllocationStrategy"], fleet["InstanceMatchCriteria"], fleet["Tenancy"]) == (
        "prioritized", "open", "default",
    )  # fmt: skip
    held = fleet["InstanceTypeSpecifications"][1]["CapacityReservationId"]
    [one] = ec2.describe_capacity_reservations(CapacityReservationIds=[held])["CapacityReservations"]
    assert (one["CapacityReservationFleetId"], one["TotalInstanceCount"], one["State"]) == (key, 2, "active")
    assert code(ec2.cancel_capacity_reservation, CapacityReservationId=held) == "OperationNotPermitted"
    jar.advance(hours=2)
    assert jar.usage(f"UnusedBox:{MEDIUM}") == timedelta(hours=2)


def test_another_target_changes_the_reservations_and_spares_what_runs(jar: TestJar, ec2: Any) -> None:
    key = made(ec2, 2, specified(MICRO))
    shown(jar, ec2, key)
    subnet = make_subnet(ec2, make_vpc(ec2), AvailabilityZone="eu-west-3a")
    machine = launch(ec2, SubnetId=subnet, InstanceType=MICRO)
    jar.settle()
    assert ec2.modify_capacity_reservation_fleet(CapacityReservationFleetId=key, TotalTargetCapacity=1)["Return"]
    assert counts(shown(jar, ec2, key)) == [1]
    ec2.modify_capacity_reservation_fleet(CapacityReservationFleetId=key, TotalTargetCapacity=2)
    assert counts(shown(jar, ec2, key)) == [2]
    answer = ec2.cancel_capacity_reservation_fleets(CapacityReservationFleetIds=[key, f"crf-{NOWHERE}"])
    assert answer["SuccessfulFleetCancellations"] == [{
        "CapacityReservationFleetId": key, "CurrentFleetState": "cancelling", "PreviousFleetState": "active",
    }]  # fmt: skip
    [failed] = answer["FailedFleetCancellations"]
    assert failed["CancelCapacityReservationFleetError"]["Code"] == "InvalidCapacityReservationFleetId.NotFound"
    assert (shown(jar, ec2, key)["State"], counts(shown(jar, ec2, key))) == ("cancelled", [0])
    [vm] = ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"]
    assert vm["State"]["Name"] == "running"
    jar.advance(days=2)
    assert ec2.describe_capacity_reservation_fleets()["CapacityReservationFleets"] == []


def test_the_quota_is_what_there_is_room_for(jar: TestJar, ec2: Any) -> None:
    limit = int(jar.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=Q_VCPUS)["Quota"]["Value"])
    most = limit // 2
    key = made(ec2, most + 1, specified(MICRO), specified(MEDIUM, Priority=1))
    fleet = shown(jar, ec2, key)
    assert (fleet["State"], counts(fleet)) == ("partially_fulfilled", [most, 0])
    other = shown(jar, ec2, made(ec2, 1, specified(MICRO)))
    assert (other["State"], counts(other)) == ("failed", [0])


def test_a_fleet_ends_at_its_date_with_its_reservations(jar: TestJar, ec2: Any) -> None:
    end = jar.clock.now() + timedelta(hours=3)
    key = made(ec2, 1, specified(MICRO), EndDate=end)
    shown(jar, ec2, key)
    ec2.modify_capacity_reservation_fleet(CapacityReservationFleetId=key, EndDate=end + timedelta(hours=1))
    jar.settle()
    jar.advance(hours=3.5)
    fleet = shown(jar, ec2, key)
    assert fleet["State"] == "active"
    held = fleet["InstanceTypeSpecifications"][0]["CapacityReservationId"]
    jar.advance(hours=1)
    assert shown(jar, ec2, key)["State"] == "expired"
    [one] = ec2.describe_capacity_reservations(CapacityReservationIds=[held])["CapacityReservations"]
    assert one["State"] == "expired"


def test_fleets_that_are_refused(jar: TestJar, ec2: Any) -> None:
    make = ec2.create_capacity_reservation_fleet
    one = specified(MICRO)
    assert code(make, TotalTargetCapacity=0, InstanceTypeSpecifications=[one]) == "InvalidParameterValue"
    assert code(make, TotalTargetCapacity=1) == "MissingParameter"
    assert code(make, TotalTargetCapacity=1, InstanceTypeSpecifications=[one], AllocationStrategy="cheap") == (
        "InvalidParameterValue"
    )
    away = {**one, "AvailabilityZone": "us-east-1a"}
    assert code(make, TotalTargetCapacity=1, InstanceTypeSpecifications=[away]) == "InvalidParameterValue"
    past = jar.clock.now() - timedelta(hours=1)
    assert code(make, TotalTargetCapacity=1, InstanceTypeSpecifications=[one], EndDate=past) == "InvalidParameterValue"
    key = made(ec2, 1, one)
    assert code(ec2.modify_capacity_reservation_fleet, CapacityReservationFleetId=key) in (
        "MissingParameter", "InvalidCapacityReservationFleetState",
    )  # fmt: skip
    assert code(ec2.describe_capacity_reservation_fleets, CapacityReservationFleetIds=[f"crf-{NOWHERE}"]) == (
        "InvalidCapacityReservationFleetId.NotFound"
    )
