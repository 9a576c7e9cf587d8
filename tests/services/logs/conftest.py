"""CloudWatch Logs in Paris as root, and what its tests say again and again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar


class Log:
    """One group with one stream."""

    def __init__(self, jar: TestJar, client: Any, group: str = "/app", stream: str = "one") -> None:
        self.jar, self.client, self.group, self.stream = jar, client, group, stream
        client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName=stream)

    @property
    def now(self) -> int:
        """Milliseconds since 1970, by AWS's clock."""
        return int(self.jar.clock.now().timestamp() * 1000)

    def put(self, *messages: str, ago: int = 0, stream: str = "") -> dict[str, Any]:
        """One event a millisecond, the last one `ago` milliseconds before now."""
        begin = self.now - ago - len(messages) + 1
        events = [{"timestamp": begin + i, "message": message} for i, message in enumerate(messages)]
        answer: dict[str, Any] = self.client.put_log_events(
            logGroupName=self.group, logStreamName=stream or self.stream, logEvents=events
        )
        return answer

    def get(self, **more: Any) -> dict[str, Any]:
        """GetLogEvents of the stream."""
        asked = {"logGroupName": self.group, "logStreamName": self.stream, **more}
        answer: dict[str, Any] = self.client.get_log_events(**asked)
        return answer

    def messages(self, **more: Any) -> list[str]:
        """What GetLogEvents shows."""
        return [event["message"] for event in self.get(**more)["events"]]

    def search(self, pattern: str = "", **more: Any) -> list[str]:
        """What FilterLogEvents finds, over all of its pages."""
        pages = self.client.get_paginator("filter_log_events").paginate(
            logGroupName=self.group, filterPattern=pattern, **more
        )
        return [event["message"] for page in pages for event in page["events"]]


@pytest.fixture
def logs(jar: TestJar) -> Any:
    """CloudWatch Logs as root."""
    return jar.client("logs")


@pytest.fixture
def log(jar: TestJar, logs: Any) -> Log:
    """A group with a stream."""
    return Log(jar, logs)
