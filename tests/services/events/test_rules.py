"""Buses and rules: made, shown, refused."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from cloudjar.billing import rate
from cloudjar.billing.calls import Calls, lines
from cloudjar.billing.quantities import lines as of_quantities
from cloudjar.kit.db import Db
from cloudjar.services.events.records import Rule
from tests.jar import ACCOUNT, TestJar
from tests.services.events.conftest import Bus, role_for
from tests.services.sqs.conftest import Box

PATTERN = '{"source": ["my.app"]}'
QUEUE = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:inbox"


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """(code, message) of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def taken(box: Box) -> list[str]:
    """What a queue has got; it is deleted there."""
    found = box.receive()
    for message in found:
        box.delete(message)
    return [message["Body"] for message in found]


def test_buses(events: Any) -> None:
    default = events.describe_event_bus()
    assert default["Name"] == "default"
    assert default["Arn"] == f"arn:aws:events:eu-west-3:{ACCOUNT}:event-bus/default"
    made = events.create_event_bus(Name="orders", Description="what is ordered", Tags=[{"Key": "k", "Value": "v"}])
    assert made["EventBusArn"] == f"arn:aws:events:eu-west-3:{ACCOUNT}:event-bus/orders"
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default", "orders"]
    assert events.list_tags_for_resource(ResourceARN=made["EventBusArn"])["Tags"] == [{"Key": "k", "Value": "v"}]
    events.update_event_bus(Name="orders", Description="else")
    assert events.describe_event_bus(Name=made["EventBusArn"])["Description"] == "else"
    exists = ("ResourceAlreadyExistsException", "Event bus orders already exists.")
    assert refused(events.create_event_bus, Name="orders") == exists
    assert refused(events.create_event_bus, Name="a/b")[1] == "Event bus name must not contain '/'."
    assert refused(events.create_event_bus, Name="aws.partner/x/y")[0] == "NotImplemented"
    assert refused(events.delete_event_bus, Name="default")[1] == "Cannot delete event bus default."
    events.put_rule(Name="r", EventBusName="orders", EventPattern=PATTERN)
    assert "since it has rules" in refused(events.delete_event_bus, Name="orders")[1]
    events.delete_rule(Name="r", EventBusName="orders")
    events.delete_event_bus(Name="orders")
    events.delete_event_bus(Name="orders")
    gone = ("ResourceNotFoundException", "Event bus orders does not exist.")
    assert refused(events.describe_event_bus, Name="orders") == gone


def test_a_rule_is_as_it_was_put_last(events: Any, orders: Bus) -> None:
    arn = orders.rule(Description="d", EventPattern=PATTERN, Tags=[{"Key": "k", "Value": "v"}])
    assert arn == f"arn:aws:events:eu-west-3:{ACCOUNT}:rule/orders/r"
    orders.target(QUEUE)
    orders.rule(EventPattern='{"source": ["other"]}', State="DISABLED")
    found = events.describe_rule(Name="r", EventBusName=orders.arn)
    assert found.pop("ResponseMetadata")
    assert found == {
        "Name": "r",
        "Arn": arn,
        "EventPattern": '{"source": ["other"]}',
        "State": "DISABLED",
        "EventBusName": "orders",
        "CreatedBy": ACCOUNT,
    }
    assert events.list_targets_by_rule(Rule="r", EventBusName="orders")["Targets"] == [{"Id": "t", "Arn": QUEUE}]
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    events.untag_resource(ResourceARN=arn, TagKeys=["k"])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    assert events.list_rules()["Rules"] == []
    assert [rule["Name"] for rule in events.list_rules(EventBusName="orders", NamePrefix="r")["Rules"]] == ["r"]
    assert events.list_rule_names_by_target(TargetArn=QUEUE, EventBusName="orders")["RuleNames"] == ["r"]


def test_rules_that_are_refused(events: Any, orders: Bus) -> None:
    put = events.put_rule
    needs = "Parameter(s) EventPattern or ScheduleExpression must be specified."
    assert refused(put, Name="r") == ("ValidationException", needs)
    code, message = refused(put, Name="r", EventPattern='{"source": "x"}')
    assert code == "InvalidEventPatternException"
    assert message.startswith('Event pattern is not valid. Reason: "source" must be an object or an array\n at [So')
    long = json.dumps({"source": ["x" * 2050]})
    assert refused(put, Name="r", EventPattern=long)[0] == "InvalidEventPatternException"
    only = "ScheduleExpression is supported only on the default event bus."
    assert refused(put, Name="r", EventBusName="orders", ScheduleExpression="rate(1 day)")[1] == only
    for text in ("rate(1 days)", "rate(2 minute)", "rate(0 minutes)", "rate(5)", "cron(0 12 * * *)", "at(2030-01-01)",
                 "cron(0 12 * * * *)", "rate(99999999999 days)"):  # fmt: skip
        assert refused(put, Name="r", ScheduleExpression=text)[1] == "Parameter ScheduleExpression is not valid.", text
    assert refused(put, Name="r", EventBusName="no", EventPattern=PATTERN)[1] == "Event bus no does not exist."
    assert refused(events.describe_rule, Name="r") == (
        "ResourceNotFoundException",
        "Rule r does not exist on EventBus default.",
    )
    assert events.delete_rule(Name="r")
    put(Name="r", EventPattern=PATTERN)
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": QUEUE}])
    assert refused(events.delete_rule, Name="r")[1] == "Rule can't be deleted since it has targets."
    answer = events.remove_targets(Rule="r", Ids=["1", "2"])
    assert answer["FailedEntryCount"] == 1
    assert answer["FailedEntries"][0]["TargetId"] == "2"
    events.delete_rule(Name="r")


def test_there_are_300_rules(jar: TestJar, events: Any) -> None:
    events.put_rule(Name="r", EventPattern=PATTERN)
    database = jar.jar.database
    with database.transaction():
        table = Db(jar.jar.world.state, ACCOUNT, "eu-west-3")[Rule]
        for n in range(299):
            table.add(replace(table.need("r"), path=f"r{n}", name=f"r{n}"))
    message = "The requested resource exceeds the maximum number allowed."
    assert refused(events.put_rule, Name="one-more", EventPattern=PATTERN) == ("LimitExceededException", message)
    assert len(events.list_rules()["Rules"]) == 100
    assert sum(len(page["Rules"]) for page in events.get_paginator("list_rules").paginate()) == 300


def test_targets_that_are_refused(events: Any, bus: Bus) -> None:
    bus.rule(EventPattern=PATTERN)

    def why(**target: Any) -> str:
        code, message = refused(events.put_targets, Rule="r", Targets=[{"Id": "t", **target}])
        assert code == "ValidationException"
        return message

    assert why(Arn="x") == "Parameter x is not valid. Reason: Provided Arn is not in correct format."
    state = f"arn:aws:states:eu-west-3:{ACCOUNT}:stateMachine:s"
    assert why(Arn=state) == f"RoleArn is required for target {state}."
    assert why(Arn=QUEUE, Input="{") == "JSON syntax error in input for target t"
    both = "Only one of Input, InputPath, or InputTransformer must be provided for target t."
    assert why(Arn=QUEUE, Input="1", InputPath="$") == both
    assert why(Arn=QUEUE, InputPath="detail") == "Invalid InputPath for target t."
    template: dict[str, Any] = {"InputPathsMap": {"a": "$.a"}, "InputTemplate": "<a> and"}
    assert why(Arn=QUEUE, InputTransformer=template).startswith(
        "Invalid InputTemplate for target t : [Unrecognized token 'and'"
    )
    template["InputTemplate"] = '"<b>"'
    assert "invalid placeholder b" in why(Arn=QUEUE, InputTransformer=template)
    assert "DeadLetterConfig" in why(Arn=QUEUE, DeadLetterConfig={"Arn": "arn:aws:sns:eu-west-3:0:x"})
    many = [{"Id": str(n), "Arn": QUEUE} for n in range(6)]
    assert refused(events.put_targets, Rule="r", Targets=many)[0] == "LimitExceededException"


def test_entries_that_are_refused(events: Any) -> None:
    whole = {"Source": "a", "DetailType": "b", "Detail": "{}"}
    entries = [
        whole,
        {**whole, "Source": ""},
        {**whole, "Source": "aws.ec2"},
        {**whole, "Detail": "[]"},
        {"Source": "a", "Detail": "{}"},
        {**whole, "EventBusName": "nowhere"},
    ]
    answer = events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 4
    codes = [(entry.get("ErrorCode"), entry.get("ErrorMessage")) for entry in answer["Entries"]]
    assert codes == [
        (None, None),
        ("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."),
        ("NotAuthorizedForSourceException", "Not authorized for the source."),
        ("MalformedDetail", "Detail is malformed."),
        ("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."),
        (None, None),
    ]
    big = {**whole, "Detail": json.dumps({"x": "y" * (1 << 20)})}
    over = ("ValidationException", "Total size of the entries in the request is over the limit.")
    assert refused(events.put_events, Entries=[big]) == over


def test_what_putting_costs(jar: TestJar, bus: Bus) -> None:
    bus.put({"x": "y" * 70_000})
    now = jar.clock.now()
    counted = jar.jar.quantities.rows(now - timedelta(hours=1), now + timedelta(hours=1))
    [charge] = rate.rate(line for line in of_quantities(counted) if line.service == "AWSEvents")
    assert (charge.line.usage_type, int(charge.line.quantity)) == ("Event-64K-Chunks", 2)
    assert charge.cost == Decimal("0.000002")
    made = [Calls(*row) for row in jar.jar.audit.requests(now.timestamp() - 3600, now.timestamp() + 3600)]
    priced = rate.rate(line for line in lines(made, now) if line.service == "AWSEvents")
    assert {one.cost for one in priced} == {0}


def test_patterns_are_tried(events: Any) -> None:
    event = dict.fromkeys(("id", "account", "source", "time", "region", "resources", "detail-type"), "x")
    event["source"] = "my.app"
    assert events.test_event_pattern(EventPattern=PATTERN, Event=json.dumps(event))["Result"] is True
    event["source"] = "other"
    assert events.test_event_pattern(EventPattern=PATTERN, Event=json.dumps(event))["Result"] is False
    assert refused(events.test_event_pattern, EventPattern=PATTERN, Event="{}") == (
        "ValidationException",
        "Parameter Event is not valid.",
    )


def test_who_passes_a_role_must_be_allowed_to(jar: TestJar, bus: Bus) -> None:
    role = role_for(jar, "sqs:SendMessage")
    bus.rule(EventPattern=PATTERN)
    iam = jar.client("iam")
    iam.create_user(UserName="u")
    allowed = {"Effect": "Allow", "Action": "events:PutTargets", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    mine = jar.client("events", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    target = {"Id": "t", "Arn": QUEUE, "RoleArn": role}
    code, message = refused(mine.put_targets, Rule="r", Targets=[target])
    assert code == "AccessDeniedException"
    assert "iam:PassRole" in message


def test_schedules(jar: TestJar, bus: Bus) -> None:
    rate = bus.rule("often", ScheduleExpression="rate(5 minutes)")
    bus.rule("noon", ScheduleExpression="cron(0 12 * * ? *)")
    often, noon = bus.queue("often", "often"), bus.queue("noon", "noon", Input='{"lunch": true}')
    jar.advance(minutes=16)
    found = [json.loads(body) for body in often.bodies()]
    assert len(found) == 3
    assert found[0]["detail-type"] == "Scheduled Event"
    assert (found[0]["source"], found[0]["resources"], found[0]["detail"]) == ("aws.events", [rate], {})
    assert len({event["time"] for event in found}) == 3
    jar.advance(days=2)
    assert taken(noon) == ['{"lunch": true}'] * 2
    bus.client.disable_rule(Name="noon")
    jar.advance(days=2)
    bus.client.enable_rule(Name="noon")
    assert taken(noon) == []
    jar.advance(days=1)
    assert taken(noon) == ['{"lunch": true}']
