"""One operation in one protocol: request bytes -> dict, dict -> response bytes.

`codec(op, protocol)` compiles at first use and remembers. Dicts are in AWS's own spelling: timestamps are
aware UTC datetimes, blobs bytes, absent members absent; in answers a None is absent too, timestamps may
also be epoch seconds, and a structure may be a `View` or `Rendered` (see `cloudjar.wire.rendered`).
A blob payload comes as `Request.body` is (bytes, or `message.Body` when it was too large to hold), and is
absent when empty; in answers it may be bytes or an iterable of bytes.
Event streams: in a request an iterator of ``{"Event": {...}}``; in an answer an iterable of the same.
"""

from __future__ import annotations

from typing import Any

from cloudjar.spec.models import OperationModel
from cloudjar.wire.half import Half, Parse, Respond
from cloudjar.wire.message import Request
from cloudjar.wire.rendered import Rendered, View
from cloudjar.wire.values import Malformed

__all__ = ["PROTOCOLS", "Codec", "Rendered", "View", "codec"]

PROTOCOLS = ("query", "ec2", "json", "rest-json", "rest-xml", "smithy-rpc-v2-cbor")


class Codec:
    """Ready functions of one operation in one protocol.

    `parse(request, uri_params)` gives the dict or raises the protocol's `AwsError`;
    `respond(result, request_id)` gives the response.
    """

    __slots__ = ("_half", "_parse", "_respond", "op", "protocol")

    def __init__(self, op: OperationModel, protocol: str, half: Half) -> None:
        self.op = op
        self.protocol = protocol
        self._half = half
        self._parse: Parse | None = None
        self._respond: Respond | None = None

    @property
    def parse(self) -> Parse:
        if self._parse is None:
            self._parse = _guarded(self._half.parser(), self.op, self.protocol)
        return self._parse

    @property
    def respond(self) -> Respond:
        if self._respond is None:
            self._respond = self._half.responder()
        return self._respond

    def element(self, path: str, value: dict[str, Any]) -> Rendered:
        """Render the structure at `path` of the answer, members joined by dots through lists and maps:
        ``element("Reservations.Instances", {...})``. The result may stand wherever that structure may.
        KeyError: no such member.
        """
        return self._half.element(path, value)


def _guarded(parse: Parse, op: OperationModel, protocol: str) -> Parse:
    from cloudjar.wire.faults import malformed  # faults needs the writers, which only errors do

    def guarded(request: Request, uri_params: dict[str, str]) -> dict[str, Any]:
        try:
            return parse(request, uri_params)
        except Malformed as e:
            raise malformed(op.service, protocol, e) from None
        except RecursionError:
            raise malformed(op.service, protocol, Malformed("The request is nested too deeply")) from None

    return guarded


_made: dict[tuple[int, str], Codec] = {}


def codec(op: OperationModel, protocol: str) -> Codec:
    """The codec of an operation in one of its service's protocols. KeyError: no such protocol."""
    found = _made.get((id(op), protocol))
    if found is None or found.op is not op:
        found = _made[(id(op), protocol)] = Codec(op, protocol, _half(op, protocol))
    return found


def _half(op: OperationModel, protocol: str) -> Half:
    """Protocol modules are imported when somebody speaks the protocol."""
    match protocol:
        case "query" | "ec2":
            from cloudjar.wire.query_codec import QueryCodec

            return QueryCodec(op, protocol)
        case "json":
            from cloudjar.wire.json_codec import JsonCodec

            return JsonCodec(op)
        case "smithy-rpc-v2-cbor":
            from cloudjar.wire.cbor_codec import CborCodec

            return CborCodec(op)
        case "rest-json":
            from cloudjar.wire.rest_json import RestJsonCodec

            return RestJsonCodec(op)
        case "rest-xml":
            from cloudjar.wire.rest_xml import RestXmlCodec

            return RestXmlCodec(op)
    raise KeyError(protocol)
