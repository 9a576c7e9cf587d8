"""Where SES's SMTP endpoint listens. What speaks the protocol is imported with the first client."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from cloudjar.auth.authenticate import Authenticator
from cloudjar.base.settings import is_loopback
from cloudjar.gateway.pipeline import Pipeline
from cloudjar.kit import names
from cloudjar.kit.context import World
from cloudjar.spec.regions import regions
from cloudjar.store.database import Database

if TYPE_CHECKING:
    from cloudjar.gateway.smtp import Client, Office

log = logging.getLogger("cloudjar.smtp")

PORT, WRAPPED = 2587, 2465
"""As on AWS, beside 587 and 465, which are the host's own: the second speaks TLS from the first byte."""
NOWHERE = -1
_WRAPPED = (465, WRAPPED)


def _endpoint(world: World, vpc_id: str, name: str) -> tuple[str, ...]:
    """Where guests find the endpoint of a region; an interface endpoint of theirs comes first."""
    network = world.ports.get("network")
    return (network.host_address,) if network is not None and name in _NAMES else ()


_NAMES = frozenset(f"email-smtp.{region.name}.amazonaws.com" for region in regions())
for _name in _NAMES:
    names.resolves(_name)(_endpoint)


class Door:
    """At most two listening sockets, and their clients: at most so many, each silent for `patience` seconds at most.

    What is `trusted` (on loopback) may show the default credentials.
    """

    def __init__(
        self, pipeline: Pipeline, authenticator: Authenticator, database: Database, tls: Callable[[], ssl.SSLContext]
    ) -> None:
        self._parts = (pipeline, authenticator, database, tls)
        self._servers: list[asyncio.AbstractServer] = []
        self.clients: set[Client] = set()
        self.patience, self.most = 120.0, 100
        self.trusted = False
        self.url = ""
        """``smtp://address:port`` while it listens."""
        self.wrapped_url = ""
        """``smtps://address:port`` likewise."""

    @cached_property
    def office(self) -> Office:
        """Who does what clients ask for."""
        from cloudjar.gateway.smtp import Office

        return Office(*self._parts)

    async def listen(self, host: str, port: int | None, wrapped: int | None = NOWHERE) -> None:
        """Listen, and at `wrapped` for who speaks TLS from the first byte; port 0 is a free one, -1 nowhere. Who did
        not ask for one (None) gets the usual one, or goes without when another jar has it. Raises OSError."""
        self.trusted = is_loopback(host)
        if at := await self._open(host, port, PORT, "--smtp-port"):
            self.url = f"smtp://{host}:{at}"
        if at := await self._open(host, wrapped, WRAPPED, "--smtps-port"):
            self.wrapped_url = f"smtps://{host}:{at}"

    async def listen_to_guests(self, host: str, ports: Iterable[int]) -> tuple[int, ...]:
        """Listen at the address at which guests find the endpoint, at each of these ports that is free: which they are.
        Guests may come to no other: somebody of the host's may listen there."""
        self.trusted = False
        found: list[int] = []
        for port in ports:
            try:
                found.append(await self._bind(host, port, wrapped=port in _WRAPPED))
            except OSError as error:
                log.warning("guests find no SMTP endpoint at port %d: %s", port, error)
        return tuple(found)

    async def _open(self, host: str, port: int | None, usual: int, option: str) -> int:
        if port == NOWHERE:
            return 0
        try:
            return await self._bind(host, usual if port is None else port, wrapped=usual == WRAPPED)
        except OSError as error:
            if port is not None:
                raise
            log.warning("no SMTP endpoint: %s; %s names another port", error, option)
            return 0

    async def _bind(self, host: str, port: int, *, wrapped: bool) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(partial(self._client, wrapped=wrapped), host, port, backlog=64)
        self._servers.append(server)
        found: int = server.sockets[0].getsockname()[1]
        return found

    def _client(self, *, wrapped: bool) -> asyncio.Protocol:
        from cloudjar.gateway.smtp import Client

        return Client(self, wrapped=wrapped)

    async def close(self) -> None:
        """Listen no more; who is still here is sent away."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        for client in list(self.clients):
            client.abort()
        for server in servers:
            await server.wait_closed()
