"""Events that AWS schedules: told beforehand, carried out by the clock, and the windows in which they may be."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudjar.base.caller import root
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.faults import interrupt
from cloudjar.kit.incidents import incidents
from cloudjar.services.ec2.scheduled_events.hours import hour_of, next_in, of_cron, of_ranges
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, only
from tests.services.ec2.test_metadata import Guest
from tests.services.ec2.test_spot import SPOT, instance

DAY = 86400.0


def schedule(jar: TestJar, vm: str, kind: str, seconds: float = DAY) -> str:
    world = jar.jar.world
    return str(incidents(world).schedule(world, vm, kind, seconds)["InstanceEventId"])


def events(ec2: Any, vm: str) -> list[dict[str, Any]]:
    (found,) = ec2.describe_instance_status(InstanceIds=[vm], IncludeAllInstances=True)["InstanceStatuses"]
    return found["Events"]  # type: ignore[no-any-return]  # botocore's answers are untyped


def window(ec2: Any, **more: Any) -> dict[str, Any]:
    hours = {"StartWeekDay": "sunday", "StartHour": 2, "EndWeekDay": "sunday", "EndHour": 8}
    asked = more or {"TimeRanges": [hours]}
    made: dict[str, Any] = ec2.create_instance_event_window(**asked)["InstanceEventWindow"]
    return made


def test_a_retirement_is_told_and_stops_the_machine(jar: TestJar, ec2: Any) -> None:
    guest = Guest(jar, ec2)
    key = schedule(jar, guest.id, "instance-retirement")
    (event,) = events(ec2, guest.id)
    assert (event["InstanceEventId"], event["Code"]) == (key, "instance-retirement")
    assert "NotBeforeDeadline" not in event
    (told,) = json.loads(guest.told("/latest/meta-data/events/maintenance/scheduled"))
    assert (told["EventId"], told["State"]) == (key, "active")
    jar.advance(days=1, minutes=1)
    assert instance(ec2, guest.id)["State"]["Name"] == "stopped"
    assert instance(ec2, guest.id)["StateReason"]["Code"] == "Server.ScheduledStop"
    assert events(ec2, guest.id)[0]["Description"].startswith("[Completed] ")
    jar.advance(days=8)
    assert events(ec2, guest.id) == []


def test_who_stops_beforehand_is_moved_at_once(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    schedule(jar, vm, "instance-stop")
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    assert events(ec2, vm)[0]["Description"].startswith("[Completed] ")
    ec2.start_instances(InstanceIds=[vm])
    jar.advance(days=2)
    assert instance(ec2, vm)["State"]["Name"] == "running"


def test_a_reboot_can_be_put_off(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    key = schedule(jar, vm, "system-reboot")
    (event,) = events(ec2, vm)
    asked = {"InstanceId": vm, "InstanceEventId": key}
    late = event["NotBeforeDeadline"] + timedelta(hours=1)
    assert code(ec2.modify_instance_event_start_time, NotBefore=late, **asked) == "InvalidParameterValue"
    wanted = event["NotBefore"] + timedelta(days=2)
    moved = ec2.modify_instance_event_start_time(NotBefore=wanted, **asked)["Event"]
    assert moved["NotBefore"] == wanted
    jar.advance(days=2)
    assert not jar.host.console(vm).count(b"shut down in order")
    assert events(ec2, vm)[0]["Description"] == "scheduled reboot"
    jar.advance(days=2)
    assert events(ec2, vm)[0]["Description"] == "[Completed] scheduled reboot"
    assert instance(ec2, vm)["State"]["Name"] == "running"
    stop = schedule(jar, vm, "instance-stop")
    assert code(ec2.modify_instance_event_start_time, InstanceId=vm, InstanceEventId=stop,
                NotBefore=jar.clock.now() + timedelta(days=3)) == "UnsupportedOperation"


def test_events_wait_for_the_window(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    made = window(ec2)
    ec2.associate_instance_event_window(
        InstanceEventWindowId=made["InstanceEventWindowId"], AssociationTarget={"InstanceIds": [vm]}
    )
    schedule(jar, vm, "system-maintenance", 3600.0)
    (event,) = events(ec2, vm)
    start = event["NotBefore"]
    assert (start.weekday(), 2 <= start.hour < 8) == (6, True)
    assert start >= jar.clock.now() + timedelta(hours=1)


def test_windows_are_made_changed_and_removed(ec2: Any) -> None:
    made = window(ec2, Name="night", CronExpression="* 21-23 * * 2,3", TagSpecifications=[
        {"ResourceType": "instance-event-window", "Tags": [{"Key": "a", "Value": "b"}]}])  # fmt: skip
    key = made["InstanceEventWindowId"]
    assert (made["CronExpression"], made["State"], made["Tags"]) == (
        "* 21-23 * * 2,3", "active", [{"Key": "a", "Value": "b"}])  # fmt: skip
    target = {"InstanceTags": [{"Key": "env", "Value": "test"}]}
    ec2.associate_instance_event_window(InstanceEventWindowId=key, AssociationTarget=target)
    (found,) = ec2.describe_instance_event_windows(Filters=only(instance_tag_key="env"))["InstanceEventWindows"]
    assert found["AssociationTarget"]["Tags"] == target["InstanceTags"]
    vm = launch(ec2)
    assert code(ec2.associate_instance_event_window, InstanceEventWindowId=key,
                AssociationTarget={"InstanceIds": [vm]}) == "InvalidParameterCombination"
    assert code(ec2.delete_instance_event_window, InstanceEventWindowId=key) == "DependencyViolation"
    ec2.disassociate_instance_event_window(InstanceEventWindowId=key, AssociationTarget=target)
    ec2.modify_instance_event_window(InstanceEventWindowId=key, Name="later")
    assert ec2.describe_instance_event_windows()["InstanceEventWindows"][0]["Name"] == "later"
    ec2.delete_instance_event_window(InstanceEventWindowId=key)
    assert code(ec2.describe_instance_event_windows, InstanceEventWindowIds=[key]) == (
        "InvalidInstanceEventWindowId.NotFound"
    )


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"CronExpression": "* 21-22 * * 2"}, "InvalidParameterValue"),
        ({"CronExpression": "5 21-23 * * *"}, "InvalidParameterValue"),
        ({"TimeRanges": [{"StartWeekDay": "monday", "StartHour": 2, "EndWeekDay": "monday", "EndHour": 3}]},
         "InvalidParameterValue"),
        ({"TimeRanges": [{"StartWeekDay": "monday", "StartHour": 2}]}, "MissingParameter"),
    ],
)  # fmt: skip
def test_windows_that_are_too_short(ec2: Any, asked: dict[str, Any], answer: str) -> None:
    assert code(ec2.create_instance_event_window, **asked) == answer


def test_hours_of_the_week() -> None:
    over = [{"StartWeekDay": "saturday", "StartHour": 22, "EndWeekDay": "sunday", "EndHour": 2}]
    assert of_ranges(over) == {166, 167, 0, 1}
    assert of_cron("* 0-1,23 * * SUN,WED") == {0, 1, 23, 72, 73, 95}
    noon = datetime(2026, 1, 4, 12, 30, tzinfo=UTC)  # a Sunday
    assert hour_of(noon) == 12
    assert next_in(of_ranges(over), noon) == datetime(2026, 1, 10, 22, tzinfo=UTC)


def test_an_experiment_needs_the_right_to_interrupt(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2, InstanceMarketOptions=SPOT)
    jar.settle()
    arn = f"arn:aws:iam::{ACCOUNT}:role/fis"
    iam = jar.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "fis.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="fis", AssumeRolePolicyDocument=policy(trust))

    def strike() -> None:
        world = jar.jar.world
        with world.state.database.transaction():
            ctx = Ctx(world, ACCOUNT, "eu-west-3", root(ACCOUNT))
            role = ctx.as_role(arn, service="fis.amazonaws.com", session_name="experiment")
            interrupt(ctx, role, vm, timedelta(minutes=2))

    with pytest.raises(AwsError, match="not authorized"):
        strike()
    may = {"Effect": "Allow", "Action": "ec2:SendSpotInstanceInterruptions", "Resource": "*"}
    iam.put_role_policy(RoleName="fis", PolicyName="p", PolicyDocument=policy(may))
    strike()
    jar.advance(minutes=3)
    assert instance(ec2, vm)["StateReason"]["Code"] == "Server.SpotInstanceTermination"


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_the_command_line_asks_for_both(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2, InstanceMarketOptions=SPOT)
    jar.settle()
    world = jar.jar.world
    asked = incidents(world).interrupt(world, vm, 120.0)
    assert asked["action"] == "terminate"
    jar.advance(minutes=3)
    assert instance(ec2, vm)["State"]["Name"] == "terminated"
    with pytest.raises(ValueError, match="there is no instance"):
        incidents(jar.jar.world).interrupt(jar.jar.world, f"i-{NOWHERE}", 120.0)
