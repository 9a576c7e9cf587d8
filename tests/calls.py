"""Requests made from the model: well-formed ones for any operation, written by botocore, signed by hand and sent as
bytes, so that tests can send what no SDK would."""

from __future__ import annotations

import http.client
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import botocore.loaders
import botocore.session
from botocore.model import OperationModel as BotoOperation
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from cloudjar.auth.presign import Credentials, sign
from cloudjar.base.clock import SystemClock
from cloudjar.spec import models, patterns
from cloudjar.spec.models import Shape
from cloudjar.wire.message import Request
from tests.former import query_model
from tests.patterned import simplest

REGION = "eu-west-3"
ROOT = Credentials("test", "test")
MOMENT = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)
SESSION = botocore.session.Session()
SESSION.register_component("data_loader", botocore.loaders.Loader(include_default_extras=False))

_PREFIXES = {
    "Vpc": "vpc", "Subnet": "subnet", "Instance": "i", "Volume": "vol", "Image": "ami", "InternetGateway": "igw",
    "RouteTable": "rtb", "NetworkAcl": "acl", "NetworkInterface": "eni", "Group": "sg", "SecurityGroup": "sg",
    "DhcpOptions": "dopt", "Association": "rtbassoc", "Allocation": "eipalloc", "KeyPair": "key", "Snapshot": "snap",
    "Attachment": "eni-attach", "SecurityGroupRule": "sgr",
}  # fmt: skip
_NAMED = {
    "Cidr": "10.0.0.0/16", "CidrBlock": "10.0.0.0/16", "DestinationCidrBlock": "10.9.0.0/16", "CidrIp": "10.0.0.0/8",
    "PolicyDocument": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    "AssumeRolePolicyDocument": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},'
    '"Action":"sts:AssumeRole"}]}',
    "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "RoleArn": "arn:aws:iam::000000000000:role/nobody",
    "PolicySourceArn": "arn:aws:iam::000000000000:user/nobody",
    "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "ResourceArn": "arn:aws:iam::000000000000:user/nobody", "InstanceType": "t3.micro", "GroupName": "nobodys",
    "AvailabilityZone": "eu-west-3a",
    "IpProtocol": "tcp", "PublicIp": "198.18.0.77", "Path": "/x/", "PathPrefix": "/x/",
    "OpenIDConnectProviderArn": "arn:aws:iam::000000000000:oidc-provider/id.example.com",
    "SAMLProviderArn": "arn:aws:iam::000000000000:saml-provider/nobody",
    "SerialNumber": "arn:aws:iam::000000000000:mfa/nobody",
    "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "NewPath": "/y/", "VersionId": "v1", "Protocol": "-1",
    "CopySource": "aaa/aaa",
}  # fmt: skip


def minimal(shape: Shape | None, name: str = "", depth: int = 0) -> Any:
    """The smallest value that the model accepts: required members only, for ids and addresses something plausible."""
    if shape is None:
        return {}
    match shape.type:
        case "structure":
            return _structure(shape, depth)
        case "list":
            return [minimal(shape.member, name.removesuffix("s"), depth + 1)] * max(1, int(shape.min or 0))
        case "map":
            return {minimal(shape.key): minimal(shape.value, name, depth + 1)}
        case "boolean":
            return False
        case "integer" | "long" | "float" | "double":
            return max(1, math.ceil(shape.min or 0))
        case "timestamp":
            return MOMENT
        case "blob":
            return b"x" * max(1, int(shape.min or 0))
    return _text(shape, name)


def prefix_of(name: str) -> str:
    """How ids of a member with this name begin: ``vpc-`` for VpcId; empty when it is no such id."""
    for noun, prefix in _PREFIXES.items():
        if name in (f"{noun}Id", f"{noun}Ids", f"{noun}s", noun):
            return f"{prefix}-"
    return ""


def _structure(shape: Shape, depth: int) -> dict[str, Any]:
    wanted = list(shape.required)
    if not wanted and (shape.union or depth):  # an empty structure cannot be told from none
        wanted = list(shape.members)[:1]
    return {n: minimal(shape.members[n], n, depth + 1) for n in wanted} if depth < 8 else {}


def _text(shape: Shape, name: str) -> str:
    if shape.enum:
        return str(shape.enum[0])
    accepts = patterns.matcher(shape.pattern) if shape.pattern else None
    if name in _NAMED and (accepts is None or accepts(_NAMED[name])):
        return _NAMED[name]
    prefix = prefix_of(name)
    if prefix:
        return f"{prefix}0123456789abcdef0"
    least = max(3, int(shape.min or 0))
    text = "a" * least
    text = text if shape.max is None else text[: int(shape.max)]
    return text if accepts is None or accepts(text) else simplest(shape.pattern, least) or text


class Sent(NamedTuple):
    """An HTTP request that is ready to be signed."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


@cache
def boto_operation(service: str, operation: str) -> BotoOperation:
    """botocore's own model of an operation."""
    found: BotoOperation = _boto_service(service).operation_model(operation)
    return found


@cache
def _boto_service(service: str) -> Any:
    return SESSION.get_service_model(service)


@cache
def _former(service: str) -> Any:
    return query_model(service, SESSION.get_service_data(service))


@cache
def _serializer(protocol: str) -> Any:
    return create_serializer(protocol, include_validation=False)


def write(service: str, operation: str, params: Mapping[str, Any], protocol: str = "") -> Sent:
    """The request as botocore writes it in a protocol of the service (default: its first)."""
    protocol = protocol or models.service(service).protocols[0]
    model = _former(service) if protocol == "query" and service == "sqs" else _boto_service(service)
    made = _serializer(protocol).serialize_to_request(dict(params), model.operation_model(operation))
    headers = {name.lower(): str(value) for name, value in made["headers"].items()}
    body = made["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True).encode()
    if isinstance(body, str):
        body = body.encode()
    query = made.get("query_string") or {}
    path = made["url_path"]
    target = path + (f"{'&' if '?' in path else '?'}{urlencode(query, doseq=True)}" if query else "")
    return Sent(made["method"], target, headers, body or b"")


def signed(sent: Sent, service: str, credentials: Credentials = ROOT, region: str = REGION) -> Sent:
    """The same request with a good signature, whatever it says."""
    parts = urlsplit(sent.target)
    headers = {"host": "127.0.0.1", **sent.headers}
    request = Request(sent.method, parts.path, parts.query, headers, sent.body)
    sign(request, credentials, region, models.service(service).signing_name, SystemClock().real())
    return sent._replace(headers=request.headers)


class Line:
    """A connection to a jar that is opened again when the other side closed it."""

    def __init__(self, port: int, timeout: float = 20) -> None:
        self._port = port
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def send(self, sent: Sent) -> Answer:
        """One request and its answer; raises `TimeoutError` when none comes in time."""
        if self._connection is not None:
            with suppress(ConnectionError):  # it was idle for so long that the server hung up: that is no answer
                return self._exchange(self._connection, sent)
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)
        return self._exchange(self._connection, sent)

    def _exchange(self, connection: http.client.HTTPConnection, sent: Sent) -> Answer:
        try:
            connection.request(sent.method, sent.target, body=sent.body, headers=sent.headers)
            response = connection.getresponse()
            body = response.read()
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def read(service: str, operation: str, answer: Answer, protocol: str = "") -> dict[str, Any]:
    """The answer as botocore reads it: members, or ``Error``; raises when it is not of the protocol's family."""
    protocol = protocol or models.service(service).protocols[0]
    model = boto_operation(service, operation)
    raw = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    parsed: dict[str, Any] = create_parser(protocol).parse(raw, model.output_shape)
    return parsed
