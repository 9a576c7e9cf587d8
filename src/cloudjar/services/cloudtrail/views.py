"""Audit events in CloudTrail's record format.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from cloudjar.base import arn as arns
from cloudjar.kit.audit import AuditEvent
from cloudjar.spec import models

_IDENTITY_TYPES = {
    "root": "Root",
    "user": "IAMUser",
    "role": "AssumedRole",
    "federated": "FederatedUser",
    "service": "AWSService",
    "anonymous": "AWSAccount",
}
_WORDS = {"ec2": "EC2", "iam": "IAM", "sts": "STS", "s3": "S3", "ssm": "SSM", "rds": "RDS", "sqs": "SQS", "sns": "SNS"}
_NOUNS = {"vpc": "VPC", "internet-gateway": "InternetGateway", "elastic-ip": "EIP", "mfa": "MFADevice"}


def source_of(service: str) -> str:
    """The event source of a botocore service: ``monitoring.amazonaws.com`` for cloudwatch."""
    return f"{models.service(service).endpoint_prefix.partition('.')[0]}.amazonaws.com"


def typed_resources(event: AuditEvent) -> list[dict[str, str]]:
    """Resources by name and CloudFormation-style type; wildcards name nothing."""
    found = []
    for text in event.resources:
        arn = arns.parse(text)
        if arn is None or "*" in arn.resource:
            continue
        noun = arn.type or {"s3": "bucket", "sqs": "queue", "sns": "topic"}.get(arn.service, "")
        named = _NOUNS.get(noun) or "".join(part.capitalize() for part in noun.split("-"))
        service = _WORDS.get(arn.service, arn.service.capitalize())
        found.append({"ResourceType": f"AWS::{service}::{named}", "ResourceName": arn.name or arn.resource})
    return found


def show_event(event: AuditEvent) -> dict[str, Any]:
    """One entry of `LookupEvents`."""
    return {
        "EventId": event.id,
        "EventName": event.operation,
        "ReadOnly": "true" if event.reads else "false",
        "AccessKeyId": event.access_key_id or None,
        "EventTime": datetime.fromtimestamp(event.time, UTC),
        "EventSource": source_of(event.service),
        "Username": event.caller_name or None,
        "Resources": typed_resources(event),
        "CloudTrailEvent": msgspec.json.encode(record(event)).decode(),
    }


def record(event: AuditEvent) -> dict[str, Any]:
    """The whole record, as it would be delivered to a trail."""
    body: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(event),
        "eventTime": datetime.fromtimestamp(event.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source_of(event.service),
        "eventName": event.operation,
        "awsRegion": event.region,
        "sourceIPAddress": event.source_ip,
        "userAgent": event.agent,
        "requestParameters": _camel(event.params) or None,
        "responseElements": _camel(event.answer) or None,
        "requestID": event.request_id,
        "eventID": event.id,
        "readOnly": event.reads,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": event.account,
        "eventCategory": "Management",
    }
    if event.error_code:
        code = f"Client.{event.error_code}" if event.service == "ec2" else event.error_code
        body["errorCode"], body["errorMessage"] = code, event.error_message
    return body


def _identity(event: AuditEvent) -> dict[str, Any]:
    kind = _IDENTITY_TYPES[event.caller_kind]
    if kind == "AWSService":
        return {"type": kind, "invokedBy": event.caller_name}
    identity: dict[str, Any] = {
        "type": kind,
        "principalId": event.caller_id,
        "arn": event.caller_arn,
        "accountId": event.account,
        "accessKeyId": event.access_key_id,
    }
    if kind == "IAMUser":
        identity["userName"] = event.caller_name
    return identity


def _camel(value: Any) -> Any:
    """CloudTrail writes member names with a small first letter."""
    if isinstance(value, dict):
        return {k[:1].lower() + k[1:]: _camel(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_camel(v) for v in value]
    return value
