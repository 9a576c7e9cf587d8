"""The door: health and the admin API first, then AWS. CORS is answered here for browsers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cloudjar.wire.message import Request, Response

Handler = Callable[[Request], Response | Awaitable[Response]]


class Front:
    """Sends a request to the admin API or to the pipeline."""

    def __init__(self, pipeline: Handler, admin: Handler) -> None:
        self._pipeline = pipeline
        self._admin = admin

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        if request.path.startswith(("/_cloudjar/", "/_localstack/")) or request.path == "/health":
            return self._admin(request)
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return _preflight(request)
        return self._pipeline(request)


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
