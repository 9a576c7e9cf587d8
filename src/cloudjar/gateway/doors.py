"""Requests that are no operation: told apart here, handed to the services' doors (`kit.doors`)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from cloudjar.auth import checksums, post_policy
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.gateway.body import MAX_BODY, BodyPolicy
from cloudjar.gateway.inflow import Sink
from cloudjar.kit import doors
from cloudjar.kit.context import World
from cloudjar.planes.objects.port import Hash
from cloudjar.wire import form_upload, host
from cloudjar.wire.message import Request, Response
from cloudjar.wire.route import detect

if TYPE_CHECKING:
    from cloudjar.gateway.pipeline import Pipeline

log = logging.getLogger("cloudjar.doors")

_FORM = "multipart/form-data"
_LINKS = ("Action=ConfirmSubscription&", "Action=Unsubscribe&")
_MAIL_LINK = "Action=ConfirmEmailIdentity&"
_CERTIFICATE = "/SimpleNotificationService-"


def kind_of(request: Request) -> doors.Kind | None:
    """What a request is that is no operation; None for most. A website under a name of its own is only a guess."""
    headers = request.headers
    method = request.method
    if method == "POST":
        unsigned = "authorization" not in headers and "X-Amz-Signature" not in request.query
        return "form" if unsigned and headers.get("content-type", "").startswith(_FORM) else None
    if method == "OPTIONS":
        return "preflight" if "access-control-request-method" in headers and "origin" in headers else None
    if method == "GET" and "authorization" not in headers:
        if request.path == "/" and request.query.startswith(_MAIL_LINK):
            return "mail link"
        if _is_link(request):
            return "link"
    name = headers.get("host", "")
    at = host.read(name)
    if at.kind == "website":
        return "website"
    if method == "GET" and request.path.startswith((doors.OFFERS, doors.INVOICES)):
        return "offer file" if request.path.startswith(doors.OFFERS) else "invoice document"
    if method in ("GET", "HEAD") and not any(at) and "authorization" not in headers and _is_name(name):
        return "website"
    return None


def _is_link(request: Request) -> bool:
    """What messages ask their readers to follow, without a signature."""
    if request.path.startswith(_CERTIFICATE):
        return True
    return request.path == "/" and request.query.startswith(_LINKS) and "X-Amz-Signature" not in request.query


def _is_name(address: str) -> bool:
    """A name under some domain: no address, nothing of this machine."""
    name = address.partition(":")[0]
    return "." in name and not name.replace(".", "").isdecimal() and not name.endswith(".localhost")


class ServiceDoors:
    """Answers them; `sink` makes a place for the files of forms."""

    def __init__(self, world: World, pipeline: Pipeline, sink: Callable[[Mapping[str, Hash]], Sink]) -> None:
        self._world = world
        self._pipeline = pipeline
        self._sink = sink

    def policy(self, request: Request) -> BodyPolicy | None:
        """How the body of a form with a file is read: the file goes to where it is kept. Raises AwsError."""
        if request.method != "POST" or kind_of(request) != "form":
            return None
        decoder = form_upload.FormDecoder(form_upload.boundary(request.headers["content-type"]), post_policy.most)
        request.attached = decoder
        hashes = {"crc64nvme": checksums.checksum("crc64nvme")}
        return BodyPolicy(max_size=MAX_BODY, decoder=decoder, sink=partial(self._sink, hashes))

    def __call__(self, request: Request) -> Response | Awaitable[Response] | None:
        """The answer; None for an ordinary request."""
        kind = kind_of(request)
        door = doors.opened(self._world, kind) if kind is not None else None
        if door is None:
            return None
        try:
            return door(self._world, request, self._pipeline, ids.request_id())
        except AwsError as error:
            return self._pipeline.refuse(request, error)
        except Exception:
            log.exception("%s %s failed", kind, request.path)
            return self._pipeline.refuse(request, AwsError("InternalError", "An internal error has occurred.", 500))

    def refuse(self, request: Request, error: AwsError) -> Response:
        """The answer to a request whose body is not taken; a page may read it as any other."""
        answer = self._pipeline.refuse(request, error)
        name = _bucket(request) if "origin" in request.headers else ""
        if name:
            doors.finish(self._world, request, name, answer)
        return answer

    def finished(
        self, request: Request, answer: Response | Awaitable[Response]
    ) -> Response | Awaitable[Response]:
        """An answer with what a browser wants to know beside it."""
        if not isinstance(answer, Response):
            return self._finished_later(request, answer)
        name = _bucket(request)
        if name:
            doors.finish(self._world, request, name, answer)
        return answer

    async def _finished_later(self, request: Request, answer: Awaitable[Response]) -> Response:
        response = self.finished(request, await answer)
        return response if isinstance(response, Response) else await response


def _bucket(request: Request) -> str:
    """The bucket that a request names, if it is one to S3."""
    at = host.read(request.headers.get("host", ""))
    if at.kind == "website":
        return at.bucket
    if kind_of(request) == "form":  # is no operation, so that no route says it
        return at.bucket or at.local_labels or request.path.lstrip("/").partition("/")[0]
    try:
        route = detect(request)
    except AwsError:
        return ""
    return route.uri_params.get("Bucket", "") if route.service == "s3" else ""
