"""Dedicated Host Reservations: offers, purchases, what they cost and when they end."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cloudjar.billing.lines import measure
from cloudjar.billing.rate import rate
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def test_a_host_is_reserved_for_a_term(jar: TestJar, ec2: Any) -> None:
    hosts = ec2.allocate_hosts(AvailabilityZone="eu-west-3a", InstanceFamily="m5", Quantity=2)["HostIds"]
    wanted = [{"Name": "instance-family", "Values": ["m5"]}]
    offers = ec2.describe_host_reservation_offerings(Filter=wanted)["OfferingSet"]
    assert {(one["Duration"], one["PaymentOption"]) for one in offers} == {
        (years * 31536000, option) for years in (1, 3) for option in ("NoUpfront", "PartialUpfront", "AllUpfront")
    }
    [offer] = ec2.describe_host_reservation_offerings(
        Filter=[*wanted, {"Name": "payment-option", "Values": ["PartialUpfront"]}], MaxDuration=31536000
    )["OfferingSet"]
    asked = {"OfferingId": offer["OfferingId"], "HostIdSet": hosts}
    preview = ec2.get_host_reservation_purchase_preview(**asked)
    assert Decimal(preview["TotalUpfrontPrice"]) == 2 * Decimal(offer["UpfrontPrice"]) > 0
    assert code(ec2.purchase_host_reservation, **asked, LimitPrice="1") == "InvalidParameterValue"
    bought = ec2.purchase_host_reservation(**asked, ClientToken="one")["Purchase"][0]
    assert ec2.purchase_host_reservation(**asked, ClientToken="one")["Purchase"][0] == bought
    assert code(ec2.purchase_host_reservation, **asked) == "InvalidParameterValue"
    [held] = ec2.describe_host_reservations(HostReservationIdSet=[bought["HostReservationId"]])["HostReservationSet"]
    assert (held["State"], held["Count"], held["HostIdSet"]) == ("active", 2, hosts)
    [shown] = ec2.describe_hosts(HostIds=[hosts[0]])["Hosts"]
    assert shown["HostReservationId"] == bought["HostReservationId"]
    jar.advance(hours=10)
    spans = [
        span
        for span in jar.jar.usage.spans(EPOCH, jar.clock.now(), ACCOUNT)
        if span.meter.usage_type == "HostReservation:m5"
    ]
    fees = [charge.cost or Decimal(0) for charge in rate(measure(spans, EPOCH, jar.clock.now()))]
    due = Decimal(preview["TotalUpfrontPrice"]) + 10 * Decimal(preview["TotalHourlyPrice"])
    assert abs(sum(fees, Decimal(0)) - due) < Decimal("0.01") * due
    jar.advance(days=366)
    assert ec2.describe_host_reservations()["HostReservationSet"][0]["State"] == "retired"
    assert "HostReservationId" not in ec2.describe_hosts(HostIds=[hosts[0]])["Hosts"][0]


def test_what_cannot_be_reserved(ec2: Any) -> None:
    [offer, *_] = ec2.describe_host_reservation_offerings(Filter=[{"Name": "instance-family", "Values": ["m5"]}])[
        "OfferingSet"
    ]
    other = ec2.allocate_hosts(AvailabilityZone="eu-west-3a", InstanceFamily="c5", Quantity=1)["HostIds"]
    ask = ec2.get_host_reservation_purchase_preview
    assert code(ask, OfferingId=offer["OfferingId"], HostIdSet=other) == "InvalidParameterValue"
    assert code(ask, OfferingId="hro-00000000000000000", HostIdSet=other) == "InvalidHostReservationOfferingId.NotFound"
    assert code(ask, OfferingId=offer["OfferingId"], HostIdSet=["h-00000000000000000"]) == "InvalidHostID.NotFound"
    assert code(ec2.describe_host_reservations, HostReservationIdSet=["hr-00000000000000000"]) == (
        "InvalidHostReservationId.NotFound"
    )
