"""JSON 1.0 and 1.1: JSON in, JSON out, the operation in a header."""

from __future__ import annotations

from typing import Any

from cloudjar.spec.models import OperationModel, Shape
from cloudjar.wire import json
from cloudjar.wire.eventstream import CONTENT_TYPE, EventReader, EventWriter, Format
from cloudjar.wire.half import Parse, Respond, shape_at
from cloudjar.wire.message import Request, Response
from cloudjar.wire.rendered import Rendered
from cloudjar.wire.rest import whole


def event_format(service: str, content_type: str) -> Format:
    """How events are spelled by the JSON protocols."""

    def write(shape: Shape) -> Any:
        [convert] = json.Writer(service).build(shape)
        return lambda value: json.encode(convert(value))

    def read(shape: Shape) -> Any:
        [convert] = json.Reader(service).build(shape)
        return lambda data: convert(json.decode(data))

    return Format(content_type, write, read)


def body_shape(shape: Shape) -> Shape:
    """The shape without its event stream, which has frames of its own."""
    stream = shape.event_stream_member
    if not stream:
        return shape
    members = {n: r for n, r in shape.raw["members"].items() if n != stream}
    return Shape(shape.service, shape.name + "+", {**shape.raw, "members": members})


class JsonCodec:
    """One operation in ``json``."""

    def __init__(self, op: OperationModel) -> None:
        self._op = op
        self._type = f"application/x-amz-json-{op.service.json_version}"

    def parser(self) -> Parse:
        op = self._op
        if op.input is None:
            return lambda _request, _labels: {}
        [read] = json.Reader(op.service.name).build(body_shape(op.input))
        stream = op.event_stream_input
        if stream:
            return self._stream_parser(stream, op.input, read)
        decode = json.decode

        def parse(request: Request, _: dict[str, str]) -> dict[str, Any]:
            body = whole(request)
            found: dict[str, Any] = read(decode(body) if body else {})
            return found

        return parse

    def _stream_parser(self, stream: str, shape: Shape, read: Any) -> Parse:
        events = EventReader(shape.members[stream], event_format(self._op.service.name, self._type))

        def parse(request: Request, _: dict[str, str]) -> dict[str, Any]:
            found: dict[str, Any] = {}
            chunks = [request.body] if isinstance(request.body, bytes) else request.body.chunks()
            found[stream] = events.events(chunks, lambda data: found.update(read(json.decode(data))))
            return found

        return parse

    def responder(self) -> Respond:
        op = self._op
        kind = self._type
        if op.output is None:
            return lambda _, rid: Response(200, [("Content-Type", kind), ("x-amzn-RequestId", rid)], b"")
        [convert] = json.Writer(op.service.name).build(body_shape(op.output))
        encode = json.encode
        if op.event_stream_output:
            return self._stream_responder(op.event_stream_output, op.output, convert)

        def respond(result: dict[str, Any], rid: str) -> Response:
            headers = [("Content-Type", kind), ("x-amzn-RequestId", rid)]
            return Response(200, headers, encode(convert(result)))

        return respond

    def _stream_responder(self, stream: str, shape: Shape, convert: Any) -> Respond:
        kind = self._type
        writer = EventWriter(shape.members[stream], event_format(self._op.service.name, kind))

        def respond(result: dict[str, Any], rid: str) -> Response:
            headers = [("Content-Type", CONTENT_TYPE), ("x-amzn-RequestId", rid)]
            initial = json.encode(convert(result))
            return Response(200, headers, writer.body(result.get(stream), initial, kind))

        return respond

    def element(self, path: str, value: dict[str, Any]) -> Rendered:
        return rendered_json(self._op, path, value)


def rendered_json(op: OperationModel, path: str, value: dict[str, Any]) -> Rendered:
    """`Codec.element` of the JSON protocols."""
    import msgspec

    shape = shape_at(op, path)
    writer = json.Writer(op.service.name)
    [convert] = writer.build(shape)
    return Rendered(msgspec.Raw(json.encode(convert(value))), writer.key(shape))
