"""`AwsError` -> the error response of each protocol, and unreadable requests -> `AwsError`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.spec.models import OperationModel, ServiceModel, Shape, from_description
from cloudjar.wire import cbor, json, rest
from cloudjar.wire.message import Response
from cloudjar.wire.rendered import xml_text
from cloudjar.wire.rest_xml import host_id, request_headers
from cloudjar.wire.values import Malformed
from cloudjar.wire.xml_write import XmlWriter, attribute, escape

_PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MESSAGE = ("message", "Message", "errorMessage", "ErrorMessage")


def malformed(service: ServiceModel, protocol: str, cause: Malformed) -> AwsError:
    """The answer to a request that the protocol cannot read."""
    name = cause.kind.partition("|")[2]
    match protocol:
        case "ec2":
            if name:
                kind = cause.kind.partition("|")[0]
                text = f"Value ({cause.text}) for parameter {name} is invalid. Expected a valid {kind}."
                return AwsError("InvalidParameterValue", text, 400)
            return AwsError("InvalidParameterValue", cause.message, 400)
        case "query":
            return AwsError("MalformedInput", cause.message, 400)
        case "rest-xml":
            return _malformed_xml(service, cause, name)
    return AwsError("SerializationException", cause.message, 400)


def _malformed_xml(service: ServiceModel, cause: Malformed, name: str) -> AwsError:
    if service.name in ("s3", "s3control"):
        if name:
            return AwsError(
                "InvalidArgument",
                f"Provided {name} not a valid {cause.kind.partition('|')[0]}",
                400,
                members={"ArgumentName": name, "ArgumentValue": cause.text},
            )
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        return AwsError("MalformedXML", text, 400)
    return AwsError("MalformedInput", cause.message, 400)


def fault(
    service: ServiceModel | None, _op: OperationModel | None, protocol: str, error: AwsError, request_id: str
) -> Response:
    """The response for `error`; its status, else the model's, else 400. `service` is None when none was found."""
    service = service or _nobody()
    shape = service.error_shapes.get(error.code)
    status = error.status or (shape and (shape.http_status or (500 if shape.fault else 0))) or 400
    match protocol:
        case "ec2":
            response = _ec2(shape, error, status, request_id)
        case "query":
            response = _query(service, shape, error, status, request_id)
        case "rest-xml":
            response = _rest_xml(service, shape, error, status, request_id)
        case "smithy-rpc-v2-cbor":
            response = _cbor(service, shape, error, status, request_id)
        case "rest-json":
            response = _rest_json(shape, error, status, request_id)
        case _:
            response = _json(service, shape, error, status, request_id)
    response.headers.extend(error.headers.items())
    return response


# -- XML ---------------------------------------------------------------------------------------------------------


def _ec2(shape: Shape | None, error: AwsError, status: int, request_id: str) -> Response:
    text = (
        f"{_PROLOGUE}<Response><Errors><Error><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message>{_xml_members(shape, 'ec2', error)}</Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )
    headers = [("Content-Type", "text/xml;charset=UTF-8"), ("x-amzn-RequestId", request_id)]
    return Response(status, headers, text.encode())


@lru_cache(maxsize=1)
def _nobody() -> ServiceModel:
    """A service without a name, errors or namespace: for requests that nobody could be found to answer."""
    return from_description("", {"metadata": {"protocol": "json"}, "operations": {}, "shapes": {}})


@lru_cache(maxsize=512)
def _xml_writer(shape: Shape, protocol: str) -> Any:
    writer = XmlWriter(shape.service.name, protocol, exact_millis=protocol == "rest-xml")
    root = writer.root(shape)
    writer.build()
    return writer.key(shape), root()


def _xml_members(shape: Shape | None, protocol: str, error: AwsError) -> str:
    """The error's further members; those the model does not have are written as plain text."""
    members = {n: v for n, v in error.members.items() if n not in _MESSAGE and v is not None}
    if not members:
        return ""
    modelled = {n: v for n, v in members.items() if shape is not None and n in shape.members}
    text = ""
    if shape is not None and modelled:
        key, write = _xml_writer(shape, protocol)
        text = xml_text(modelled, key, write)
    return text + "".join(f"<{n}>{escape(str(v))}</{n}>" for n, v in members.items() if n not in modelled)


def _error_response(
    service: ServiceModel, shape: Shape | None, protocol: str, error: AwsError, status: int, request_id: str
) -> bytes:
    code = shape.error_code if shape is not None else error.code
    declared = f' xmlns="{attribute(service.xml_namespace)}"' if service.xml_namespace else ""
    blame = "Receiver" if status >= 500 else "Sender"
    return (
        f"<ErrorResponse{declared}><Error><Type>{blame}</Type><Code>{escape(code)}</Code>"
        f"<Message>{escape(error.message)}</Message>{_xml_members(shape, protocol, error)}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def _query(service: ServiceModel, shape: Shape | None, error: AwsError, status: int, request_id: str) -> Response:
    headers = [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)]
    return Response(status, headers, _error_response(service, shape, "query", error, status, request_id))


def _rest_xml(service: ServiceModel, shape: Shape | None, error: AwsError, status: int, request_id: str) -> Response:
    headers = [("Content-Type", "application/xml"), *request_headers(service.name, request_id)]
    _put_headers(shape, error, headers)
    if service.name != "s3":
        body = _error_response(service, shape, "rest-xml", error, status, request_id)
        return Response(status, headers, body)
    text = (
        f"{_PROLOGUE}<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"{_xml_members(shape, 'rest-xml', error)}"
        f"<RequestId>{request_id}</RequestId><HostId>{host_id(request_id)}</HostId></Error>"
    )
    return Response(status, headers, text.encode())


# -- JSON and CBOR -----------------------------------------------------------------------------------------------


def _put_headers(shape: Shape | None, error: AwsError, headers: list[tuple[str, str]]) -> None:
    if shape is not None:
        rest.header_writers(shape)(error.members, headers)


@lru_cache(maxsize=512)
def _json_writer(shape: Shape, as_cbor: bool) -> Any:
    encoder = cbor.encode if as_cbor else json.encode
    return json.Writer(shape.service.name, cbor=as_cbor, encoder=encoder).build(shape)[0]


def _body(shape: Shape | None, error: AwsError, as_cbor: bool = False) -> dict[str, Any]:
    """The error's members, its message spelled as the model spells it."""
    spelled = "message"
    if shape is not None:
        spelled = next((n for n in _MESSAGE if n in shape.members), "message")
    members = {spelled: error.message, **error.members}
    if shape is None:
        return members
    modelled: dict[str, Any] = _json_writer(shape, as_cbor)(members)
    unmodelled = {n: v for n, v in members.items() if n not in shape.members}
    return {**modelled, **unmodelled}


def _type(shape: Shape | None, error: AwsError) -> str:
    return shape.name if shape is not None else error.code


def _compatible(
    service: ServiceModel, shape: Shape | None, error: AwsError, status: int, headers: list[tuple[str, str]]
) -> None:
    """Services that once spoke query tell their former codes in a header."""
    if service.query_compatible:
        code = shape.error_code if shape is not None else error.code
        headers.append(("x-amzn-query-error", f"{code};{'Receiver' if status >= 500 else 'Sender'}"))


def _json(service: ServiceModel, shape: Shape | None, error: AwsError, status: int, request_id: str) -> Response:
    kind = f"application/x-amz-json-{service.json_version}"
    headers = [("Content-Type", kind), ("x-amzn-RequestId", request_id)]
    _compatible(service, shape, error, status, headers)
    return Response(status, headers, json.encode({"__type": _type(shape, error), **_body(shape, error)}))


def _rest_json(shape: Shape | None, error: AwsError, status: int, request_id: str) -> Response:
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", request_id),
        ("x-amzn-ErrorType", _type(shape, error)),
    ]
    _put_headers(shape, error, headers)
    return Response(status, headers, json.encode(_body(shape, error)))


def _cbor(service: ServiceModel, shape: Shape | None, error: AwsError, status: int, request_id: str) -> Response:
    headers = [
        ("smithy-protocol", "rpc-v2-cbor"),
        ("Content-Type", "application/cbor"),
        ("x-amzn-RequestId", request_id),
    ]
    _compatible(service, shape, error, status, headers)
    body = {"__type": _type(shape, error), **_body(shape, error, as_cbor=True)}
    return Response(status, headers, cbor.encode(body))
