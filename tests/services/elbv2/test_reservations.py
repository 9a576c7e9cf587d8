"""Capacity that is reserved: when it is there, what it costs, how often it can be made less."""

from __future__ import annotations

from datetime import timedelta

from tests.jar import TestJar
from tests.services.elbv2.site import Site, refused


def test_reserved_capacity_is_paid_for_until_it_is_given_back(jar: TestJar) -> None:
    site = Site(jar)
    arn = site.balancer()["LoadBalancerArn"]
    described = site.elb.describe_capacity_reservation
    assert described(LoadBalancerArn=arn)["CapacityReservationState"] == []

    def reserve(units: int) -> dict[str, object]:
        answer: dict[str, object] = site.elb.modify_capacity_reservation(
            LoadBalancerArn=arn, MinimumLoadBalancerCapacity={"CapacityUnits": units}
        )
        return answer

    with refused("ValidationError", "at least 100"):
        reserve(99)
    with refused("CapacityUnitsLimitExceeded"):
        reserve(1501)
    with refused("ValidationError"):
        site.elb.modify_capacity_reservation(LoadBalancerArn=arn)
    reserve(200)
    first = described(LoadBalancerArn=arn)
    assert {one["State"]["Code"] for one in first["CapacityReservationState"]} == {"pending"}
    with refused("PriorRequestNotComplete"):
        reserve(300)
    with refused("CapacityReservationPending"):
        site.elb.set_subnets(LoadBalancerArn=arn, Subnets=site.subnets)
    jar.advance(minutes=3)
    found = described(LoadBalancerArn=arn)
    assert found["MinimumLoadBalancerCapacity"] == {"CapacityUnits": 200}
    states = {one["AvailabilityZone"]: one for one in found["CapacityReservationState"]}
    assert sorted(states) == ["eu-west-3a", "eu-west-3b"]
    assert {(one["State"]["Code"], one["EffectiveCapacityUnits"]) for one in states.values()} == {("provisioned", 100)}
    for units, left in ((150, 1), (100, 0)):
        reserve(units)
        jar.advance(minutes=3)
        assert described(LoadBalancerArn=arn)["DecreaseRequestsRemaining"] == left
    with refused("CapacityDecreaseRequestLimitExceeded"):
        site.elb.modify_capacity_reservation(LoadBalancerArn=arn, ResetCapacityReservation=True)
    jar.advance(days=1)
    site.elb.modify_capacity_reservation(LoadBalancerArn=arn, ResetCapacityReservation=True)
    paid = jar.usage("ReservedLCUUsage")
    assert timedelta(days=1) < paid < timedelta(days=1, hours=1)
    jar.advance(hours=5)
    assert jar.usage("ReservedLCUUsage") == paid
    reserve(100)
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    paid = jar.usage("ReservedLCUUsage")
    jar.advance(hours=5)
    assert jar.usage("ReservedLCUUsage") == paid
