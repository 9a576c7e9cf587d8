"""Audit events in CloudTrail's record format.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from cloudjar.kit.audit_event import AuditEvent, Besides
from cloudjar.services.cloudtrail.elements import request_parameters, response_elements
from cloudjar.services.cloudtrail.identity import identity_of
from cloudjar.services.cloudtrail.resources import in_record, typed_resources
from cloudjar.spec import models

_SERVER_FAULTS = ("Insufficient", "Internal", "Unavailable", "ServiceUnavailable")
_NOTHING_BESIDES = Besides()


def source_of(service: str) -> str:
    """The event source of a botocore service: ``monitoring.amazonaws.com`` for cloudwatch."""
    return f"{models.service(service).endpoint_prefix.partition('.')[0]}.amazonaws.com"


def show_event(event: AuditEvent) -> dict[str, Any]:
    """One entry of `LookupEvents`."""
    return {
        "EventId": event.id,
        "EventName": event.operation,
        "ReadOnly": "true" if event.reads else "false",
        "AccessKeyId": access_key(event) or None,
        "EventTime": datetime.fromtimestamp(event.time, UTC),
        "EventSource": source_of(event.service),
        "Username": username(event),
        "Resources": typed_resources(event),
        "CloudTrailEvent": msgspec.json.encode(record(event)).decode(),
    }


def username(event: AuditEvent) -> str | None:
    """What the history shows as the user: nothing for services and for callers of other accounts."""
    if event.caller_kind in ("service", "anonymous") or (event.besides is not None and event.besides.other):
        return None
    return event.caller_name or None


def access_key(event: AuditEvent) -> str:
    """The key that signed; the owner of another account's resource does not learn it."""
    return "" if event.besides is not None and event.besides.other else event.access_key_id


def record(event: AuditEvent) -> dict[str, Any]:
    """The whole record, as it would be delivered to a trail."""
    besides = event.besides or _NOTHING_BESIDES
    told = besides.details is not None
    body: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity_of(event),
        "eventTime": datetime.fromtimestamp(event.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source_of(event.service),
        "eventName": event.operation,
        "awsRegion": event.region,
        "sourceIPAddress": event.source_ip,
        "userAgent": event.agent,
        **_error(event),
        "requestParameters": None if told else request_parameters(event),
        "responseElements": None if told else response_elements(event),
    }
    optional = {
        "additionalEventData": besides.additional,
        "requestID": event.request_id or None,
        "eventID": event.id,
        "readOnly": event.reads,
        "resources": in_record(event),
        "eventType": "AwsServiceEvent" if told else "AwsApiCall",
        "managementEvent": not besides.data,
        "recipientAccountId": event.account,
        "sharedEventID": besides.shared or None,
        "serviceEventDetails": besides.details or None,
        "vpcEndpointId": besides.endpoint or None,
        "eventCategory": "Data" if besides.data else "Management",
        "tlsDetails": _tls(besides),
    }
    body.update((name, value) for name, value in optional.items() if value is not None)
    return body


def _error(event: AuditEvent) -> dict[str, str]:
    """The error in CloudTrail's words: EC2 says whose fault it was, and a refusal is an AccessDenied everywhere."""
    code = event.error_code
    if not code:
        return {}
    if event.service == "ec2":
        code = f"{'Server' if code.startswith(_SERVER_FAULTS) else 'Client'}.{code}"
    elif code == "AccessDeniedException":
        code = "AccessDenied"
    else:
        shape = models.service(event.service).error_shapes.get(code)
        code = code if shape is None else shape.name  # NoSuchEntity is recorded as NoSuchEntityException
    return {"errorCode": code, "errorMessage": event.error_message}


def _tls(besides: Besides) -> dict[str, str] | None:
    if besides.tls is None:
        return None
    version, cipher, host = besides.tls
    return {"tlsVersion": version, "cipherSuite": cipher, "clientProvidedHostHeader": host}
