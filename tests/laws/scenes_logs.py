"""What the access law asks CloudWatch Logs, and EC2's flow logs, about."""

from __future__ import annotations

import itertools
from typing import Any

from tests.jar import ACCOUNT, TestJar

_NUMBERS = itertools.count()

ARN = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:aaa"
_BY_NAME = ("AssociateKmsKey", "DescribeLogStreams", "DescribeMetricFilters", "DescribeSubscriptionFilters",
            "DisassociateKmsKey", "FilterLogEvents", "GetLogEvents")  # fmt: skip
_BY_ARN = ("ListTagsForResource", "TagResource", "UntagResource")
SCENES: dict[str, Any] = {
    **{f"logs:{name}": lambda _: {"logGroupName": "aaa"} for name in _BY_NAME},
    **{f"logs:{name}": lambda _: {"resourceArn": ARN} for name in _BY_ARN},
    "logs:StartLiveTail": lambda _: {"logGroupIdentifiers": [ARN]},
    "logs:GetLogRecord": lambda things: {"logRecordPointer": _event(things.jar)},
    "logs:PutDestination": lambda _: {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/aaa"},
    "logs:StartQuery": lambda _: {"logGroupName": "aaa"},
    "logs:GetQueryResults": lambda things: {"queryId": _query(things.jar.client("logs"))},
    "ec2:CreateFlowLogs": lambda things: {"ResourceIds": [things.vpc]},
}


def _event(jar: TestJar) -> str:
    """The pointer of an event of a group of its own."""
    logs, now = jar.client("logs"), int(jar.clock.now().timestamp() * 1000)
    named = {"logGroupName": f"of{next(_NUMBERS)}"}
    logs.create_log_group(**named)
    logs.create_log_stream(**named, logStreamName="s")
    logs.put_log_events(**named, logStreamName="s", logEvents=[{"timestamp": now, "message": "m"}])
    return str(logs.filter_log_events(**named)["events"][0]["eventId"])


def _query(logs: Any) -> str:
    """A query of a group."""
    logs.create_log_group(logGroupName="asked")
    asked = {"logGroupName": "asked", "startTime": 0, "endTime": 1, "queryString": "fields @message"}
    return str(logs.start_query(**asked)["queryId"])


def many(logs: Any) -> dict[str, Any]:
    """Several groups, streams, events, filters and policies; how operations are asked about them."""
    change = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for n in range(7):
        logs.create_log_group(logGroupName=f"g{n}")
        logs.create_log_stream(logGroupName="g0", logStreamName=f"s{n}")
        logs.put_metric_filter(
            logGroupName="g0", filterName=f"f{n}", filterPattern="x", metricTransformations=[change]
        )
        statement = f'{{"Effect": "Allow", "Principal": "*", "Action": "logs:Get*", "Resource": "{ARN}"}}'
        document = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
        logs.put_resource_policy(policyName=f"p{n}", policyDocument=document)
        logs.start_query(logGroupName="g0", startTime=0, endTime=1, queryString="fields @message")
        logs.put_query_definition(name=f"q{n}", queryString="fields @message")
        target = f"arn:aws:kinesis:eu-west-3:{ACCOUNT}:stream/s{n}"
        logs.put_destination(
            destinationName=f"d{n}", targetArn=target, roleArn=f"arn:aws:iam::{ACCOUNT}:role/r"
        )
    group = {"logGroupName": "g0"}
    return {"DescribeLogStreams": group, "FilterLogEvents": group, "DescribeMetricFilters": group,
            "DescribeSubscriptionFilters": group}  # fmt: skip
