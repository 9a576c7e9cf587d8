"""Live Tail: events as they come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, refused
from tests.services.logs.conftest import Log

ARN = "arn:aws:logs:eu-west-3:000000000000:log-group:/app"


@pytest.fixture
def log(steady_jar: TestJar) -> Log:
    """A session is a connection to a server that lives."""
    return Log(steady_jar, steady_jar.client("logs", inject_host_prefix=False))


def messages(stream: Any, count: int) -> list[dict[str, Any]]:
    """So many results of a session's updates."""
    found: list[dict[str, Any]] = []
    for event in stream:
        found += event.get("sessionUpdate", {}).get("sessionResults", [])
        if len(found) >= count:
            break
    return found


def test_events_are_shown_as_they_come(log: Log) -> None:
    log.put("ERROR before")
    stream = log.client.start_live_tail(logGroupIdentifiers=[ARN], logEventFilterPattern="ERROR")["responseStream"]
    try:
        events = iter(stream)
        start = next(events)["sessionStart"]
        assert (start["logGroupIdentifiers"], start["logEventFilterPattern"]) == ([ARN], "ERROR")
        log.put("well", "ERROR one", "ERROR two")
        found = messages(events, 2)
        assert [one["message"] for one in found] == ["ERROR one", "ERROR two"]
        assert found[0]["logGroupIdentifier"] == "000000000000:/app"
        assert (found[0]["logStreamName"], found[1]["timestamp"]) == ("one", log.now)
    finally:
        stream.close()


def test_some_streams_alone(log: Log) -> None:
    log.client.create_log_stream(logGroupName=log.group, logStreamName="other")
    asked = {"logGroupIdentifiers": [ARN], "logStreamNamePrefixes": ["ot"]}
    stream = log.client.start_live_tail(**asked)["responseStream"]
    try:
        events = iter(stream)
        next(events)
        log.put("not this")
        log.put("this", stream="other")
        assert [one["message"] for one in messages(events, 1)] == ["this"]
    finally:
        stream.close()


def test_sessions_that_cannot_be(log: Log) -> None:
    tail = log.client.start_live_tail
    assert code(tail, logGroupIdentifiers=[ARN + ":*"]) == "InvalidParameterException"
    assert code(tail, logGroupIdentifiers=[ARN + "none"]) == "ResourceNotFoundException"
    both = {"logGroupIdentifiers": [ARN], "logStreamNames": ["a"], "logStreamNamePrefixes": ["b"]}
    assert refused(tail, **both)[0] == "InvalidParameterException"
