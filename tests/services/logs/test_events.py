"""Events: taken in by AWS's rules, read forward and backward, searched, gone when they have expired."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import TestJar
from tests.services.ec2.asking import code
from tests.services.logs.conftest import Log

DAY = 86_400_000


def refused(log: Log, events: list[dict[str, Any]]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refusal:
        log.client.put_log_events(logGroupName=log.group, logStreamName=log.stream, logEvents=events)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def test_what_is_written_is_read_both_ways(log: Log) -> None:
    log.put(*"abcdefg")
    assert log.messages() == list("abcdefg")
    page = log.get(limit=3)
    assert [e["message"] for e in page["events"]] == ["e", "f", "g"]
    before = log.get(limit=3, nextToken=page["nextBackwardToken"])
    assert [e["message"] for e in before["events"]] == ["b", "c", "d"]
    first = log.get(limit=3, nextToken=before["nextBackwardToken"])
    assert [e["message"] for e in first["events"]] == ["a"]
    end = log.get(limit=3, nextToken=first["nextBackwardToken"])
    assert (end["events"], end["nextBackwardToken"]) == ([], first["nextBackwardToken"])
    assert [e["message"] for e in log.get(nextToken=end["nextForwardToken"])["events"]] == list("abcdefg")


def test_a_reader_that_follows_gets_what_comes_later(log: Log) -> None:
    page = log.get(startFromHead=True)
    assert page["events"] == []
    log.put("a")
    page = log.get(startFromHead=True, nextToken=page["nextForwardToken"])
    assert [e["message"] for e in page["events"]] == ["a"]
    again = log.get(startFromHead=True, nextToken=page["nextForwardToken"])
    assert (again["events"], again["nextForwardToken"]) == ([], page["nextForwardToken"])
    back = log.get(nextToken=again["nextBackwardToken"])
    assert [e["message"] for e in back["events"]] == ["a"]
    assert code(log.get, nextToken="f/1/s") == "InvalidParameterException"


def test_a_span_of_time(log: Log) -> None:
    log.put("old", ago=10_000)
    log.put("new")
    assert log.messages(startTime=log.now - 5000) == ["new"]
    assert log.messages(endTime=log.now - 5000) == ["old"]
    assert log.messages(startTime=log.now, endTime=log.now) == []


def test_what_a_batch_must_be(log: Log) -> None:
    now = log.now
    assert refused(log, [{"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}]) == (
        "InvalidParameterException",
        "Log events in a single PutLogEvents request must be in chronological order.",
    )
    assert refused(log, [{"timestamp": now - DAY - 1, "message": "a"}, {"timestamp": now, "message": "b"}]) == (
        "InvalidParameterException",
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
    )
    many = [{"timestamp": now, "message": "x" * 400_000}] * 3
    assert refused(log, many) == (
        "InvalidParameterException", "Upload too large: 1200078 bytes exceeds limit of 1048576",
    )  # fmt: skip
    assert refused(log, [{"timestamp": now, "message": "a"}] * 10_001)[0] == "InvalidParameterException"
    assert log.messages() == []


def test_events_of_the_past_and_of_the_future_are_left_out_and_told(log: Log, logs: Any) -> None:
    now = log.now
    old = [{"timestamp": now - 15 * DAY, "message": "old"}]
    answer = logs.put_log_events(logGroupName=log.group, logStreamName=log.stream, logEvents=old)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    batch = [{"timestamp": now + hours * 3_600_000, "message": str(hours)} for hours in (0, 1, 3)]
    answer = logs.put_log_events(logGroupName=log.group, logStreamName=log.stream, logEvents=batch)
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 2}
    assert log.messages() == ["0", "1"]
    logs.put_retention_policy(logGroupName=log.group, retentionInDays=1)
    expired = [{"timestamp": now - 2 * DAY, "message": "x"}]
    answer = logs.put_log_events(logGroupName=log.group, logStreamName=log.stream, logEvents=expired)
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}


def test_a_search_goes_over_all_streams_in_the_order_of_time(log: Log, logs: Any) -> None:
    logs.create_log_stream(logGroupName=log.group, logStreamName="two")
    log.put("ERROR first", "fine", ago=100)
    log.put("ERROR second", ago=50, stream="two")
    log.put("an ERROR too")
    assert log.search("ERROR") == ["ERROR first", "ERROR second", "an ERROR too"]
    assert log.search("ERROR", logStreamNames=["two"]) == ["ERROR second"]
    assert log.search(logStreamNamePrefix="on") == ["ERROR first", "fine", "an ERROR too"]
    assert log.search("ERROR", PaginationConfig={"PageSize": 1}) == log.search("ERROR")
    assert log.search("ERROR", startTime=log.now - 60, startFromHead=False) == ["an ERROR too", "ERROR second"]
    [event] = logs.filter_log_events(logGroupName=log.group, filterPattern="second")["events"]
    assert (event["logStreamName"], len(event["eventId"])) == ("two", 56)
    logs.delete_log_stream(logGroupName=log.group, logStreamName="two")
    assert log.search("ERROR") == ["ERROR first", "an ERROR too"]
    assert code(logs.filter_log_events, logGroupName=log.group, logStreamNames=["two"]) == "ResourceNotFoundException"
    assert code(logs.filter_log_events, logGroupName=log.group, nextToken="x") == "InvalidParameterException"


def test_events_expire_by_the_clock(jar: TestJar, log: Log, logs: Any) -> None:
    logs.put_retention_policy(logGroupName=log.group, retentionInDays=3)
    log.put("a" * 1000)
    jar.advance(days=2)
    log.put("b" * 1000)
    assert len(log.messages()) == 2
    jar.advance(days=1.5)
    assert log.messages() == ["b" * 1000]
    jar.advance(days=1)
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 1026
    jar.advance(days=3)
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 0
    assert jar.usage("TimedStorage-ByteHrs").days >= 5


def test_a_group_made_anew_is_empty(jar: TestJar, log: Log, logs: Any) -> None:
    log.put("secret")
    logs.delete_log_group(logGroupName=log.group)
    anew = Log(jar, logs)
    assert (anew.messages(), anew.search()) == ([], [])
    jar.settle()
    anew.put("other")
    assert anew.search() == ["other"]
    [(held,)] = jar.jar.database.query("SELECT count(*) FROM logs_event")
    assert held == 1


def test_a_search_looks_at_so_much_and_says_that_there_is_more(log: Log, logs: Any) -> None:
    for i in range(3):
        log.put(*["x"] * 5000, ago=(3 - i) * 10_000)
    log.put("needle")
    first = logs.filter_log_events(logGroupName=log.group, filterPattern="needle")
    assert (first["events"], "nextToken" in first) == ([], True)
    assert log.search("needle") == ["needle"]


def test_messages_are_not_kept_in_the_audit(jar: TestJar, log: Log) -> None:
    log.put("only in the log")
    jar.jar.audit.ingest()
    rows = jar.jar.database.query("SELECT data FROM audit WHERE operation='PutLogEvents'")
    assert rows
    assert not any(b"only in the log" in data for (data,) in rows)
