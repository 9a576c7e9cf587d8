"""Events go to buses of other Regions and accounts, where these let them in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.events.conftest import Bus, events_in, lets_in, role_for
from tests.services.events.test_rules import refused
from tests.services.sqs.conftest import Box

MINE = {"source": ["my.app"]}
OTHER = "111122223333"


def test_a_bus_of_another_region(jar: TestJar, bus: Bus) -> None:
    there = Bus(jar, jar.client("events", "us-east-1"), "far")
    there.rule(pattern=MINE)
    box = Box(jar, jar.client("sqs", "us-east-1"), "far")
    box.set(Policy=lets_in(box.arn))
    there.target(box.arn)
    bus.rule(pattern=MINE)
    bus.target(there.arn, RoleArn=role_for(jar, "events:PutEvents"))
    event_id = bus.put({"n": 1})
    [event] = events_in(box)
    assert (event["id"], event["region"], event["detail"]) == (event_id, "eu-west-3", {"n": 1})


def test_a_role_that_may_not(jar: TestJar, bus: Bus, orders: Bus) -> None:
    dead = Box(jar, jar.client("sqs"), "dead")
    dead.set(Policy=lets_in(dead.arn))
    bus.rule(pattern=MINE)
    bus.target(orders.arn, RoleArn=role_for(jar, "sqs:SendMessage"), DeadLetterConfig={"Arn": dead.arn})
    bus.put()
    [message] = dead.receive()
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_events_of_services_go_on_as_they_are(jar: TestJar, bus: Bus, orders: Bus) -> None:
    bus.rule(pattern={"source": ["aws.kms"]})
    bus.target(orders.arn, RoleArn=role_for(jar, "events:PutEvents"))
    orders.rule(pattern={"source": ["aws.kms"]})
    box = orders.queue()
    kms = jar.client("kms")
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    jar.advance(days=8)
    assert {event["source"] for event in events_in(box)} == {"aws.kms"}


def test_another_account_is_let_in(jar: TestJar, bus: Bus) -> None:
    theirs = jar.client("events", key=OTHER)
    entry = {"Source": "my.app", "DetailType": "x", "Detail": "{}", "EventBusName": bus.arn}
    bus.rule(pattern=MINE)
    box = bus.queue()
    assert refused(theirs.put_events, Entries=[entry])[0] == "AccessDeniedException"
    bus.client.put_permission(Action="events:PutEvents", Principal=OTHER, StatementId="them")
    assert theirs.put_events(Entries=[entry])["FailedEntryCount"] == 0
    jar.settle()
    [event] = events_in(box)
    assert event["account"] == OTHER
    bus.client.remove_permission(StatementId="them")
    assert refused(theirs.put_events, Entries=[entry])[0] == "AccessDeniedException"
    with pytest.raises(ClientError) as caught:
        bus.client.remove_permission(StatementId="them")
    assert caught.value.response["Error"]["Message"] == "EventBus does not have a policy."


def test_a_rule_sends_to_another_account_but_not_on_to_a_third_place(jar: TestJar, bus: Bus) -> None:
    theirs = Bus(jar, jar.client("events", key=OTHER))
    box = Box(jar, jar.client("sqs", key=OTHER), "in")
    box.set(Policy=lets_in(box.arn))
    theirs.rule(pattern=MINE)
    theirs.target(box.arn)
    bus.rule(pattern=MINE)
    bus.target(theirs.arn)
    bus.put({"n": 1})
    assert box.bodies() == []
    policy = json.loads(lets_in(theirs.arn, action="events:PutEvents"))
    policy["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    theirs.client.put_permission(Policy=json.dumps(policy))
    bus.put({"n": 2})
    assert [(event["account"], event["detail"]) for event in events_in(box)] == [(ACCOUNT, {"n": 2})]


def test_permissions(bus: Bus, events: Any) -> None:
    events.put_permission(
        Action="events:PutEvents",
        Principal="*",
        StatementId="org",
        Condition={"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1234567890"},
    )
    [statement] = json.loads(events.describe_event_bus()["Policy"])["Statement"]
    assert statement == {
        "Sid": "org",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": bus.arn,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
    }
    wrong = {"Action": "events:PutRule", "Principal": "*", "StatementId": "x"}
    assert refused(events.put_permission, **wrong)[1] == "Provided value in parameter 'action' is not supported."
    assert refused(events.remove_permission, StatementId="x")[1] == "Statement with the provided id does not exist."
    assert refused(events.put_permission, Policy="{")[0] == "ValidationException"
    long = json.loads(lets_in(bus.arn, action="events:PutEvents"))
    long["Statement"] *= 80
    assert refused(events.put_permission, Policy=json.dumps(long))[0] == "PolicyLengthExceededException"
    events.remove_permission(RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus()
