"""The API at VPC endpoints: sockets that the network plane opens inside VPCs, served like the gateway's own.

A request that comes by one knows its VPC and its endpoint (aws:SourceVpc, aws:SourceVpce), and its peer is the
caller's private address (aws:VpcSourceIp). Default credentials are not for guests.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from concurrent.futures import Future

from cloudjar.gateway.server import Listener, Server, TlsSource

log = logging.getLogger("cloudjar.gateway")


class VpcEndpoints:
    """The network plane's `EndpointSource`. Called from any thread; serves on the server's loop."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._served: tuple[Server, asyncio.AbstractEventLoop, TlsSource | None] | None = None
        self._waiting: list[tuple[str, str, int]] = []
        """(VPC, endpoint, descriptor) of what was attached before there was a server."""
        self._listeners: dict[str, list[Future[Listener]]] = {}

    def serve_on(self, server: Server, loop: asyncio.AbstractEventLoop, tls: TlsSource | None) -> None:
        """Begin to serve, also what was attached before."""
        with self._turn:
            self._served = (server, loop, tls)
            waiting, self._waiting = self._waiting, []
        for vpc_id, endpoint_id, fd in waiting:
            self.attach(vpc_id, endpoint_id, fd)

    def attach(self, vpc_id: str, endpoint_id: str, listener: int) -> None:
        """Serve the API on a listening socket of an endpoint."""
        with self._turn:
            if self._served is None:
                self._waiting.append((vpc_id, endpoint_id, listener))
                return
            server, loop, tls = self._served
            opened = asyncio.run_coroutine_threadsafe(
                server.listen(fd=listener, trusted=False, tls=tls, vpc=vpc_id, vpce=endpoint_id), loop
            )
            self._listeners.setdefault(endpoint_id, []).append(opened)
        opened.add_done_callback(lambda future: _complain(endpoint_id, future))

    def detach(self, endpoint_id: str) -> None:
        """Stop serving an endpoint."""
        with self._turn:
            for _, _, fd in (w for w in self._waiting if w[1] == endpoint_id):
                os.close(fd)
            self._waiting = [w for w in self._waiting if w[1] != endpoint_id]
            gone = self._listeners.pop(endpoint_id, [])
            loop = self._served[1] if self._served else None
        for opened in gone:
            if loop is not None and not loop.is_closed():
                opened.add_done_callback(lambda future: loop.call_soon_threadsafe(_close, future))


def _complain(endpoint_id: str, future: Future[Listener]) -> None:
    if not future.cancelled() and future.exception() is not None:
        log.error("nobody answers at %s: %s", endpoint_id, future.exception())


def _close(future: Future[Listener]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
