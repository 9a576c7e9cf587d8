"""Every operation of the services people use most, both ways, against botocore's own serialisers and parsers.

A sample is made by walking the shape: every member set, recursive shapes to a small depth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import botocore.loaders
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest, HeadersDict
from botocore.eventstream import EventStream
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from cloudjar.spec.models import OperationModel, Shape, service
from cloudjar.wire import rest, uri
from cloudjar.wire.codec import codec
from cloudjar.wire.message import Request, Response

SERVICES = (
    "ec2", "iam", "sts", "ssm", "cloudtrail", "service-quotas", "sqs", "s3", "dynamodb", "cloudwatch", "lambda",
    "route53", "sns", "rds", "logs", "kms", "apigateway", "events", "secretsmanager", "ecs", "cloudformation",
)  # fmt: skip
MOMENT = datetime(2026, 1, 15, 12, 30, 45, tzinfo=UTC)
SESSION = botocore.session.Session()
SESSION.register_component("data_loader", botocore.loaders.Loader(include_default_extras=False))
SHARED_NAMES = {
    ("s3", "GetBucketLocation"): "the text is in the root element; botocore reads it outside its parser",
    ("s3", "PutBucketNotification"): "Event and Events have one element name; the operation is superseded",
    ("s3", "GetBucketNotification"): "Event and Events have one element name; the operation is superseded",
}


def pairs() -> Iterator[tuple[str, str]]:
    for name in SERVICES:
        for protocol in service(name).protocols:
            if (name, protocol) != ("sqs", "query"):  # botocore's model of SQS lost its query names
                yield name, protocol


def sample(shape: Shape, depth: int = 0, location: str = "") -> Any:
    """A value with everything set; None where the recursion is cut."""
    if shape.document:
        return {"free": ["form", 1, None]}
    if shape.eventstream:
        return None
    if shape.type == "structure":
        return _structure(shape, depth)
    if depth > 5 and shape.type in ("list", "map"):
        return [] if shape.type == "list" else {}
    if shape.type == "list":
        item = sample(shape.member, depth + 1, location)
        return [] if item is None else [item, item]
    if shape.type == "map":
        value = sample(shape.value, depth + 1, location)
        return {} if value is None else {"one": value, "two": value}
    return {
        "integer": 7, "long": 1 << 40, "float": 1.5, "double": 2.25, "boolean": True, "timestamp": MOMENT,
        "blob": b"\x00\xffblob",
    }.get(shape.type, "plain" if location in ("uri", "header", "headers") else "a <b>&\"c' é")  # fmt: skip


def _structure(shape: Shape, depth: int) -> Any:
    if depth > 5:
        return None
    out: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = sample(member, depth + 1, member.location)
        if value is not None and not (shape.union and out):
            out[name] = value
    return out or (None if shape.union else {})


def pruned(value: Any) -> Any:
    """Without what the wire cannot carry apart from absence: empty lists and maps."""
    if isinstance(value, dict):
        inner = {k: pruned(v) for k, v in value.items()}
        return {k: v for k, v in inner.items() if v not in ({}, [], None)}
    if isinstance(value, list):
        items = [pruned(v) for v in value]
        return items if any(v not in ({}, [], None) for v in items) else []
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, float) and not math.isnan(value):
        return round(value, 6)
    return value


def http_request(serialized: dict[str, Any]) -> Request:
    """What botocore would put on the wire."""
    query = urlencode(serialized["query_string"], doseq=True) if serialized["query_string"] else ""
    url = "https://localhost" + serialized["url_path"]
    if query:
        url += ("&" if "?" in url else "?") + query
    raw = AWSRequest(serialized["method"], url, serialized["headers"], serialized["body"]).prepare()
    parts = urlsplit(raw.url)
    body = raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body or b"")
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else str(v) for k, v in raw.headers.items()}
    return Request(serialized["method"], parts.path, parts.query, headers, body)


def labels_of(op: OperationModel, request: Request, protocol: str) -> dict[str, str]:
    if not protocol.startswith("rest"):
        return {}
    found = uri.matcher(op.service.name).match(request.method, request.path, request.query, request.headers)
    assert found is not None, f"no uri for {request.method} {request.path}"
    same = {op.uri} if found[0].op is not op else set()
    assert found[0].op is op or found[0].op.uri in same, f"{found[0].op} answers for {op}"
    return found[1]


@pytest.mark.parametrize(("name", "protocol"), list(pairs()))
def test_requests_of_every_operation(name: str, protocol: str) -> None:
    theirs = SESSION.get_service_model(name)
    serializer = create_serializer(protocol, include_validation=False)
    for op in service(name).operations.values():
        if op.input is None or op.event_stream_input or (name, op.name) in SHARED_NAMES:
            continue
        params = sample(op.input)
        request = http_request(serializer.serialize_to_request(params, theirs.operation_model(op.name)))
        got = codec(op, protocol).parse(request, labels_of(op, request, protocol))
        assert pruned(got) == pruned(params), f"{name} {op.name}"


def read_back(response: Response, shape: Any, op: OperationModel, protocol: str) -> Any:
    sent: Any = response.body
    body = sent if isinstance(sent, bytes) else b"".join(sent)
    raw: dict[str, Any] = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": body,
        "context": {"operation_name": op.name},
    }
    parsed = create_parser(protocol).parse(raw, shape)
    parsed.pop("ResponseMetadata")
    return {k: v for k, v in parsed.items() if not isinstance(v, EventStream)}


@pytest.mark.parametrize(("name", "protocol"), list(pairs()))
def test_responses_of_every_operation(name: str, protocol: str) -> None:
    theirs = SESSION.get_service_model(name)
    for op in service(name).operations.values():
        if op.event_stream_output or (name, op.name) in SHARED_NAMES:
            continue
        result = sample(op.output) if op.output else {}
        if op.output and op.output.payload and op.output.members[op.output.payload].type == "blob":
            result[op.output.payload] = b"raw text"  # botocore decodes what it does not stream
        status = rest.status_member(op.output) if op.output else ""
        if status:
            result[status] = 200
        response = codec(op, protocol).respond(result, "request-1")
        got = read_back(response, theirs.operation_model(op.name).output_shape, op, protocol)
        payload = op.output.payload if op.output else ""
        if payload and isinstance(result.get(payload), bytes) and isinstance(got.get(payload), str):
            got[payload] = got[payload].encode()
        if op.status == 204 and protocol == "rest-json":
            assert response.body == b""
            continue
        assert pruned(got) == pruned(result), f"{name} {op.name}"
