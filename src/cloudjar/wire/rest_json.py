"""rest-json: members in path, query, headers and a JSON body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudjar.spec.models import OperationModel, Shape
from cloudjar.wire import json, rest
from cloudjar.wire.eventstream import CONTENT_TYPE, EventReader, EventWriter
from cloudjar.wire.half import Parse, Respond
from cloudjar.wire.json_codec import event_format, rendered_json
from cloudjar.wire.message import Request, Response
from cloudjar.wire.rendered import Rendered
from cloudjar.wire.values import Malformed

JSON = "application/json"

ReadBody = Callable[[Request, dict[str, Any]], None]


class RestJsonCodec:
    """One operation in ``rest-json``."""

    def __init__(self, op: OperationModel) -> None:
        self._op = op

    def parser(self) -> Parse:
        shape = self._op.input
        if shape is None:
            return lambda _request, _labels: {}
        read_outside = rest.outside(shape, self._op.uri)
        read_body = self._body_reader(shape)

        def parse(request: Request, uri_params: dict[str, str]) -> dict[str, Any]:
            out = read_outside(request, uri_params)
            if read_body is not None:
                read_body(request, out)
            return out

        return parse

    def _body_reader(self, shape: Shape) -> ReadBody | None:
        if shape.payload:
            return self._payload_reader(shape.payload, shape.members[shape.payload], shape.payload in shape.required)
        if not rest.body_members(shape):
            return None
        [read] = json.Reader(self._op.service.name).build(shape)

        def members(request: Request, out: dict[str, Any]) -> None:
            body = rest.whole(request)
            if body:
                out.update(read(json.decode(body)))

        return members

    def _payload_reader(self, name: str, shape: Shape, required: bool) -> ReadBody:
        if shape.eventstream:
            events = EventReader(shape, event_format(self._op.service.name, JSON))

            def stream(request: Request, out: dict[str, Any]) -> None:
                body = request.body
                out[name] = events.events([body] if isinstance(body, bytes) else body.chunks())

            return stream
        if shape.type in ("blob", "string"):
            return raw_payload(name, shape)
        [read] = json.Reader(self._op.service.name).build(shape)

        def structured(request: Request, out: dict[str, Any]) -> None:
            body = rest.whole(request)
            if body:
                value = json.decode(body)
                if value == {} and shape.type == "structure" and not required and not shape.document:
                    return  # how SDKs spell a payload that is not there
                if value is not None or shape.document:
                    out[name] = read(value)

        return structured

    def responder(self) -> Respond:
        op = self._op
        shape = op.output
        if shape is None:
            return lambda _, rid: Response(op.status, [("x-amzn-RequestId", rid), ("Content-Type", JSON)], b"")
        put_headers = rest.header_writers(shape)
        status = rest.status_member(shape)
        write_body = self._body_writer(shape)

        def respond(result: dict[str, Any], rid: str) -> Response:
            headers = [("x-amzn-RequestId", rid)]
            put_headers(result, headers)
            content_type, body = write_body(result)
            if content_type and not any(n.lower() == "content-type" for n, _ in headers):
                headers.append(("Content-Type", content_type))
            code = result.get(status) if status else None
            return Response(op.status if code is None else int(code), headers, b"" if op.status == 204 else body)

        return respond

    def _body_writer(self, shape: Shape) -> Callable[[dict[str, Any]], tuple[str, Any]]:
        service = self._op.service.name
        encode = json.encode
        if not shape.payload:
            [convert] = json.Writer(service).build(shape)
            return lambda result: (JSON, encode(convert(result)))
        name = shape.payload
        member = shape.members[name]
        if member.eventstream:
            writer = EventWriter(member, event_format(service, JSON))
            return lambda result: (CONTENT_TYPE, writer.body(result.get(name), None, JSON))
        if member.type in ("blob", "string"):
            kind = "text/plain" if member.type == "string" else "application/octet-stream"
            return lambda result: raw_answer(result.get(name), kind)
        [convert] = json.Writer(service).build(member)
        return lambda result: (JSON, b"" if result.get(name) is None else encode(convert(result[name])))

    def element(self, path: str, value: dict[str, Any]) -> Rendered:
        return rendered_json(self._op, path, value)


def raw_answer(value: Any, content_type: str) -> tuple[str, Any]:
    """A blob or string payload and its type; no type when there is none."""
    return ("", b"") if value is None else (content_type, rest.as_stream(value))


def raw_payload(name: str, shape: Shape) -> ReadBody:
    """A blob or string that is the whole body; large blobs stay where the gateway put them."""

    def text(request: Request, out: dict[str, Any]) -> None:
        body = rest.whole(request)
        if body:
            try:
                out[name] = body.decode()
            except UnicodeDecodeError:
                raise Malformed("The request body is not UTF-8") from None

    def blob(request: Request, out: dict[str, Any]) -> None:
        body = request.body if shape.streaming or not isinstance(request.body, bytes) else rest.whole(request)
        if body:
            out[name] = body

    return text if shape.type == "string" else blob
