"""Queries that are kept, single events with their fields, and metrics that events bring with them."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.jar import TestJar
from tests.services.ec2.asking import code
from tests.services.logs.conftest import Log
from tests.services.logs.test_metric_filters import total


def test_queries_are_kept(log: Log) -> None:
    put = log.client.put_query_definition
    key = put(name="b/errors", queryString="filter @message like /E/", logGroupNames=[log.group])["queryDefinitionId"]
    put(name="a", queryString="fields @message")
    found = log.client.describe_query_definitions()["queryDefinitions"]
    assert [one["name"] for one in found] == ["a", "b/errors"]
    assert found[1]["logGroupNames"] == [log.group]
    first = log.client.describe_query_definitions(maxResults=1)
    rest = log.client.describe_query_definitions(maxResults=1, nextToken=first["nextToken"])
    assert [one["name"] for page in (first, rest) for one in page["queryDefinitions"]] == ["a", "b/errors"]
    assert "nextToken" not in rest
    put(name="c", queryString="limit 1", queryDefinitionId=key)
    found = log.client.describe_query_definitions(queryDefinitionNamePrefix="c")["queryDefinitions"]
    assert [(one["queryDefinitionId"], one["queryString"]) for one in found] == [(key, "limit 1")]
    assert log.client.delete_query_definition(queryDefinitionId=key)["success"] is True
    assert code(log.client.delete_query_definition, queryDefinitionId=key) == "ResourceNotFoundException"


def test_one_event_with_its_fields(jar: TestJar, log: Log) -> None:
    log.put('{"level": "error", "who": {"id": 7}}', "plain")
    span = {"startTime": log.now // 1000 - 60, "endTime": log.now // 1000 + 60}
    key = log.client.start_query(logGroupName=log.group, queryString="fields @message", **span)["queryId"]
    jar.settle()
    rows = log.client.get_query_results(queryId=key)["results"]
    pointer = next(cell["value"] for cell in rows[1] if cell["field"] == "@ptr")
    found = log.client.get_log_record(logRecordPointer=pointer)["logRecord"]
    assert found["level"] == "error"
    assert found["who.id"] == "7"
    assert (found["@timestamp"], found["@logStream"]) == (str(log.now - 1), "one")
    assert found["@log"] == "000000000000:/app"
    assert code(log.client.get_log_record, logRecordPointer="nonsense") == "InvalidParameterException"
    other = pointer[:-1] + str((int(pointer[-1]) + 5) % 10)
    assert code(log.client.get_log_record, logRecordPointer=other) == "ResourceNotFoundException"


def embedded(log: Log, **changed: object) -> str:
    """An event of the embedded metric format."""
    metrics = [{"Name": "Latency", "Unit": "Milliseconds"}, {"Name": "Calls", "Unit": "Count"}]
    about = {"Namespace": "Shop", "Dimensions": [["Service"], ["Service", "Stage"]], "Metrics": metrics}
    event = {"_aws": {"Timestamp": log.now, "CloudWatchMetrics": [about]}, "Service": "cart", "Stage": "live",
             "Latency": [10, 20, 20], "Calls": 1, **changed}  # fmt: skip
    return json.dumps(event)


def test_events_bring_metrics(jar: TestJar, log: Log) -> None:
    log.put(embedded(log), "plain", embedded(log, Calls=4), '{"_aws": 7}')
    jar.advance(minutes=1)
    assert total(jar, "Calls", namespace="Shop", Service="cart") == [5]
    assert total(jar, "Calls", namespace="Shop", Service="cart", Stage="live") == [5]
    assert total(jar, "Latency", "SampleCount", namespace="Shop", Service="cart") == [6]
    assert total(jar, "Latency", "Maximum", namespace="Shop", Service="cart") == [20]
    assert jar.usage("CW:MetricMonitorUsage") == timedelta(hours=4)  # four metrics, by the hour


def test_what_is_wrong_with_a_metric_is_counted(jar: TestJar, log: Log) -> None:
    log.put(embedded(log, Service=""), embedded(log, Calls="many"), embedded(log, Latency=[]), embedded(log))
    jar.advance(minutes=1)
    assert total(jar, "EMFValidationErrors", namespace="AWS/Logs", LogGroupName="/app") == [3]
    assert total(jar, "Calls", namespace="Shop", Service="cart") == [1]
