"""Browsers' uploads: a form with a signed policy becomes a PutObject of who signed it.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode

from cloudjar.auth import post_policy
from cloudjar.auth.authenticate import Authenticator
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import World
from cloudjar.kit.doors import Ask, door
from cloudjar.services.s3 import errors
from cloudjar.wire import host
from cloudjar.wire.form_upload import FormDecoder, malformed
from cloudjar.wire.message import Request, Response
from cloudjar.wire.xml_write import escape

MARK = ":form"
"""A header that no client can send: the request was a form."""

_PLAIN = ("cache-control", "content-disposition", "content-encoding", "content-type", "content-md5", "expires")
_NOT_HEADERS = frozenset(
    ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token")
)
_TAG = re.compile(r"<Key>(.*?)</Key>\s*<Value>(.*?)</Value>", re.DOTALL)


class Form(NamedTuple):
    """A form as it came: the bucket it was sent to, the object's key, its fields by lower-case name."""

    bucket: str
    key: str
    fields: Mapping[str, str]


@door("form")
def upload(
    world: World, request: Request, ask: Ask, _request_id: str
) -> Response | Awaitable[Response] | None:
    """The answer to a form; None when it is not for S3."""
    decoder = request.attached
    if not isinstance(decoder, FormDecoder):
        raise malformed()
    form = _form(request, decoder)
    put = _as_put(request, form)
    signed = post_policy.signature(form.fields)
    if signed is not None:
        authenticator: Authenticator = world.ports["authenticate"]
        put.attached = authenticator.verify_form(request, signed, form.fields["policy"])
        shown = {**form.fields, "key": form.key, "bucket": form.bucket}
        limits = post_policy.check(form.fields["policy"], shown, world.clock.real())
        post_policy.check_size(_size(request), limits)
    answer = ask(put)
    if isinstance(answer, Response):
        return _told(request, form, answer)
    return _told_later(request, form, answer)


def _form(request: Request, decoder: FormDecoder) -> Form:
    at = host.read(request.headers.get("host", ""))
    bucket = at.bucket or at.local_labels
    rest = request.path.strip("/")
    if not bucket:
        bucket, _, rest = rest.partition("/")
    if rest or not bucket:
        raise AwsError(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            405,
            members={"Method": "POST", "ResourceType": "OBJECT" if bucket else "SERVICE"},
        )
    if not decoder.fields.get("key"):
        raise post_policy.lacking("key")
    return Form(bucket, decoder.fields["key"].replace("${filename}", decoder.filename), decoder.fields)


def _size(request: Request) -> int:
    return len(request.body) if isinstance(request.body, bytes) else request.body.size


def _as_put(request: Request, form: Form) -> Request:
    headers = {
        name: value
        for name, value in form.fields.items()
        if name in _PLAIN or (name.startswith("x-amz-") and name not in _NOT_HEADERS)
    }
    if "acl" in form.fields:
        headers["x-amz-acl"] = form.fields["acl"]
    if "tagging" in form.fields:
        headers["x-amz-tagging"] = _tagging(form.fields["tagging"])
    for name in ("user-agent", "referer"):
        if name in request.headers:
            headers[name] = request.headers[name]
    headers |= {MARK: "POST", "host": "localhost", "content-length": str(_size(request))}
    path = f"/{quote(form.bucket, safe='')}/{quote(form.key, safe='/')}"
    put = Request(
        "PUT",
        path,
        "",
        {name: _on_the_wire(value) for name, value in headers.items()},
        request.body,
        peer=request.peer,
        secure=request.secure,
        trusted=request.trusted,
        vpc=request.vpc,
        vpce=request.vpce,
        tls=request.tls,
    )
    put.decoded = request.decoded
    return put


def _on_the_wire(text: str) -> str:
    """Text of a form as text of a header: its bytes as Latin-1."""
    return text.encode().decode("latin-1")


def _tagging(text: str) -> str:
    """The tags of a form, which are XML, as the header that PutObject takes."""
    found = _TAG.findall(text)
    if not found and "<TagSet" not in text:
        raise errors.malformed_xml()
    return urlencode(found)


async def _told_later(request: Request, form: Form, answer: Awaitable[Response]) -> Response:
    return _told(request, form, await answer)


def _told(request: Request, form: Form, answer: Response) -> Response:
    """What the form wants to hear of its success: a redirect, a status, a document."""
    if answer.status != 200:
        return answer
    etag = next((value for name, value in answer.headers if name.lower() == "etag"), "")
    place = _location(request, form)
    headers = [*answer.headers, ("Location", place)]
    target = form.fields.get("success_action_redirect") or form.fields.get("redirect")
    if target and re.match(r"https?://", target):
        query = urlencode({"bucket": form.bucket, "key": form.key, "etag": etag})
        joined = f"{target}{'&' if '?' in target else '?'}{query}"
        return Response(303, [*answer.headers, ("Location", _on_the_wire(joined))])
    match form.fields.get("success_action_status"):
        case "200":
            return Response(200, headers)
        case "201":
            text = (
                '<?xml version="1.0" encoding="UTF-8"?>\n'
                f"<PostResponse><Location>{escape(place)}</Location><Bucket>{escape(form.bucket)}</Bucket>"
                f"<Key>{escape(form.key)}</Key><ETag>{escape(etag)}</ETag></PostResponse>"
            )
            return Response(201, [*headers, ("Content-Type", "application/xml")], text.encode())
    return Response(204, headers)


def _location(request: Request, form: Form) -> str:
    """The object's address, under the name by which the form came."""
    scheme = "https" if request.secure else "http"
    name = request.headers.get("host", "localhost")
    at = host.read(name)
    path = quote(form.key, safe="")
    return f"{scheme}://{name}/{path}" if at.bucket or at.local_labels else f"{scheme}://{name}/{form.bucket}/{path}"
