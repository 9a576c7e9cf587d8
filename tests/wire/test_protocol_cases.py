"""botocore's own protocol test cases, replayed in reverse.

Input: the serialised request of a case, parsed by us, must give the case's parameters. Output: the case's
result, serialised by us and parsed by botocore, must give the result back; errors likewise.
"""

from __future__ import annotations

import base64
import copy
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStream
from botocore.model import OperationModel as BotoOperation
from botocore.model import ServiceModel as BotoService
from botocore.parsers import PROTOCOL_PARSERS
from botocore.utils import parse_timestamp

from cloudjar.base.errors import AwsError
from cloudjar.spec.models import OperationModel, Shape, from_description
from cloudjar.wire import uri
from cloudjar.wire.codec import codec
from cloudjar.wire.faults import fault
from cloudjar.wire.message import Request, Response

CASES = Path(__file__).parent / "cases"
FORM = "application/x-www-form-urlencoded"

# Why a case cannot be replayed in this direction, by id (or "file: id").
GZIP = "shows headers only; content encoding is undone by the gateway before the codec"
TOKEN = "about a client inventing a token, which a server just receives"
EMPTY = "what the client leaves out of the request cannot be told from what was never given"
ITEM_NAME = "botocore reads a flattened list by its element's name where two names are declared"
SPLIT = "botocore splits header lists at every comma, dates and quoted text included"
INPUT_REASONS = {
    "SDKAppliedContentEncoding_ec2Query": GZIP,
    "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_ec2Query": GZIP,
    "SDKAppliedContentEncoding_awsJson1_1": GZIP,
    "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1": GZIP,
    "SDKAppliedContentEncoding_awsJson1_0": GZIP,
    "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": GZIP,
    "SDKAppliedContentEncoding_awsQuery": GZIP,
    "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": GZIP,
    "SDKAppliedContentEncoding_restJson1": GZIP,
    "SDKAppendedGzipAfterProvidedEncoding_restJson1": GZIP,
    "SDKAppliedContentEncoding_restXml": GZIP,
    "SDKAppendedGzipAfterProvidedEncoding_restXml": GZIP,
    "Ec2ProtocolIdempotencyTokenAutoFill": TOKEN,
    "QueryProtocolIdempotencyTokenAutoFill": TOKEN,
    "RestJsonQueryIdempotencyTokenAutoFill": TOKEN,
    "QueryIdempotencyTokenAutoFill": TOKEN,
    "Ec2EmptyQueryLists": EMPTY,
    "QueryEmptyQueryMaps": EMPTY,
    "RestJsonHttpPrefixHeadersAreNotPresent": EMPTY,
    "HttpPrefixHeadersAreNotPresent": EMPTY,
    "RestJsonNullAndEmptyHeaders": EMPTY,
    "NullAndEmptyHeaders": EMPTY,
    "RestJsonOmitsEmptyListQueryValues": EMPTY,
    "RestJsonQueryPrecedence": "the client drops what a named member overrides; a server sees what was sent",
    "RestXmlQueryPrecedence": "the client drops what a named member overrides; a server sees what was sent",
    "RestJsonHostWithPath": "a path prefix of the endpoint is the gateway's",
    "MediaTypeHeaderInputBase64": "botocore serialises the text again as JSON; real values are objects",
}
OUTPUT_REASONS = {
    "Ec2XmlLists": ITEM_NAME,
    "QueryXmlLists": ITEM_NAME,
    "XmlLists": ITEM_NAME,
    "RestJsonInputAndOutputWithTimestampHeaders": SPLIT,
    "InputAndOutputWithTimestampHeaders": SPLIT,
    "RestJsonInputAndOutputWithQuotedStringHeaders": SPLIT,
    "RestJsonHttpPayloadTraitsWithNoBlobBody": "botocore always gives a blob payload, if empty",
    "HttpPayloadTraitsWithNoBlobBody": "botocore always gives a blob payload, if empty",
    "RestJsonHttpPayloadWithUnsetUnion": "botocore refuses to read an absent union",
    "RestXmlHttpPayloadWithUnsetUnion": "botocore refuses to read an absent union",
}


def load(kind: str) -> Iterator[Any]:
    for path in sorted((CASES / kind).glob("*.json")):
        for number, suite in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            for n, case in enumerate(suite["cases"]):
                name = f"{path.stem}: {case.get('id') or f'{number}.{n}'}"
                yield pytest.param(suite, case, id=name)


def operation(suite: dict[str, Any], case: dict[str, Any]) -> OperationModel:
    given = case["given"]
    name = given.get("name", "OperationName")
    document = {
        "metadata": {"endpointPrefix": "test", **suite["metadata"]},
        "operations": {name: {"http": {"method": "POST", "requestUri": "/"}, **given}},
        "shapes": copy.deepcopy(suite["shapes"]),
    }
    return from_description("test", document).operations[name]


def plain(value: Any, shape: Shape | None, sent: bool) -> Any:
    """A case's JSON value in the form our dicts have (epoch -> datetime, text -> bytes, names of floats)."""
    if shape is None or value is None or shape.document:
        return value
    if shape.type == "structure":
        return {n: plain(v, shape.members[n], sent) for n, v in value.items() if v is not None and n in shape.members}
    if shape.type == "list":
        return [plain(v, shape.member, sent) for v in value]
    if shape.type == "map":
        return {k: plain(v, shape.value, sent) for k, v in value.items() if v is not None or shape.sparse}
    if shape.type == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    if shape.type == "blob":
        return value.encode() if isinstance(value, str) else value
    if shape.type in ("float", "double"):
        return float(value)
    return value


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b):
        return True
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def request_of(protocol: str, serialized: dict[str, Any]) -> Request:
    parts = urlsplit(serialized.get("uri", "/"))
    body = serialized.get("body", "")
    raw = base64.b64decode(body) if protocol == "smithy-rpc-v2-cbor" else body.encode()
    headers = {k.lower(): v for k, v in serialized.get("headers", {}).items()}
    return Request(serialized.get("method", "POST"), parts.path, parts.query, headers, raw)


@pytest.mark.parametrize(("suite", "case"), list(load("input")))
def test_requests(suite: dict[str, Any], case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    reason = INPUT_REASONS.get(name.partition(": ")[2])
    if reason:
        pytest.skip(reason)
    op = operation(suite, case)
    protocol = suite["metadata"]["protocol"]
    sent = request_of(protocol, case["serialized"])
    labels: dict[str, str] = {}
    if protocol.startswith("rest"):
        found = uri.of_service(op.service).match(sent.method, sent.path, sent.query, sent.headers)
        assert found is not None, "no uri matches"
        assert found[0].op.name == op.name
        labels = found[1]
    got = codec(op, protocol).parse(sent, labels)
    if op.event_stream_input:
        got[op.event_stream_input] = list(got[op.event_stream_input])
    expected = plain(case.get("params", {}), op.input, True)
    for which in (got, expected):
        drop_named_from_map(which, op)
    assert same(got, expected), f"{got}\n!= {expected}"


def drop_named_from_map(params: dict[str, Any], op: OperationModel) -> None:
    """Our map of the remaining query parameters lacks those with a member of their own; a client's may repeat them."""
    members = op.input.members if op.input else {}
    query = {n: m for n, m in members.items() if m.location == "querystring"}
    named = {m.location_name or n for n, m in query.items() if m.type != "map"}
    for name in [n for n, m in query.items() if m.type == "map" and n in params]:
        params[name] = {k: v for k, v in params[name].items() if k not in named}
        if not params[name]:
            del params[name]


class Body:
    """A response body as botocore's event streams read it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Iterator[bytes]:
        yield self._data

    def close(self) -> None:
        pass


def read_back(suite: dict[str, Any], case: dict[str, Any], response: Response, error: bool = False) -> Any:
    """What botocore's own parser makes of our response."""
    document = copy.deepcopy(suite)
    name = case["given"].get("name", "OperationName")
    given = copy.deepcopy(case["given"])
    document["operations"] = {name: given}
    protocol = suite["metadata"]["protocol"]
    if protocol == "query" and "output" in given:
        given["output"]["resultWrapper"] = f"{name}Result"
    model = BotoService(document)
    shape = BotoOperation(given, model).output_shape
    make: Any = PROTOCOL_PARSERS[protocol]
    parser = make(timestamp_parser=lambda v: parse_timestamp(v).astimezone(UTC).timestamp())
    sent: Any = response.body
    body: Any = sent if isinstance(sent, bytes) else b"".join(sent)
    if not error and BotoOperation(given, model).has_event_stream_output:
        body = Body(body)
    named = {n.lower() for n in case["response"].get("headers", {})}
    ours = {"x-amzn-requestid", "content-type"} - named  # the case is not about these
    raw = {
        "status_code": response.status,
        "headers": HeadersDict((n, v) for n, v in response.headers if n.lower() not in ours),
        "body": body,
        "context": {"operation_name": name},
    }
    parsed = parser.parse(raw, shape)
    if error:
        code = parsed.get("Error", {}).get("Code")
        modelled = model.shape_for_error_code(code)
        parsed.update(parser.parse(raw, modelled))
    parsed.pop("ResponseMetadata", None)
    return {k: list(v) if isinstance(v, EventStream) else v for k, v in parsed.items()}


def texts(value: Any) -> Any:
    """Bytes as text, special floats by name: the notation of the cases."""
    if isinstance(value, dict):
        return {k: texts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [texts(v) for v in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float) and (math.isnan(value) or math.isinf(value)):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


@pytest.mark.parametrize(("suite", "case"), list(load("output")))
def test_responses(suite: dict[str, Any], case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    reason = OUTPUT_REASONS.get(name.partition(": ")[2])
    if reason:
        pytest.skip(reason)
    op = operation(suite, case)
    protocol = suite["metadata"]["protocol"]
    if "error" in case:
        code = case.get("errorCode", "")
        given = {n: v for n, v in case["error"].items() if n.lower() != "message"}
        shape = op.service.error_shapes[code]
        status = case["response"]["status_code"]
        error = AwsError(code, case.get("errorMessage", ""), status, members=plain(given, shape, False))
        response = fault(op.service, op, protocol, error, "rid")
        parsed = read_back(suite, case, response, error=True)
        assert (parsed["Error"]["Message"] or "") == case.get("errorMessage", "")
        expected = {k: v for k, v in case["error"].items() if v is not None}
        assert parsed["Error"]["Code"] == code
        assert {k: v for k, v in texts(parsed).items() if k in expected} == expected
        return
    result = plain(case["result"], op.output, False)
    response = codec(op, protocol).respond(result, "rid")
    if protocol.startswith("rest"):
        assert response.status == case["response"]["status_code"]
    expected = {k: v for k, v in case["result"].items() if v is not None}
    assert texts(read_back(suite, case, response)) == expected
