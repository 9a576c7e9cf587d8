"""Pipes in Paris as root, and what their tests say again and again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import TestJar
from tests.services.events.conftest import role_for
from tests.services.sqs.conftest import Box


class Pipes:
    """A client, a role that may do anything, and two queues."""

    def __init__(self, jar: TestJar) -> None:
        self.jar, self.client = jar, jar.client("pipes")
        self.role = role_for(jar, "*", service="pipes")
        sqs = jar.client("sqs")
        self.source, self.target = Box(jar, sqs, "source"), Box(jar, sqs, "target")

    def asked(self, name: str = "p", **more: Any) -> dict[str, Any]:
        """What CreatePipe is asked for: from queue to queue."""
        return {"Name": name, "Source": self.source.arn, "Target": self.target.arn, "RoleArn": self.role, **more}

    def make(self, name: str = "p", **more: Any) -> str:
        """CreatePipe, until it runs; its ARN."""
        made = self.client.create_pipe(**self.asked(name, **more))
        self.jar.advance(seconds=15)
        return str(made["Arn"])

    def state(self, name: str = "p") -> tuple[str, str]:
        """(desired, current)."""
        shown = self.client.describe_pipe(Name=name)
        return shown["DesiredState"], shown["CurrentState"]

    def told(self, box: Box | None = None) -> list[Any]:
        """What the target has got, as JSON; it is empty afterwards."""
        self.jar.settle()
        found = []
        while messages := (box or self.target).receive():
            for message in messages:
                found.append(json.loads(message["Body"]))
                (box or self.target).delete(message)
        return found


def refused(call: Any, **asked: Any) -> tuple[str, str, int]:
    """The code, words and status of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def pipes(jar: TestJar) -> Pipes:
    """A jar with a role and two queues."""
    return Pipes(jar)
