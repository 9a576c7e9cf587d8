"""What the access law asks CloudWatch Logs, and EC2's flow logs, about."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT

ARN = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:aaa"
_BY_NAME = ("AssociateKmsKey", "DescribeLogStreams", "DescribeMetricFilters", "DisassociateKmsKey", "FilterLogEvents",
            "GetLogEvents")  # fmt: skip
_BY_ARN = ("ListTagsForResource", "TagResource", "UntagResource")
SCENES: dict[str, Any] = {
    **{f"logs:{name}": lambda _: {"logGroupName": "aaa"} for name in _BY_NAME},
    **{f"logs:{name}": lambda _: {"resourceArn": ARN} for name in _BY_ARN},
    "logs:StartQuery": lambda _: {"logGroupName": "aaa"},
    "logs:GetQueryResults": lambda things: {"queryId": _query(things.jar.client("logs"))},
    "ec2:CreateFlowLogs": lambda things: {"ResourceIds": [things.vpc]},
}


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
    group = {"logGroupName": "g0"}
    return {"DescribeLogStreams": group, "FilterLogEvents": group, "DescribeMetricFilters": group}
