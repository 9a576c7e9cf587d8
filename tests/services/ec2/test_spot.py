"""Spot instances: requests and their states, prices, what the bill says, and the end that Spot makes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from cloudjar.base.caller import root
from cloudjar.billing.lines import measure
from cloudjar.billing.rate import rate
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.spot.interrupting import interrupt
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, launch, refused
from tests.services.ec2.test_metadata import Guest

SPOT = {"MarketType": "spot"}
STAYS: dict[str, Any] = {
    "MarketType": "spot",
    "SpotOptions": {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop"},
}


def image(ec2: Any) -> str:
    found = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"]
    return str(found[0]["ImageId"])


def instance(ec2: Any, key: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_instances(InstanceIds=[key])["Reservations"][0]["Instances"][0]
    return found


def request(ec2: Any, key: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_spot_instance_requests(SpotInstanceRequestIds=[key])["SpotInstanceRequests"][0]
    return found


def states(ec2: Any, key: str) -> tuple[str, str]:
    found = request(ec2, key)
    return found["State"], found["Status"]["Code"]


def ask(ec2: Any, **more: Any) -> str:
    spec = {"ImageId": image(ec2), "InstanceType": "t3.micro"}
    made = ec2.request_spot_instances(LaunchSpecification=spec, **more)["SpotInstanceRequests"]
    return str(made[0]["SpotInstanceRequestId"])


def take(jar: TestJar, key: str, **more: Any) -> None:
    """Have Spot interrupt an instance."""
    world = jar.jar.world
    with world.state.database.transaction():
        ctx = Ctx(world, ACCOUNT, "eu-west-3", root(ACCOUNT))
        interrupt(ctx, ctx.db[Instance].need(key), **more)


def events(jar: TestJar, kind: str) -> list[dict[str, Any]]:
    return [event.detail for event in jar.jar.events.since(0) if event.detail_type == kind]


def test_a_launch_on_the_spot_market(jar: TestJar, ec2: Any) -> None:
    tagged = [{"ResourceType": "spot-instances-request", "Tags": [{"Key": "team", "Value": "data"}]}]
    vm = launch(ec2, InstanceMarketOptions=SPOT, TagSpecifications=tagged)
    jar.settle()
    shown = instance(ec2, vm)
    assert (shown["State"]["Name"], shown["InstanceLifecycle"]) == ("running", "spot")
    found = request(ec2, shown["SpotInstanceRequestId"])
    assert (found["State"], found["Status"]["Code"], found["InstanceId"]) == ("active", "fulfilled", vm)
    assert (found["Type"], found["InstanceInterruptionBehavior"]) == ("one-time", "terminate")
    assert found["SpotPrice"] == "0.011800"  # what it costs on demand is the most that is paid
    assert found["Tags"] == [{"Key": "team", "Value": "data"}]
    assert found["LaunchedAvailabilityZone"] == shown["Placement"]["AvailabilityZone"]
    assert events(jar, "EC2 Spot Instance Request Fulfillment") == [
        {"spot-instance-request-id": found["SpotInstanceRequestId"], "instance-id": vm}
    ]
    assert jar.client("iam").get_role(RoleName="AWSServiceRoleForEC2Spot")["Role"]["Path"] == (
        "/aws-service-role/spot.amazonaws.com/"
    )


def test_the_bill_charges_the_price_of_the_pool(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2, InstanceMarketOptions=SPOT)
    jar.settle()
    jar.advance(hours=10)
    assert jar.usage("SpotUsage:t3.micro") == timedelta(hours=10)
    assert jar.usage("BoxUsage:t3.micro") == timedelta(0)
    zone = instance(ec2, vm)["Placement"]["AvailabilityZone"]
    told = ec2.describe_spot_price_history(
        AvailabilityZone=zone, InstanceTypes=["t3.micro"], ProductDescriptions=["Linux/UNIX"], StartTime=jar.clock.now()
    )["SpotPriceHistory"]
    assert len(told) == 1
    now = jar.clock.now()
    spans = [s for s in jar.jar.usage.spans(datetime(2000, 1, 1, tzinfo=UTC), now) if "Spot" in s.meter.usage_type]
    (charge,) = rate(measure(spans, datetime(2000, 1, 1, tzinfo=UTC), now))
    assert charge.cost == Decimal(told[0]["SpotPrice"]) * 10
    assert Decimal("0.0118") * Decimal("0.29") < charge.cost / 10 < Decimal("0.0118") * Decimal("0.46")


def test_prices_are_the_same_whenever_they_are_asked_for(jar: TestJar, ec2: Any) -> None:
    ask_for = partial(ec2.describe_spot_price_history, InstanceTypes=["m5.large"])
    first = {one["AvailabilityZone"]: one["SpotPrice"] for one in ask_for()["SpotPriceHistory"]}
    assert sorted(first) == ["eu-west-3a", "eu-west-3b", "eu-west-3c"]
    jar.advance(hours=50)
    again = ask_for()["SpotPriceHistory"]
    assert {one["AvailabilityZone"]: one["SpotPrice"] for one in again} == first
    assert ask_for(ProductDescriptions=["Windows"])["SpotPriceHistory"] == []


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"MaxPrice": "0.0001"}, "SpotMaxPriceTooLow"),
        ({"MaxPrice": "cheap"}, "InvalidParameterValue"),
        ({"BlockDurationMinutes": 60}, "Unsupported"),
        ({"InstanceInterruptionBehavior": "stop"}, "InvalidParameterCombination"),
        ({"InstanceInterruptionBehavior": "hibernate"}, "UnsupportedHibernationConfiguration"),
        ({"ValidUntil": datetime(2001, 1, 1, tzinfo=UTC)}, "InvalidParameterValue"),
    ],
)
def test_terms_that_cannot_be(ec2: Any, options: dict[str, Any], answer: str) -> None:
    market = {"MarketType": "spot", "SpotOptions": options}
    assert code(partial(launch, ec2), InstanceMarketOptions=market) == answer
    assert ec2.describe_spot_instance_requests()["SpotInstanceRequests"] == []


def test_the_quota_counts_what_runs_and_what_waits(jar: TestJar, ec2: Any) -> None:
    waiting = ask(ec2, SpotPrice="0.0001")  # two of five vCPUs, for a price at which there is nothing
    jar.settle()
    assert states(ec2, waiting) == ("open", "price-too-low")
    assert launch(ec2, InstanceMarketOptions=SPOT)
    assert refused(partial(launch, ec2), InstanceMarketOptions=SPOT) == (
        "MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")  # fmt: skip
    assert code(partial(ask, ec2)) == "MaxSpotInstanceCountExceeded"
    assert launch(ec2)  # on demand has a quota of its own
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[waiting])
    assert launch(ec2, InstanceMarketOptions=SPOT)


def test_a_request_gets_its_instance_and_closes_with_it(jar: TestJar, ec2: Any) -> None:
    key = ask(ec2, TagSpecifications=[{"ResourceType": "spot-instances-request", "Tags": [{"Key": "a", "Value": "b"}]}])
    assert states(ec2, key) == ("open", "pending-evaluation")
    jar.settle()
    found = request(ec2, key)
    assert (found["State"], found["Status"]["Code"], found["Tags"]) == (
        "active", "fulfilled", [{"Key": "a", "Value": "b"}])  # fmt: skip
    shown = instance(ec2, found["InstanceId"])
    assert (shown["SpotInstanceRequestId"], shown["State"]["Name"]) == (key, "running")
    assert len(ec2.describe_spot_instance_requests()["SpotInstanceRequests"]) == 1
    ec2.terminate_instances(InstanceIds=[found["InstanceId"]])
    jar.settle()
    assert states(ec2, key) == ("closed", "instance-terminated-by-user")
    jar.advance(hours=5)
    assert code(partial(request, ec2), key=key) == "InvalidSpotInstanceRequestID.NotFound"


def test_a_request_that_is_cancelled_leaves_its_instance(jar: TestJar, ec2: Any) -> None:
    waiting, served = ask(ec2, SpotPrice="0.0001"), ask(ec2)
    jar.settle()
    answer = ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[waiting, served])
    assert [one["State"] for one in answer["CancelledSpotInstanceRequests"]] == ["cancelled", "cancelled"]
    assert states(ec2, waiting) == ("cancelled", "canceled-before-fulfillment")
    assert states(ec2, served) == ("cancelled", "request-canceled-and-instance-running")
    vm = request(ec2, served)["InstanceId"]
    jar.advance(hours=5)
    assert instance(ec2, vm)["State"]["Name"] == "running"
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    assert states(ec2, served) == ("cancelled", "instance-terminated-by-user")


def test_a_persistent_request_asks_again(jar: TestJar, ec2: Any) -> None:
    key = ask(ec2, Type="persistent")
    jar.settle()
    first = request(ec2, key)["InstanceId"]
    ec2.terminate_instances(InstanceIds=[first])
    jar.settle()
    second = request(ec2, key)["InstanceId"]
    assert second != first
    assert states(ec2, key) == ("active", "fulfilled")
    assert instance(ec2, second)["State"]["Name"] == "running"


def test_requests_wait_for_their_time_and_expire(jar: TestJar, ec2: Any) -> None:
    now = jar.clock.now()
    key = ask(ec2, ValidFrom=now + timedelta(hours=1))
    late = ask(ec2, SpotPrice="0.0001", ValidUntil=now + timedelta(hours=2))
    jar.settle()
    assert states(ec2, key) == ("open", "not-scheduled-yet")
    jar.advance(hours=1, minutes=1)
    assert states(ec2, key) == ("active", "fulfilled")
    jar.advance(hours=1)
    assert states(ec2, late) == ("cancelled", "schedule-expired")


def test_a_request_that_can_never_be_fulfilled_fails(jar: TestJar, ec2: Any) -> None:
    made = ec2.request_spot_instances(LaunchSpecification={"ImageId": "ami-00000000000000000"})
    jar.settle()
    found = request(ec2, made["SpotInstanceRequests"][0]["SpotInstanceRequestId"])
    assert (found["State"], found["Status"]["Code"]) == ("failed", "bad-parameters")
    assert found["Fault"]["Code"] == "InvalidAMIID.NotFound"


def test_two_minutes_notice_and_then_the_end(jar: TestJar, ec2: Any) -> None:
    guest = Guest(jar, ec2, InstanceMarketOptions=SPOT)
    assert guest.told("/latest/meta-data/instance-life-cycle") == "spot"
    assert guest.ask("/latest/meta-data/spot/instance-action")[0] == 404
    key = instance(ec2, guest.id)["SpotInstanceRequestId"]
    take(jar, guest.id)
    action = json.loads(guest.told("/latest/meta-data/spot/instance-action"))
    due = jar.clock.now() + timedelta(minutes=2)
    assert action == {"action": "terminate", "time": f"{due:%Y-%m-%dT%H:%M:%SZ}"}
    assert guest.told("/latest/meta-data/spot/termination-time") == action["time"]
    assert "noticeTime" in json.loads(guest.told("/latest/meta-data/events/recommendations/rebalance"))
    assert states(ec2, key) == ("active", "marked-for-termination")
    assert events(jar, "EC2 Instance Rebalance Recommendation") == [{"instance-id": guest.id}]
    assert events(jar, "EC2 Spot Instance Interruption Warning") == [
        {"instance-id": guest.id, "instance-action": "terminate"}
    ]
    jar.advance(seconds=110)
    assert instance(ec2, guest.id)["State"]["Name"] == "running"
    jar.advance(seconds=15)
    gone = instance(ec2, guest.id)
    assert gone["State"]["Name"] == "terminated"
    assert gone["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    assert states(ec2, key) == ("closed", "instance-terminated-no-capacity")


def test_an_experiment_warns_two_minutes_before(jar: TestJar, ec2: Any) -> None:
    guest = Guest(jar, ec2, InstanceMarketOptions=SPOT)
    take(jar, guest.id, within=timedelta(minutes=5), experiment=True)
    assert guest.ask("/latest/meta-data/spot/instance-action")[0] == 404
    assert events(jar, "EC2 Spot Instance Interruption Warning") == []
    jar.advance(minutes=3, seconds=1)
    assert guest.ask("/latest/meta-data/spot/instance-action")[0] == 200
    jar.advance(minutes=2)
    assert states(ec2, instance(ec2, guest.id)["SpotInstanceRequestId"])[1] == "instance-terminated-by-experiment"


def test_who_stops_a_spot_instance_starts_it(jar: TestJar, ec2: Any) -> None:
    brief, vm = launch(ec2, InstanceMarketOptions=SPOT), launch(ec2, InstanceMarketOptions=STAYS)
    jar.settle()
    key = instance(ec2, vm)["SpotInstanceRequestId"]
    assert code(ec2.stop_instances, InstanceIds=[brief]) == "UnsupportedOperation"
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    assert states(ec2, key) == ("disabled", "instance-stopped-by-user")
    ec2.start_instances(InstanceIds=[vm])
    jar.settle()
    assert states(ec2, key) == ("active", "fulfilled")
    take(jar, vm)
    jar.advance(minutes=3)
    assert states(ec2, key) == ("disabled", "instance-stopped-no-capacity")
    assert instance(ec2, vm)["StateReason"]["Code"] == "Server.SpotInstanceShutdown"
    assert code(ec2.start_instances, InstanceIds=[vm]) == "IncorrectSpotRequestState"
    jar.advance(minutes=15)
    assert (states(ec2, key), instance(ec2, vm)["State"]["Name"]) == (("active", "fulfilled"), "running")


def test_spot_makes_its_role_only_for_who_may(jar: TestJar, ec2: Any) -> None:
    iam = jar.client("iam")
    iam.create_user(UserName="intern")
    statement = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="intern", PolicyName="p", PolicyDocument=text)
    made = iam.create_access_key(UserName="intern")["AccessKey"]
    theirs = jar.client("ec2", key=made["AccessKeyId"], secret=made["SecretAccessKey"])
    assert code(partial(launch, theirs), InstanceMarketOptions=SPOT) == (
        "AuthFailure.ServiceLinkedRoleCreationNotPermitted"
    )
    assert launch(ec2, InstanceMarketOptions=SPOT)
    assert launch(theirs, InstanceMarketOptions=SPOT)


def test_its_role_stays_as_long_as_it_is_needed(jar: TestJar, ec2: Any) -> None:
    iam = jar.client("iam")
    vm = launch(ec2, InstanceMarketOptions=SPOT)
    key = instance(ec2, vm)["SpotInstanceRequestId"]
    task = iam.delete_service_linked_role(RoleName="AWSServiceRoleForEC2Spot")["DeletionTaskId"]
    jar.settle()
    told = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert told["Status"] == "FAILED"
    assert key in told["Reason"]["RoleUsageList"][0]["Resources"][0]


def test_a_template_for_the_spot_market(ec2: Any) -> None:
    tagged = [{"ResourceType": "spot-instances-request", "Tags": [{"Key": "a", "Value": "b"}]}]
    ec2.create_launch_template(LaunchTemplateName="spot", LaunchTemplateData={
        "InstanceMarketOptions": SPOT, "TagSpecifications": tagged})  # fmt: skip
    vm = launch(ec2, LaunchTemplate={"LaunchTemplateName": "spot"})
    assert request(ec2, instance(ec2, vm)["SpotInstanceRequestId"])["Tags"] == [{"Key": "a", "Value": "b"}]


def test_types_that_spot_does_not_have(ec2: Any) -> None:
    assert code(partial(launch, ec2), InstanceType="hpc7a.12xlarge", InstanceMarketOptions=SPOT) == "Unsupported"
