"""Events reach the targets of the rules that match."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.kit.faults import Strike
from tests.jar import ACCOUNT, TestJar
from tests.services.events.conftest import Bus, events_in, lets_in, role_for
from tests.services.sqs.conftest import Box

MINE = {"source": ["my.app"]}


def metric(jar: TestJar, name: str, rule: str = "r", bus: str = "") -> float:
    dimensions = [{"Name": "RuleName", "Value": rule}]
    if bus:
        dimensions.insert(0, {"Name": "EventBusName", "Value": bus})
    answer = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events", MetricName=name, Dimensions=dimensions, Period=86400, Statistics=["Sum"],
        StartTime=jar.clock.now().timestamp() - 86400, EndTime=jar.clock.now().timestamp() + 86400,
    )  # fmt: skip
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


def test_an_event_reaches_a_queue_whole(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern=MINE)
    box = bus.queue()
    event_id = bus.put({"n": 1}, Resources=["arn:x"])
    [event] = events_in(box)
    assert event == {
        "version": "0",
        "id": event_id,
        "detail-type": "thing",
        "source": "my.app",
        "account": ACCOUNT,
        "time": jar.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-west-3",
        "resources": ["arn:x"],
        "detail": {"n": 1},
    }
    assert metric(jar, "MatchedEvents") == metric(jar, "TriggeredRules") == metric(jar, "Invocations") == 1
    assert metric(jar, "FailedInvocations") == 0


def test_only_what_a_rule_wants_and_only_on_its_bus(bus: Bus, orders: Bus) -> None:
    orders.rule(pattern={"source": ["my.app"], "detail": {"n": [{"numeric": [">", 5]}]}})
    box = orders.queue()
    orders.put({"n": 5})
    bus.put({"n": 7})
    orders.put({"n": 6})
    assert [event["detail"]["n"] for event in events_in(box)] == [6]


def test_a_disabled_rule_matches_nothing(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern=MINE)
    box = bus.queue()
    bus.client.disable_rule(Name="r")
    bus.put()
    bus.client.enable_rule(Name="r")
    bus.put({"now": True})
    assert [event["detail"] for event in events_in(box)] == [{"now": True}]


def test_what_targets_get(bus: Bus) -> None:
    bus.rule(pattern=MINE)
    boxes = {
        "whole": bus.queue("q1", Id="1"),
        "input": bus.queue("q2", Id="2", Input='{"fixed": true}'),
        "path": bus.queue("q3", Id="3", InputPath="$.detail.who"),
        "made": bus.queue(
            "q4",
            Id="4",
            InputTransformer={
                "InputPathsMap": {"who": "$.detail.who.name", "n": "$.detail.n"},
                "InputTemplate": '{"hello": <who>, "text": "<who> has <n>", "rule": "<aws.events.rule-name>"}',
            },
        ),
        "line": bus.queue(
            "q5", Id="5", InputTransformer={"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": '"there are <n>"'}
        ),
    }
    bus.put({"who": {"name": "Ada"}, "n": 3})
    got = {name: box.bodies() for name, box in boxes.items()}
    assert json.loads(got["whole"][0])["detail"]["n"] == 3
    assert got["input"] == ['{"fixed": true}']
    assert got["path"] == ['{"name":"Ada"}']
    assert json.loads(got["made"][0]) == {"hello": "Ada", "text": "Ada has 3", "rule": "r"}
    assert got["line"] == ['"there are 3"']


def test_a_fifo_queue_gets_its_group(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern=MINE)
    box = Box(jar, jar.client("sqs"), "in.fifo", ContentBasedDeduplication="true")
    box.set(Policy=lets_in(box.arn))
    with pytest.raises(ClientError) as caught:
        bus.target(box.arn)
    assert caught.value.response["Error"]["Message"] == "Parameter(s) SqsParameters must be specified for target: t."
    bus.target(box.arn, SqsParameters={"MessageGroupId": "g"})
    bus.put({"n": 1})
    [message] = box.receive()
    assert message["Attributes"]["MessageGroupId"] == "g"


def test_the_queue_decides_and_what_it_refuses_is_a_dead_letter(jar: TestJar, bus: Bus) -> None:
    rule = bus.rule(pattern=MINE)
    dead = Box(jar, jar.client("sqs"), "dead")
    dead.set(Policy=lets_in(dead.arn, rule))
    box = bus.queue(allowed=False, DeadLetterConfig={"Arn": dead.arn})
    bus.put({"n": 1})
    assert box.bodies() == []
    [message] = dead.receive()
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert told.pop("ERROR_MESSAGE")
    assert told == {"RULE_ARN": rule, "TARGET_ARN": box.arn, "ERROR_CODE": "NO_PERMISSIONS"}
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    assert metric(jar, "FailedInvocations") == metric(jar, "InvocationsSentToDlq") == 1
    box.set(Policy=lets_in(box.arn, rule.replace("rule/r", "rule/other")))
    bus.put({"n": 2})
    assert box.bodies() == []
    box.set(Policy=lets_in(box.arn, rule))
    bus.put({"n": 3})
    assert [event["detail"] for event in events_in(box)] == [{"n": 3}]


def test_a_target_that_is_not_there_or_not_built(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern=MINE)
    dead = Box(jar, jar.client("sqs"), "dead")
    dead.set(Policy=lets_in(dead.arn))
    config = {"Arn": dead.arn}
    bus.target(f"arn:aws:sqs:eu-west-3:{ACCOUNT}:nowhere", Id="1", DeadLetterConfig=config)
    bus.target(f"arn:aws:inspector:eu-west-3:{ACCOUNT}:target/0-x", Id="2", DeadLetterConfig=config)
    bus.put()
    codes = sorted(message["MessageAttributes"]["ERROR_CODE"]["StringValue"] for message in dead.receive())
    assert codes == ["NO_RESOURCE", "SDK_CLIENT_ERROR"]


def test_a_topic_and_a_log_group(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern=MINE)
    sns, logs = jar.client("sns"), jar.client("logs")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=lets_in(topic, action="sns:Publish")
    )
    box = Box(jar, jar.client("sqs"), "subscriber")
    box.set(Policy=lets_in(box.arn, service="sns"))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=box.arn, Attributes={"RawMessageDelivery": "true"})
    logs.create_log_group(logGroupName="/aws/events/all")
    group = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:/aws/events/all"
    action: Any = ["logs:CreateLogStream", "logs:PutLogEvents"]
    logs.put_resource_policy(policyName="p", policyDocument=lets_in(f"{group}:*", action=action))
    bus.target(topic, Id="1")
    bus.target(group, Id="2")
    event_id = bus.put({"n": 1})
    assert [event["id"] for event in events_in(box)] == [event_id]
    found = logs.filter_log_events(logGroupName="/aws/events/all")["events"]
    assert [json.loads(event["message"])["id"] for event in found] == [event_id]


def test_what_was_put_outlives_a_crash(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern=MINE)
    box = bus.queue()
    bus.client.put_events(Entries=[{"Source": "my.app", "DetailType": "x", "Detail": "{}"}])
    jar.crash()
    assert box.depth() == (0, 0, 0)
    jar.settle()
    assert len(events_in(box)) == 1


def test_throttled_targets_are_tried_again_until_there_is_no_point(jar: TestJar, bus: Bus) -> None:
    bus.rule(pattern=MINE)
    dead = Box(jar, jar.client("sqs"), "dead")
    dead.set(Policy=lets_in(dead.arn))
    role = role_for(jar, "sqs:SendMessage")
    box = bus.queue(
        RoleArn=role,
        DeadLetterConfig={"Arn": dead.arn},
        RetryPolicy={"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600},
    )
    bus.client.put_events(Entries=[{"Source": "my.app", "DetailType": "x", "Detail": "{}"}])
    busy = Strike(role, "sqs", ("SendMessage",), 100, "ThrottlingException", "Rate exceeded", 400)
    jar.jar.world.faults.strikes = (busy,)
    began = jar.clock.now()
    jar.advance(seconds=5)
    assert metric(jar, "RetryInvocationAttempts") == 1
    jar.jar.world.faults.strikes = (busy,)
    jar.advance(seconds=10)
    [message] = dead.receive()
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert told["ERROR_CODE"] == "THROTTLING"
    assert told["ERROR_MESSAGE"] == "Rate exceeded"
    assert told["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert told["RETRY_ATTEMPTS"] == "2"
    assert (jar.clock.now() - began).total_seconds() < 60
    jar.jar.world.faults.strikes = ()
    bus.put({"n": 2})
    assert [event["detail"] for event in events_in(box)] == [{"n": 2}]
