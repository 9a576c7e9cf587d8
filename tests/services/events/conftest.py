"""EventBridge in Paris as root, and what its tests say again and again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.sqs.conftest import Box


class Bus:
    """One event bus, and the rules on it."""

    def __init__(self, jar: TestJar, client: Any, name: str = "default") -> None:
        self.jar, self.client, self.name = jar, client, name
        if name != "default":
            client.create_event_bus(Name=name)
        self.arn: str = client.describe_event_bus(Name=name)["Arn"]

    def rule(self, name: str = "r", pattern: Any = None, **more: Any) -> str:
        """PutRule; its ARN."""
        if pattern is not None:
            more["EventPattern"] = json.dumps(pattern)
        return str(self.client.put_rule(Name=name, EventBusName=self.name, **more)["RuleArn"])

    def target(self, arn: str, rule: str = "r", **more: Any) -> None:
        """PutTargets of one target."""
        target = {"Id": more.pop("Id", "t"), "Arn": arn, **more}
        answer = self.client.put_targets(Rule=rule, EventBusName=self.name, Targets=[target])
        assert answer["FailedEntryCount"] == 0

    def put(self, detail: Any = None, source: str = "my.app", kind: str = "thing", **more: Any) -> str:
        """PutEvents of one event, and let what follows come to rest; the event's id."""
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail or {}), "EventBusName": self.name}
        answer = self.client.put_events(Entries=[{**entry, **more}])
        assert answer["FailedEntryCount"] == 0, answer
        self.jar.settle()
        return str(answer["Entries"][0]["EventId"])

    def queue(self, name: str = "inbox", rule: str = "r", *, allowed: bool = True, **more: Any) -> Box:
        """A queue that is a target, and lets the rule in."""
        box = Box(self.jar, self.jar.client("sqs"), name)
        if allowed:
            box.set(Policy=lets_in(box.arn))
        self.target(box.arn, rule, **more)
        return box


def lets_in(queue: str, rule: str = "", service: str = "events", action: str = "sqs:SendMessage") -> str:
    """The policy of a queue (or what else) that rules may send to."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": action,
        "Resource": queue,
    }
    if rule:
        statement["Condition"] = {"ArnEquals": {"aws:SourceArn": rule}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role_for(jar: TestJar, *actions: str, name: str = "target", service: str = "events") -> str:
    """A role that EventBridge may take on, and that may do some things; its ARN."""
    iam = jar.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return str(arn)


def events_in(box: Box) -> list[dict[str, Any]]:
    """What a queue has got, as JSON."""
    return [json.loads(body) for body in box.bodies()]


@pytest.fixture
def events(jar: TestJar) -> Any:
    """A client of EventBridge."""
    return jar.client("events")


@pytest.fixture
def bus(jar: TestJar, events: Any) -> Bus:
    """The default bus."""
    return Bus(jar, events)


@pytest.fixture
def orders(jar: TestJar, events: Any) -> Bus:
    """A custom bus."""
    return Bus(jar, events, "orders")
