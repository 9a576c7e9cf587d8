"""Scheduler in Paris as root, and what its tests say again and again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.events.conftest import role_for
from tests.services.sqs.conftest import Box

OFF = {"Mode": "OFF"}


class Plans:
    """A client, a role that may do anything, and a queue to call."""

    def __init__(self, jar: TestJar) -> None:
        self.jar, self.client = jar, jar.client("scheduler")
        self.role = role_for(jar, "*", service="scheduler")
        self.box = Box(jar, jar.client("sqs"), "inbox")

    def asked(self, expression: str, name: str = "s", arn: str = "", **more: Any) -> dict[str, Any]:
        """What CreateSchedule is asked for; `Target` is what more there is in the target."""
        target = {"Arn": arn or self.box.arn, "RoleArn": self.role, **more.pop("Target", {})}
        return {"Name": name, "ScheduleExpression": expression, "FlexibleTimeWindow": OFF, "Target": target, **more}

    def make(self, expression: str, name: str = "s", arn: str = "", **more: Any) -> str:
        """CreateSchedule, and let what follows come to rest; its ARN."""
        made = self.client.create_schedule(**self.asked(expression, name, arn, **more))
        self.jar.settle()
        return str(made["ScheduleArn"])

    def told(self) -> list[dict[str, Any]]:
        """What the queue has got, as JSON; it is empty afterwards."""
        found = []
        while messages := self.box.receive():
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.box.delete(message)
        return found


@pytest.fixture
def plans(jar: TestJar) -> Plans:
    """A jar with a role and a queue."""
    return Plans(jar)
