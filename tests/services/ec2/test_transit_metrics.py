"""``AWS/TransitGateway``: what the network counts at attachments is told by the minute, to whom it concerns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.transit_gateways.counting import TransitCount
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.test_transit_gateways import OTHER, Hub, Spoke
from tests.services.iam.people import root


def told(jar: TestJar, name: str, cloudwatch: Any = None, **dimensions: str) -> list[float]:
    """A metric by the minute, oldest first; minutes without anything are left out."""
    now = jar.clock.now()
    found = (cloudwatch or jar.client("cloudwatch")).get_metric_statistics(
        Namespace="AWS/TransitGateway", MetricName=name, Period=60, Statistics=["Sum"],
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1),
    )["Datapoints"]  # fmt: skip
    ordered = sorted(found, key=lambda point: point["Timestamp"])
    return [point["Sum"] for point in ordered if point["Sum"]]


def read(jar: TestJar, ec2: Any) -> None:
    """Have the counters read."""
    [machine, *_] = [
        one["InstanceId"] for found in ec2.describe_instances()["Reservations"] for one in found["Instances"]
    ]
    jar.host.drive(machine, cpus=0.1)
    jar.settle()


def test_what_passes_and_what_is_lost_is_told_once(jar: TestJar, ec2: Any) -> None:
    hub, one, two = Hub(jar, ec2), Spoke(ec2, 1), Spoke(ec2, 2)
    first, second = hub.attach(one.vpc, one.subnet), hub.attach(two.vpc, two.subnet)
    jar.network.joined(first, bytes_in=1000, packets_in=10, blackhole_packets=2, blackhole_bytes=80)
    jar.network.joined(second, bytes_out=900, packets_out=8, no_route_packets=1, no_route_bytes=40)
    read(jar, ec2)
    jar.advance(minutes=1)
    jar.network.joined(first, bytes_in=1500, packets_in=12, blackhole_packets=2, blackhole_bytes=80)
    read(jar, ec2)
    jar.advance(minutes=1)
    jar.network.joined(first, born="two", bytes_in=7)
    read(jar, ec2)
    whole = {"TransitGateway": hub.id}
    assert told(jar, "BytesIn", **whole) == [1000, 500, 7]
    assert told(jar, "BytesIn", **whole, TransitGatewayAttachment=first) == [1000, 500, 7]
    assert told(jar, "BytesIn", **whole, TransitGatewayAttachment=second) == []
    assert told(jar, "PacketsIn", **whole) == [10, 2]
    assert told(jar, "BytesOut", **whole, TransitGatewayAttachment=second) == [900]
    assert told(jar, "PacketsOut", **whole) == [8]
    assert told(jar, "PacketDropCountBlackhole", **whole) == [2]
    assert told(jar, "BytesDropCountBlackhole", **whole) == [80]
    assert told(jar, "PacketDropCountNoRoute", **whole) == [1]
    assert told(jar, "BytesDropCountNoRoute", **whole) == [40]
    listed = jar.client("cloudwatch").list_metrics(Namespace="AWS/TransitGateway")["Metrics"]
    assert len(listed) == 8 * 3


def test_the_last_bytes_are_told_before_an_attachment_goes(jar: TestJar, ec2: Any) -> None:
    hub, one = Hub(jar, ec2), Spoke(ec2, 1)
    first = hub.attach(one.vpc, one.subnet)
    jar.network.joined(first, bytes_in=700)
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=first)
    jar.settle()
    assert told(jar, "BytesIn", TransitGateway=hub.id, TransitGatewayAttachment=first) == [700]
    ec2.delete_transit_gateway(TransitGatewayId=hub.id)
    jar.settle()
    read(jar, ec2)
    left = Ctx(jar.jar.world, ACCOUNT, "eu-west-3", service_caller("cloudjar.internal", ACCOUNT)).db[TransitCount]
    assert left.all() == []


def test_an_attachments_owner_sees_his_own(jar: TestJar, ec2: Any) -> None:
    hub, one, theirs = Hub(jar, ec2), Spoke(ec2, 1), root(jar, "ec2", OTHER)
    two = Spoke(theirs, 2)
    mine, key = hub.attach(one.vpc, one.subnet), hub.attach(two.vpc, two.subnet, client=theirs)
    ec2.accept_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=key)
    jar.settle()
    jar.network.joined(mine, bytes_in=5)
    jar.network.joined(key, bytes_in=9)
    read(jar, ec2)
    jar.advance(minutes=1)
    cloudwatch = root(jar, "cloudwatch", OTHER)
    for client, wanted in ((None, [9]), (cloudwatch, [9])):
        found = told(jar, "BytesIn", client, TransitGateway=hub.id, TransitGatewayAttachment=key)
        assert found == wanted
    listed = cloudwatch.list_metrics(Namespace="AWS/TransitGateway")["Metrics"]
    assert {one["Value"] for metric in listed for one in metric["Dimensions"]} == {hub.id, key}
    assert told(jar, "BytesIn", TransitGateway=hub.id) == [14]
