"""The instance metadata service, versions 1 and 2, at 169.254.169.254 inside every VPC.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import re
from concurrent.futures import Future
from typing import Any

from cloudjar.base.clock import Clock
from cloudjar.gateway.server import Listener, Server
from cloudjar.kit.context import World
from cloudjar.kit.guests import Guest, Tree, guest
from cloudjar.wire.message import Request, Response

log = logging.getLogger("cloudjar.imds")

_TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds"
_TOKEN_HEADER = "x-aws-ec2-metadata-token"
_MAX_TTL = 21600
_SEALED_FOR = "instance metadata token"
_VERSION = re.compile(r"latest|1\.0|20\d\d-\d\d-\d\d")


class Metadata:
    """Answers guests; also the network plane's `MetadataSource`: sockets come from it, opened inside the VPCs."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock
        self._server = Server(self.answer, now=clock.now)  # guests learn AWS's time here
        self._listeners: dict[str, Listener] = {}
        self._waiting: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- sockets
    def serve_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to serve, also what was attached before there was a loop."""
        self._loop = loop
        waiting, self._waiting = self._waiting, {}
        for vpc_id, fd in waiting.items():
            self.attach(vpc_id, fd)

    def attach(self, vpc_id: str, listener: int) -> None:
        """Serve on a listening socket of a VPC (called from the reconcilers' threads)."""
        if self._loop is None:
            self._waiting[vpc_id] = listener
            return
        opened = asyncio.run_coroutine_threadsafe(
            self._server.listen(fd=listener, trusted=False, vpc=vpc_id), self._loop
        )
        opened.add_done_callback(lambda future: self._opened(vpc_id, future))

    def _opened(self, vpc_id: str, future: Future[Listener]) -> None:
        if future.exception() is not None:
            log.error("no metadata for %s: %s", vpc_id, future.exception())
            return
        self._listeners[vpc_id] = future.result()

    def detach(self, vpc_id: str) -> None:
        """Stop serving a VPC."""
        fd = self._waiting.pop(vpc_id, None)
        if fd is not None:
            os.close(fd)
        listener = self._listeners.pop(vpc_id, None)
        if listener is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(listener.close)

    async def close(self) -> None:
        """Stop serving."""
        await self._server.close()

    # -- answers
    def answer(self, request: Request) -> Response:
        """One question of a guest."""
        who = guest(self._world, request.vpc, request.peer)
        if who is None or not who.enabled:
            return _plain(403 if who is not None else 404, "Forbidden" if who is not None else "Not Found")
        if request.path.rstrip("/") == "/latest/api/token":
            return self._token(request, who)
        if request.method not in ("GET", "HEAD"):
            return _plain(405, "Method Not Allowed")
        token = request.headers.get(_TOKEN_HEADER)
        if (token is None and who.tokens_required) or (token is not None and not self._valid(token, who)):
            return _plain(401, "Unauthorized")
        return _look_up(request.path, who, with_token=token is not None)

    def _token(self, request: Request, who: Guest) -> Response:
        if request.method != "PUT":
            return _plain(405, "Method Not Allowed")
        if "x-forwarded-for" in request.headers:
            return _plain(403, "Forbidden")
        ttl = request.headers.get(_TTL_HEADER, "")
        if not ttl.isdecimal() or not 1 <= int(ttl) <= _MAX_TTL:
            return _plain(400, "Bad Request")
        expires = int(self._clock.now().timestamp()) + int(ttl)
        # Sealed rather than remembered: a guest's token outlives this server.
        token = self._world.sealer.seal(f"{expires}".encode(), f"{_SEALED_FOR} {who.instance_id}")
        response = _plain(200, base64.urlsafe_b64encode(token))
        response.headers.append((_TTL_HEADER, ttl))
        response.hop_limit = who.hop_limit
        return response

    def _valid(self, token: str, who: Guest) -> bool:
        try:
            sealed = base64.urlsafe_b64decode(token.encode())
        except ValueError:
            return False
        expires = self._world.sealer.open(sealed, f"{_SEALED_FOR} {who.instance_id}")
        return expires is not None and int(expires) > self._clock.now().timestamp()


def _look_up(path: str, who: Guest, *, with_token: bool) -> Response:
    parts = [part for part in path.split("/") if part]
    if not parts:
        return _plain(200, "latest")
    if not _VERSION.fullmatch(parts[0]):
        return _not_found()
    node: Any = who.tree(with_token)
    for part in parts[1:]:
        if not isinstance(node, dict) or part not in node:
            return _not_found()
        node = node[part]
    if isinstance(node, dict):
        return _plain(200, _listing(node))
    value = node() if callable(node) else node
    return _not_found() if value is None else _plain(200, value)


def _listing(node: Tree) -> str:
    return "\n".join(f"{name}/" if isinstance(node[name], dict) else name for name in sorted(node))


def _not_found() -> Response:
    page = '<?xml version="1.0" encoding="iso-8859-1"?>\n<html><body><h1>404 - Not Found</h1></body></html>\n'
    return Response(404, [("Content-Type", "text/html")], page.encode())


def _plain(status: int, text: str | bytes) -> Response:
    body = text.encode() if isinstance(text, str) else text
    return Response(status, [("Content-Type", "text/plain"), ("Server", "EC2ws")], body)
