"""Logs Insights: what queries find, how they are refused, stopped and forgotten; and who may see what they found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.logs.insights.commands import read
from cloudjar.services.logs.insights.functions import Instant
from cloudjar.services.logs.insights.running import Row, run
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code
from tests.services.iam.people import allow, user
from tests.services.iam.people import refused as refusal
from tests.services.logs.conftest import Log

MINUTE = 60_000
MESSAGES = [
    {"level": "ERROR", "took": 12.5, "user": {"name": "ann"}, "path": "/a"},
    {"level": "INFO", "took": 3, "user": {"name": "bob"}, "path": "/b"},
    {"level": "ERROR", "took": 30, "user": {"name": "bob"}, "path": "/a"},
]
PLAIN = "GET /index.html took=17 from 10.0.0.9"


def events() -> list[Row]:
    """Newest first: a line of text, then the messages."""
    texts = [PLAIN, *map(json.dumps, MESSAGES)]
    return [
        Row({"@timestamp": Instant(1_700_000_000_000 - i * MINUTE), "@message": message, "@ptr": str(i)})
        for i, message in enumerate(texts)
    ]


def asked(query: str, limit: int = 100) -> list[dict[str, str]]:
    rows, _ = run(read(query), events(), limit)
    return [{name: value for name, value in row if name != "@ptr"} for row in rows]


def test_fields_and_filters() -> None:
    assert asked("fields @timestamp, level | filter ispresent(level) | limit 1") == [
        {"@timestamp": "2023-11-14 22:12:20.000", "level": "ERROR"}
    ]
    assert [row["user.name"] for row in asked('fields user.name | filter level = "ERROR" and took > 20')] == ["bob"]
    assert len(asked("filter @message like /took=\\d+/")) == 1
    assert len(asked("filter @message like 'ERROR'")) == 2
    assert len(asked("filter level not like /ERR/ ")) == 2
    assert len(asked('filter path in ["/a", "/c"]')) == 2
    assert len(asked('filter not (level = "ERROR") # a comment | filter')) == 2
    assert asked("fields took * 2 as twice, toupper(user.name) as who | filter took = 3 | display who, twice") == [
        {"who": "BOB", "twice": "6"}
    ]


def test_statistics() -> None:
    rows = asked("filter ispresent(level) | stats count(*) as n, avg(took) by level | sort level")
    assert rows == [
        {"level": "ERROR", "n": "2", "avg(took)": "21.25"}, {"level": "INFO", "n": "1", "avg(took)": "3"},
    ]  # fmt: skip
    assert asked("stats count(*), count(level), count_distinct(level) as d, pct(took, 50), sum(took)") == [
        {"count(*)": "4", "count(level)": "3", "d": "2", "pct(took,50)": "12.5", "sum(took)": "45.5"}
    ]
    by_time = asked("stats count(*) as n by bin(2m) as t | sort t")
    assert [row["n"] for row in by_time] == ["2", "2"]
    assert by_time[0]["t"].endswith(":10:00.000")
    assert asked("stats latest(path) as last, earliest(path) as first | fields last, first") == [
        {"last": "/a", "first": "/a"}
    ]


def test_parsing_sorting_and_dedup() -> None:
    glob = "parse @message 'GET * took=* from *' as path, took, ip | filter ispresent(ip) | display path, took, ip"
    assert asked(glob) == [{"path": "/index.html", "took": "17", "ip": "10.0.0.9"}]
    assert asked("parse @message /took=(?<ms>[0-9]+)/ | filter ms > 10 | display ms") == [{"ms": "17"}]
    in_order = asked("filter ispresent(took) | sort took asc | display took")
    assert [row["took"] for row in in_order] == ["3", "12.5", "30"]
    assert [row.get("level") for row in asked("filter ispresent(level) | dedup level | display level")] == [
        "ERROR", "INFO",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    ["", "nothing x", "fields", "filter", "stats took", "limit 0", "limit 10001", "fields (a", 'filter a like b',
     "filter a = ", 'fields "open', "parse @message 'a * b' as x, y", "fields unknownfunction(a)", "sort",
     "filter a like /(/", "filter " + "(" * 100 + "a" + ")" * 100, "fields a b", "dedup", "filter -" * 90,
     "filter a" + " and a" * 2000, "filter " + "not " * 200 + "a", "filter " + "-" * 300 + "1"],
)  # fmt: skip
def test_what_is_no_query(query: str) -> None:
    with pytest.raises(AwsError, match="Malformed query"):
        read(query)


def start(log: Log, query: str, **more: Any) -> str:
    now = log.now // 1000
    asked = {"logGroupName": log.group, "startTime": now - 3600, "endTime": now + 60, "queryString": query, **more}
    return str(log.client.start_query(**asked)["queryId"])


def test_a_query_runs_and_is_kept_for_a_week(jar: TestJar, log: Log, logs: Any) -> None:
    logs.create_log_stream(logGroupName=log.group, logStreamName="two")
    log.put("ERROR one", "fine", ago=100)
    log.put("ERROR two", stream="two")
    key = start(log, "fields @message, @logStream | filter @message like /ERROR/")
    assert logs.get_query_results(queryId=key)["status"] == "Scheduled"
    jar.settle()
    found = logs.get_query_results(queryId=key)
    assert (found["status"], found["statistics"]["recordsScanned"]) == ("Complete", 3)
    rows = [{cell["field"]: cell["value"] for cell in row} for row in found["results"]]
    assert [(row["@message"], row["@logStream"]) for row in rows] == [("ERROR two", "two"), ("ERROR one", "one")]
    assert len(rows[0]["@ptr"]) == 56
    [shown] = logs.describe_queries(logGroupName=log.group)["queries"]
    assert (shown["queryId"], shown["status"]) == (key, "Complete")
    assert code(logs.stop_query, queryId=key) == "InvalidParameterException"
    jar.advance(days=8)
    assert code(logs.get_query_results, queryId=key) == "ResourceNotFoundException"
    assert logs.describe_queries()["queries"] == []


def test_queries_are_stopped_and_refused(jar: TestJar, log: Log, logs: Any) -> None:
    key = start(log, "fields @message")
    assert logs.stop_query(queryId=key)["success"]
    jar.settle()
    assert logs.get_query_results(queryId=key)["status"] == "Cancelled"
    assert code(start, log=log, query="nonsense") == "MalformedQueryException"
    assert code(start, log=log, query="fields @message", logGroupName="none") == "ResourceNotFoundException"
    assert code(start, log=log, query="fields @message", logGroupNames=["/app"]) == "InvalidParameterException"
    assert code(start, log=log, query="fields @message", startTime=log.now) == "InvalidParameterException"
    assert code(start, log=log, query="SELECT 1", queryLanguage="SQL") == "InvalidParameterException"


def test_results_are_for_who_may_see_the_group(jar: TestJar, log: Log) -> None:
    arn = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:/app:log-stream:"
    ann = user(jar, "ann", allow("logs:StartQuery", "logs:GetQueryResults", on=arn))
    bob = user(jar, "bob", allow("logs:GetQueryResults", on=arn.replace("/app", "/other")))
    log.client = ann.client("logs")
    key = start(log, "fields @message")
    jar.settle()
    assert log.client.get_query_results(queryId=key)["status"] == "Complete"
    with refusal("AccessDeniedException", arn):
        bob.client("logs").get_query_results(queryId=key)
