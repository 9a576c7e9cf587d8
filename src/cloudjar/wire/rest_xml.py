"""rest-xml: members in path, query, headers and an XML body (S3, CloudFront, Route 53)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudjar.spec.models import OperationModel, Shape
from cloudjar.wire import rest, xml_read
from cloudjar.wire.eventstream import CONTENT_TYPE, EventReader, EventWriter, Format, Frames
from cloudjar.wire.half import Parse, Respond, shape_at
from cloudjar.wire.message import Request, Response
from cloudjar.wire.rendered import Rendered, xml_text
from cloudjar.wire.rest_json import ReadBody, raw_answer, raw_payload
from cloudjar.wire.xml_write import XmlWriter, attribute, escape, namespace

XML = "application/xml"
_PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'

# The model does not say what S3 calls the root of an answer; the API reference's response syntaxes do.
_S3_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
_S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_CHECKSUMS = ("x-amz-checksum-", "x-amz-sdk-checksum-")
_OF_SIGNATURES = frozenset(
    f"x-amz-{name}"
    for name in (
        "algorithm", "content-sha256", "credential", "date", "expires", "security-token", "signature", "signedheaders",
    )
)  # fmt: skip


def host_id(request_id: str) -> str:
    """S3's extended request id (``x-amz-id-2``), derived from the request id."""
    from cloudjar.wire.values import base64

    return base64(f"cloudjar/{request_id}/s3".encode())


def request_headers(service: str, request_id: str) -> list[tuple[str, str]]:
    """The request id as the service names it: S3 has its own header."""
    if service in ("s3", "s3control"):
        return [("x-amz-request-id", request_id), ("x-amz-id-2", host_id(request_id))]
    return [("x-amzn-RequestId", request_id)]


class RestXmlCodec:
    """One operation in ``rest-xml``."""

    def __init__(self, op: OperationModel) -> None:
        self._op = op
        self._service = op.service.name

    def parser(self) -> Parse:
        shape = self._op.input
        if shape is None:
            return lambda _request, _labels: {}
        read_outside = rest.outside(shape, self._op.uri)
        read_body = self._body_reader(shape)
        hoists = self._service == "s3"

        def parse(request: Request, uri_params: dict[str, str]) -> dict[str, Any]:
            if hoists and "X-Amz-Signature=" in request.query:
                _lower(rest.query_lists(request.query), request.headers)
            out = read_outside(request, uri_params)
            if read_body is not None:
                read_body(request, out)
            return out

        return parse

    def _event_format(self) -> Format:
        def write(shape: Shape) -> Any:
            writer, tag = self._writer(), shape.location_name or shape.name
            root = writer.root(shape)
            writer.build()
            return lambda value: f"<{tag}>{xml_text(dict(value), writer.key(shape), root())}</{tag}>".encode()

        def read(shape: Shape) -> Any:
            reader = xml_read.XmlReader().reader(shape)
            return lambda data: reader(xml_read.decode(data))

        return Format("text/xml", write, read)

    def _body_reader(self, shape: Shape) -> ReadBody | None:
        if shape.payload:
            return self._payload_reader(shape.payload, shape.members[shape.payload])
        if not rest.body_members(shape):
            return None
        read = xml_read.XmlReader().reader(shape)

        def members(request: Request, out: dict[str, Any]) -> None:
            body = rest.whole(request)
            if body:
                out.update(read(xml_read.decode(body)))

        return members

    def _payload_reader(self, name: str, shape: Shape) -> ReadBody:
        if shape.eventstream:
            events = EventReader(shape, self._event_format())

            def stream(request: Request, out: dict[str, Any]) -> None:
                body = request.body
                out[name] = events.events([body] if isinstance(body, bytes) else body.chunks())

            return stream
        if shape.type in ("blob", "string"):
            return raw_payload(name, shape)
        read = xml_read.XmlReader().reader(shape)

        def structured(request: Request, out: dict[str, Any]) -> None:
            body = rest.whole(request)
            if body:
                out[name] = read(xml_read.decode(body))

        return structured

    def _writer(self) -> XmlWriter:
        return XmlWriter(self._service, "rest-xml", exact_millis=True)

    def responder(self) -> Respond:
        op = self._op
        shape = op.output
        service = self._service
        if shape is None:
            return lambda _, rid: Response(op.status, request_headers(service, rid), b"")
        put_headers = rest.header_writers(shape)
        # S3's model does not say that a part of an object is answered with 206: the handler does, in a name of its own.
        status = rest.status_member(shape) or "$status"
        write_body = self._body_writer(shape)

        def respond(result: dict[str, Any], rid: str) -> Response:
            headers = request_headers(service, rid)
            put_headers(result, headers)
            content_type, body = write_body(result)
            if content_type and not any(n.lower() == "content-type" for n, _ in headers):
                headers.append(("Content-Type", content_type))
            code = result.get(status)
            return Response(op.status if code is None else int(code), headers, body)

        return respond

    def _body_writer(self, shape: Shape) -> Callable[[dict[str, Any]], tuple[str, Any]]:
        if self._service == "s3" and self._op.name == "GetBucketLocation":
            return _bucket_location
        if shape.payload:
            return self._payload_writer(shape.payload, shape.members[shape.payload])
        if not rest.body_members(shape, answer=True):
            return lambda _result: ("", b"")
        return self._document(shape, self._root(shape), lambda result: result)

    def _payload_writer(self, name: str, member: Shape) -> Callable[[dict[str, Any]], tuple[str, Any]]:
        if member.eventstream:
            events = EventWriter(member, self._event_format())

            def framed(result: dict[str, Any]) -> tuple[str, Frames]:
                given = result.get(name) or ()
                return CONTENT_TYPE, Frames(events.frames(given, None, XML), blocks=getattr(given, "blocks", False))

            return framed
        if member.type in ("blob", "string"):
            kind = "text/plain" if member.type == "string" else "application/octet-stream"
            return lambda result: raw_answer(result.get(name), kind)
        return self._document(member, member.location_name or member.name, lambda result: result.get(name))

    def _root(self, shape: Shape) -> str:
        if self._service == "s3":
            return _S3_ROOTS.get(self._op.name) or shape.location_name or shape.name
        return shape.location_name or shape.name

    def _document(
        self, shape: Shape, root: str, pick: Callable[[dict[str, Any]], Any]
    ) -> Callable[[dict[str, Any]], tuple[str, Any]]:
        writer = self._writer()
        write = writer.root(shape)
        writer.build()
        function = write()
        key = writer.key(shape)
        uri = _S3_NAMESPACE if self._service == "s3" else self._op.service.xml_namespace
        declared = namespace(shape) or (f' xmlns="{attribute(uri)}"' if uri else "")
        attributes = [(n, m.location_name or n) for n, m in shape.members.items() if m.xml_attribute]
        head = f"{_PROLOGUE}<{root}{declared}"
        tail = f"</{root}>"

        def document(result: dict[str, Any]) -> tuple[str, Any]:
            value = pick(result)
            if value is None:
                return "", b""
            spelled = "".join(f' {w}="{attribute(value[n])}"' for n, w in attributes if value.get(n) is not None)
            return XML, f"{head}{spelled}>{xml_text(value, key, function)}{tail}".encode()

        return document

    def element(self, path: str, value: dict[str, Any]) -> Rendered:
        shape = shape_at(self._op, path)
        writer = self._writer()
        root = writer.root(shape)
        writer.build()
        key = writer.key(shape)
        return Rendered(xml_text(value, key, root()), key)


def _lower(query: dict[str, list[str]], headers: dict[str, str]) -> None:
    """Bring headers down that an SDK has hoisted into a presigned URL (``x-amz-acl``, ``x-amz-meta-...``). Checksums
    are left up there, as S3 leaves them: an SDK that presigns has no body yet, and states that of an empty one."""
    for name, values in query.items():
        low = name.lower()
        if low.startswith("x-amz-") and low not in _OF_SIGNATURES and not low.startswith(_CHECKSUMS):
            headers.setdefault(low, values[0].encode().decode("latin-1"))


def _bucket_location(result: dict[str, Any]) -> tuple[str, Any]:
    """The one answer whose root holds the text itself; us-east-1 is the empty element."""
    where = escape(result.get("LocationConstraint") or "")
    text = f'{_PROLOGUE}<LocationConstraint xmlns="{_S3_NAMESPACE}">{where}</LocationConstraint>'
    return XML, text.encode()
