"""Where SES's SMTP endpoint listens. What speaks the protocol is imported with the first client."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from cloudjar.auth.authenticate import Authenticator
from cloudjar.base.settings import is_loopback
from cloudjar.gateway.pipeline import Pipeline
from cloudjar.store.database import Database

if TYPE_CHECKING:
    from cloudjar.gateway.smtp import Client, Office

log = logging.getLogger("cloudjar.smtp")

PORT = 2587
"""As on AWS, beside 587, which is the host's own."""
NOWHERE = -1


class Door:
    """At most one listening socket, and its clients: no more than `most`, each silent for `patience` seconds at most.

    What is `trusted` (on loopback) may show the default credentials.
    """

    def __init__(
        self, pipeline: Pipeline, authenticator: Authenticator, database: Database, tls: Callable[[], ssl.SSLContext]
    ) -> None:
        self._parts = (pipeline, authenticator, database, tls)
        self._server: asyncio.AbstractServer | None = None
        self.clients: set[Client] = set()
        self.patience, self.most = 120.0, 100
        self.trusted = False
        self.url = ""
        """``smtp://address:port`` while it listens."""

    @cached_property
    def office(self) -> Office:
        """Who does what clients ask for."""
        from cloudjar.gateway.smtp import Office

        return Office(*self._parts)

    async def listen(self, host: str, port: int | None) -> None:
        """Listen; port 0 is a free one, -1 nowhere. Who did not ask for one (None) gets the usual one, or goes without
        when another jar has it. Raises OSError."""
        if port == NOWHERE:
            return
        self.trusted = is_loopback(host)
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._client, host, PORT if port is None else port, backlog=64)
        except OSError as error:
            if port is not None:
                raise
            log.warning("no SMTP endpoint: %s; --smtp-port names another port", error)
            return
        self.url = f"smtp://{host}:{self._server.sockets[0].getsockname()[1]}"

    def _client(self) -> asyncio.Protocol:
        from cloudjar.gateway.smtp import Client

        return Client(self)

    async def close(self) -> None:
        """Listen no more; who is still here is sent away."""
        if self._server is not None:
            self._server.close()
            for client in list(self.clients):
                client.abort()
            await self._server.wait_closed()
