"""The query and ec2 protocols: form in, XML out."""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.spec.models import OperationModel, from_description
from cloudjar.wire import form
from cloudjar.wire.half import Parse, Respond, shape_at
from cloudjar.wire.message import Request, Response
from cloudjar.wire.query import QueryReader, UnknownParameter, unknown_name
from cloudjar.wire.rendered import Rendered, xml_text
from cloudjar.wire.rest import whole
from cloudjar.wire.xml_write import XmlWriter, attribute

_XML = "text/xml"
_EC2_XML = "text/xml;charset=UTF-8"
_PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'


_NO_INPUT: dict[str, Any] = {
    "metadata": {"protocol": "query"},
    "operations": {},
    "shapes": {"Nothing": {"type": "structure", "members": {}}},
}


def parameters(request: Request) -> dict[str, Any]:
    """The tree of a query request: the body's parameters over those of the URL."""
    flat = form.flat(whole(request))
    if request.query:
        flat = {**form.flat(request.query), **flat}
    return form.tree(flat)


class QueryCodec:
    """One operation in ``query`` or ``ec2``."""

    def __init__(self, op: OperationModel, protocol: str) -> None:
        self._op = op
        self._protocol = protocol

    def parser(self) -> Parse:
        op = self._op
        ec2 = self._protocol == "ec2"
        empty = from_description("", _NO_INPUT).shape("Nothing")  # an operation without input is still read
        read = QueryReader(op.service.name, ec2).build(op.input or empty)

        def parse(request: Request, _: dict[str, str]) -> dict[str, Any]:
            return read(parameters(request))

        def parse_ec2(request: Request, _: dict[str, str]) -> dict[str, Any]:
            tree = parameters(request)
            try:
                return read(tree)
            except UnknownParameter:
                name = unknown_name(op.input, tree)
                raise AwsError("UnknownParameter", f"The parameter {name} is not recognized", 400) from None

        return parse_ec2 if ec2 else parse

    def _writer(self) -> XmlWriter:
        return XmlWriter(self._op.service.name, self._protocol, exact_millis=self._protocol == "ec2")

    def responder(self) -> Respond:
        return self._ec2_responder() if self._protocol == "ec2" else self._query_responder()

    def _query_responder(self) -> Respond:
        op = self._op
        name = op.name
        namespace = op.service.xml_namespace
        head = f'<{name}Response xmlns="{attribute(namespace)}">' if namespace else f"<{name}Response>"
        middle = "<ResponseMetadata><RequestId>"
        tail = f"</RequestId></ResponseMetadata></{name}Response>"
        if op.output is None:
            return lambda _, rid: _answer(_XML, rid, f"{head}{middle}{rid}{tail}")
        wrapper = op.output.result_wrapper or f"{name}Result"
        head += f"<{wrapper}>"
        middle = f"</{wrapper}>{middle}"
        writer = self._writer()
        root = writer.root(op.output)
        writer.build()
        write = root()

        def respond(result: dict[str, Any], rid: str) -> Response:
            parts = [head]
            write(result, parts.append)
            parts.append(f"{middle}{rid}{tail}")
            return _answer(_XML, rid, "".join(parts))

        return respond

    def _ec2_responder(self) -> Respond:
        op = self._op
        head = (
            f'{_PROLOGUE}<{op.name}Response xmlns="http://ec2.amazonaws.com/doc/{op.service.api_version}/"><requestId>'
        )
        tail = f"</{op.name}Response>"
        if op.output is None:
            return lambda _, rid: _answer(_EC2_XML, rid, f"{head}{rid}</requestId><return>true</return>{tail}")
        writer = self._writer()
        root = writer.root(op.output)
        writer.build()
        write = root()

        def respond(result: dict[str, Any], rid: str) -> Response:
            parts = [f"{head}{rid}</requestId>"]
            write(result, parts.append)
            parts.append(tail)
            return _answer(_EC2_XML, rid, "".join(parts))

        return respond

    def element(self, path: str, value: dict[str, Any]) -> Rendered:
        shape = shape_at(self._op, path)
        writer = self._writer()
        root = writer.root(shape)
        writer.build()
        key = writer.key(shape)
        return Rendered(xml_text(value, key, root()), key)


def _answer(content_type: str, request_id: str, text: str) -> Response:
    return Response(200, [("Content-Type", content_type), ("x-amzn-RequestId", request_id)], text.encode())
