"""The door: health and the admin API first, then AWS. CORS is answered here for browsers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cloudjar.auth.authenticate import Authenticator
from cloudjar.auth.chunked import is_chunked
from cloudjar.base.errors import AwsError
from cloudjar.gateway.admin import Admin
from cloudjar.gateway.body import BodyPolicy
from cloudjar.gateway.doors import ServiceDoors
from cloudjar.gateway.uploads import Uploads
from cloudjar.wire.message import Request, Response
from cloudjar.wire.websocket import is_upgrade

_PLAIN = BodyPolicy(max_size=64 << 20)
_GZIPPED = BodyPolicy(max_size=16 << 20, gunzip=True)

Handler = Callable[[Request], Response | Awaitable[Response]]


class Front:
    """Sends a request to the admin API or to the pipeline, and one for a WebSocket to its door."""

    def __init__(
        self,
        pipeline: Handler,
        admin: Admin,
        authenticator: Authenticator,
        uploads: Uploads,
        doors: ServiceDoors,
        streams: Handler | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._streams = streams
        self._admin = admin
        self._authenticator = authenticator
        self._uploads = uploads
        self._doors = doors

    def on_headers(self, request: Request) -> BodyPolicy | None:
        """Before a body is read: how to decode it, and whether who sends it may. May raise `AwsError`."""
        headers = request.headers
        if request.method != "POST" or "authorization" not in headers:  # neither an upload nor a form
            upload = self._uploads.policy(request) or self._doors.policy(request)
            if upload is not None:
                return upload
        if is_chunked(request):
            return BodyPolicy(decoder=self._authenticator.begin_chunked(request))
        if "/s3/aws4_request" in headers.get("authorization", ""):
            return None
        # An S3 object may be gzip and stays so; elsewhere it is only how the request travels.
        return _GZIPPED if headers.get("content-encoding") == "gzip" else _PLAIN

    def refuse(self, request: Request, error: AwsError) -> Response:
        """The answer to a request that failed while its body came."""
        return self._doors.refuse(request, error)

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        if "upgrade" in request.headers and self._streams is not None and is_upgrade(request.headers):
            if request.path.startswith("/_cloudjar/") and not self._admin.may(request):
                return Response(403)
            return self._streams(request)
        if request.path.startswith(("/_cloudjar/", "/_localstack/")) or request.path == "/health":
            return self._admin(request)
        answer = None
        if request.method != "POST" or "authorization" not in request.headers:  # signed so, it comes to no other door
            answer = self._doors(request)
        if answer is None and request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return _preflight(request)
        if answer is None:
            answer = self._pipeline(request)
        return self._doors.finished(request, answer) if "origin" in request.headers else answer


def _preflight(request: Request) -> Response:
    """A browser on this machine may call the API; it still has to sign."""
    origin = request.headers.get("origin", "*")
    if not request.trusted:
        return Response(403)
    return Response(
        204,
        [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"),
            ("Access-Control-Allow-Headers", request.headers.get("access-control-request-headers", "*")),
            ("Access-Control-Expose-Headers", "ETag, x-amzn-RequestId, x-amz-request-id, x-amz-version-id"),
            ("Access-Control-Max-Age", "600"),
        ],
    )
