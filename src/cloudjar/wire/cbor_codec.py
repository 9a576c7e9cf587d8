"""Smithy's rpc-v2-cbor: CBOR in, CBOR out, the operation in the path."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudjar.spec.models import OperationModel, Shape
from cloudjar.wire import cbor, json
from cloudjar.wire.eventstream import CONTENT_TYPE, EventReader, EventWriter, Format
from cloudjar.wire.half import Parse, Respond, shape_at
from cloudjar.wire.json_codec import body_shape
from cloudjar.wire.message import Request, Response
from cloudjar.wire.rendered import Rendered
from cloudjar.wire.rest import whole

CBOR = "application/cbor"


def event_format(service: str) -> Format:
    """How events are spelled by rpc-v2-cbor."""

    def write(shape: Shape) -> Any:
        [convert] = _writer(service).build(shape)
        return lambda value: cbor.encode(convert(value))

    def read(shape: Shape) -> Any:
        [convert] = json.Reader(service, cbor=True).build(shape)
        return lambda data: convert(cbor.decode(data))

    return Format(CBOR, write, read)


def _writer(service: str) -> json.Writer:
    return json.Writer(service, cbor=True, encoder=cbor.encode, numbers=cbor.doubles)


class CborCodec:
    """One operation in ``smithy-rpc-v2-cbor``."""

    def __init__(self, op: OperationModel) -> None:
        self._op = op

    def parser(self) -> Parse:
        op = self._op
        if op.input is None:
            return lambda _request, _labels: {}
        [read] = json.Reader(op.service.name, cbor=True).build(body_shape(op.input))
        stream = op.event_stream_input
        if stream:
            return self._stream_parser(stream, op.input, read)

        def parse(request: Request, _: dict[str, str]) -> dict[str, Any]:
            body = whole(request)
            found: dict[str, Any] = read(cbor.decode(body) if body else {})
            return found

        return parse

    def _stream_parser(self, stream: str, shape: Shape, read: Any) -> Parse:
        events = EventReader(shape.members[stream], event_format(self._op.service.name))

        def parse(request: Request, _: dict[str, str]) -> dict[str, Any]:
            found: dict[str, Any] = {}
            chunks = [request.body] if isinstance(request.body, bytes) else request.body.chunks()
            found[stream] = events.events(chunks, lambda data: found.update(read(cbor.decode(data))))
            return found

        return parse

    def responder(self) -> Respond:
        op = self._op
        if op.output is None:
            return lambda _, rid: Response(200, _headers("", rid), b"")
        [convert] = _writer(op.service.name).build(body_shape(op.output))
        stream = op.event_stream_output
        if not stream:
            return lambda result, rid: Response(200, _headers(CBOR, rid), cbor.encode(convert(result)))
        writer = EventWriter(op.output.members[stream], event_format(op.service.name))

        def respond(result: dict[str, Any], rid: str) -> Response:
            frames = writer.body(result.get(stream), cbor.encode(convert(result)), CBOR)
            return Response(200, _headers(CONTENT_TYPE, rid), frames)

        return respond

    def element(self, path: str, value: dict[str, Any]) -> Rendered:
        shape = shape_at(self._op, path)
        writer = _writer(self._op.service.name)
        [convert] = writer.build(shape)
        return Rendered(msgspec.Raw(cbor.encode(convert(value))), writer.key(shape))


def _headers(content_type: str, request_id: str) -> list[tuple[str, str]]:
    headers = [("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-RequestId", request_id)]
    if content_type:
        headers.append(("Content-Type", content_type))
    return headers
