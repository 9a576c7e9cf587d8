"""The test jar: a whole Cloudjar in this process, with its own store, a simulated clock and simulated planes,
answering real clients on a real socket.

It has two lives. *Steady* is one server from first call to last. *Reborn* drops everything in memory after every
call and reopens from disk, so every test is also a durability test.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import uvloop
from botocore.config import Config

from cloudjar.app import Jar
from cloudjar.base.clock import SimClock
from cloudjar.base.errors import AwsError
from cloudjar.base.settings import Settings
from cloudjar.gateway.server import Server
from cloudjar.planes.compute.sim import SimCompute
from cloudjar.planes.network.sim import SimNetwork
from cloudjar.planes.proxy.sim import SimProxy
from cloudjar.wire.message import Request

ACCOUNT = "000000000000"
SESSION = boto3.session.Session()
"""One for all clients: it keeps the models that it has read."""


class TestJar:
    """A jar under test, its host and its clock. The host (planes) outlives the server, as a real one does."""

    __test__ = False

    def __init__(self, home: Path, *, reborn: bool = False, throttle: bool = False) -> None:
        self.home = home
        self._throttle = throttle
        self.reborn = reborn
        self.clock = SimClock()
        self.network = SimNetwork()
        self.host = SimCompute()
        self.proxy = SimProxy()
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="test-jar", daemon=True)
        self._thread.start()
        self._server: Server | None = None
        self.port = 0
        self.jar = self._open()

    def _open(self) -> Jar:
        settings = Settings(home=self.home, planes="sim", durable=False, throttle=self._throttle)
        jar = Jar(settings, clock=self.clock, network=self.network, compute=self.host, proxy=self.proxy)
        self.on_loop(self._adopt(jar))
        return jar

    async def _adopt(self, jar: Jar) -> None:
        jar.run_on(asyncio.get_running_loop())
        jar.boot()

    def on_loop(self, coroutine: Any) -> Any:
        """Run a coroutine on the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def start(self) -> None:
        """Listen on a free loopback port."""

        async def listen() -> None:
            self._server = Server(
                self._answer,
                on_headers=self._on_headers,
                on_error=self._on_error,
                folder=self.home,
                shells=self.jar.shells,
            )
            self.port = (await self._server.listen("127.0.0.1", 0, trusted=True)).port

        self.on_loop(listen())

    def _answer(self, request: Request) -> Any:
        return self.jar.front(request)

    def _on_headers(self, request: Request) -> Any:
        return self.jar.front.on_headers(request)

    def _on_error(self, request: Request, error: AwsError) -> Any:
        return self.jar.pipeline.refuse(request, error)

    def crash(self) -> None:
        """Forget everything that is not on disk and come back; the host keeps running."""

        async def drop() -> None:
            self.jar.audit.let_go()  # as the system does for a process that is no more
            self.jar.database.close()

        self.on_loop(drop())
        self.jar = self._open()

    def close(self) -> None:
        """Stop serving."""

        async def stop() -> None:
            if self._server is not None:
                await self._server.close()
            self.jar.close()

        self.on_loop(stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    # -- what tests say
    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(
        self,
        service: str,
        region: str = "eu-west-3",
        key: str = "test",
        secret: str = "test",
        token: str | None = None,
        **config: Any,
    ) -> Any:
        """A boto3 client; by default it signs as the root user of the default account."""
        client = SESSION.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )
        if service == "s3control":  # which puts the account before the address: that has no name here
            client.meta.events.register_first("before-sign.s3-control", _without_account)
        if self.reborn:
            client.meta.events.register_last("after-call", lambda **_: self.crash())
        return client

    def settle(self) -> None:
        """Let the reconcilers bring the host to what is wanted."""
        self.jar.settle()

    def advance(self, **by: float) -> None:
        """Move AWS time, e.g. ``hours=5``; alarms run at their own instants."""
        self.jar.runner.advance(timedelta(**by))

    def usage(self, usage_type: str, account: str = ACCOUNT) -> timedelta:
        """How long the meters of a usage type have run in all."""
        now = self.clock.now()
        spans = self.jar.usage.spans(now - timedelta(days=3650), now + timedelta(seconds=1), account)
        total = timedelta(0)
        for span in spans:
            if span.meter.usage_type == usage_type:
                total += (span.end or now) - span.start
        return total


def _without_account(request: Any, **_: Any) -> None:
    request.url = re.sub(r"//\d{12}\.", "//", request.url)


@contextmanager
def running(home: Path, *, reborn: bool = False, throttle: bool = False) -> Iterator[TestJar]:
    """A started test jar, closed at the end. Tests ask faster than people, so only those about throttling throttle."""
    jar = TestJar(home, reborn=reborn, throttle=throttle)
    jar.start()
    try:
        yield jar
    finally:
        jar.close()
