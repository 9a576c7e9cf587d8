"""SES's SMTP endpoint: who signs in with SMTP credentials sends what he hands in as by ``SendRawEmail``.

The password says for which region it was made, and so where the mail is sent; a client that calls the endpoint of
another region by name is sent away, as there. https://docs.aws.amazon.com/ses/latest/dg/send-email-smtp.html
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable
from typing import Any

from cloudjar.auth import smtp_passwords
from cloudjar.auth.authenticate import Authenticator
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.gateway.pipeline import Pipeline
from cloudjar.gateway.smtp_door import Door
from cloudjar.gateway.tls import Layer
from cloudjar.spec import regions
from cloudjar.store.database import Database
from cloudjar.wire.message import Request, Response
from cloudjar.wire.smtp import Envelope, Talk

log = logging.getLogger("cloudjar.smtp")

_AHEAD = 64 << 10
"""Bytes that are kept while a message is sent; reading pauses beyond."""
_ENDPOINT = re.compile(r"email-smtp(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com", re.IGNORECASE)
_REFUSED = "535 Authentication Credentials Invalid"
_FAILED = "451 Temporary service failure"


class Office:
    """What all clients of the endpoint share."""

    def __init__(
        self, pipeline: Pipeline, authenticator: Authenticator, database: Database,
        tls: Callable[[], ssl.SSLContext],
    ) -> None:  # fmt: skip
        self._pipeline = pipeline
        self._authenticator = authenticator
        self._database = database
        self.tls = tls

    def proven(self, user: str, password: str, called: str, *, trusted: bool) -> tuple[Caller, str] | None:
        """Who has these credentials, and for which region; `called` is the endpoint's name as the client said it."""
        if len(user) > 128:
            return None
        named = _ENDPOINT.fullmatch(called)
        names = [named[1].lower()] if named else [one.name for one in regions.regions()]

        def region_of(secret: str) -> str:
            return smtp_passwords.region_of(password, secret, names)

        return self._authenticator.proven(user, "ses", region_of, trusted=trusted)

    async def send(self, envelope: Envelope, caller: Caller, region: str, request: Request) -> str:
        """Send a message; the answer in SMTP, once it is on disk."""
        asked = {
            "Source": envelope.sender, "Destinations": list(envelope.recipients),
            "RawMessage": {"Data": envelope.content},
        }  # fmt: skip
        self._database.commit_joined()
        changes = self._database.changes
        try:
            result = self._pipeline.invoke("ses", "SendRawEmail", asked, caller, region, request)
            text = f"250 Ok {result['MessageId']}"
        except AwsError as error:
            text = refusal(error)
        sent = self._pipeline.sent(Response(200, [], b""), changes)
        if not isinstance(sent, Response):
            await sent
        return text


def refusal(error: AwsError) -> str:
    """What SendRawEmail answered, in SMTP."""
    said = error.message.replace("\r", " ").replace("\n", " ")
    if error.code in ("Throttling", "ThrottlingException"):
        return f"454 Throttling failure: {said}"
    if error.code == "MessageRejected":
        return f"554 Message rejected: {said}"
    if error.code in ("AccessDenied", "AccessDeniedException"):
        return f"554 Access denied: {said}"
    if error.is_server_fault and error.code != "NotImplemented":
        return _FAILED
    return f"554 Transaction failed: {said}"


class Client(asyncio.Protocol):
    """One client's connection, and the host of its conversation."""

    def __init__(self, door: Door, *, wrapped: bool) -> None:
        """`wrapped`: TLS comes first, and then the greeting."""
        self._door = door
        self._wrapped = wrapped
        self._peer = ""
        self._wire: Any = None
        self._tls: Layer | None = None
        self._talk: Talk | None = None
        self._sending: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._credentials = ("", "")
        self._paused = False

    # -- what the transport calls
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = transport
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        full = len(self._door.clients) >= self._door.most
        self._door.clients.add(self)
        self._wait()
        if self._wrapped and not full:
            self._tls = Layer(self._door.office.tls(), self._wire, self)
            return
        self._talk = Talk(self)
        if full:
            self._talk.refuse("421 Too many concurrent SMTP connections")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the reason does not matter: it is gone
        self._door.clients.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._talk = None

    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            self._tls.feed(data)
            if self._wrapped and self._tls.is_open and not self._wire.is_closing():
                self._wrapped = False
                self._talk = Talk(self)
                self._talk.secured()
        else:
            self.plain_received(data)

    def plain_received(self, data: bytes) -> None:
        """Take bytes as the client meant them (after TLS)."""
        if self._talk is None:
            return
        self._wait()
        try:
            self._talk.feed(data)
        except Exception:
            log.exception("an SMTP connection failed")
            self.abort()
            return
        self._pause()

    def eof_received(self) -> bool:
        """Who has nothing more to say may still hear the answer to his message."""
        return self._sending is not None

    def pause_writing(self) -> None:
        self._wire.pause_reading()

    def resume_writing(self) -> None:
        if not self._paused:
            self._wire.resume_reading()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._wire.abort()

    def _pause(self) -> None:
        """Read no further than to what waits for an answer."""
        wanted = self._talk is not None and self._talk.ahead > _AHEAD
        if wanted != self._paused and not self._wire.is_closing():
            self._paused = wanted
            (self._wire.pause_reading if wanted else self._wire.resume_reading)()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._door.patience, self._late)

    def _late(self) -> None:
        if self._sending is not None:
            self._wait()
        elif self._talk is None:
            self.abort()  # who came for TLS and does not speak it
        else:
            self._talk.late()
            # Who does not even take his goodbye is not waited for again.
            self._timer = asyncio.get_running_loop().call_later(self._door.patience, self.abort)

    # -- what the conversation calls
    def say(self, data: bytes) -> None:
        if not self._wire.is_closing():
            (self._tls or self._wire).write(data)

    def secure(self) -> None:
        assert self._talk is not None
        self._tls = Layer(self._door.office.tls(), self._wire, self)
        self._talk.secured()

    def may(self, user: str, password: str) -> str:
        found = self._proven(user, password)
        if found is None:
            return _REFUSED
        self._credentials = user, password
        return "235 Authentication successful."

    def _proven(self, user: str, password: str) -> tuple[Caller, str] | None:
        called = self._tls.name if self._tls is not None else ""
        return self._door.office.proven(user, password, called, trusted=self._door.trusted)

    def take(self, envelope: Envelope) -> None:
        self._sending = asyncio.get_running_loop().create_task(self._send(envelope))

    def hang_up(self) -> None:
        (self._tls or self._wire).close()

    async def _send(self, envelope: Envelope) -> None:
        text = _FAILED
        try:
            who = self._proven(*self._credentials)  # a key may have been taken away since
            text = _REFUSED if who is None else await self._door.office.send(envelope, *who, self._request())
        except Exception:
            log.exception("a message could not be sent")
        self._sending = None
        if self._talk is not None:
            self._wait()
            self._talk.answer(text)
            self._pause()

    def _request(self) -> Request:
        name = (self._tls.name if self._tls is not None else "") or "email-smtp.amazonaws.com"
        headers = {"host": name, "user-agent": "SMTP"}
        return Request(
            "POST", "/", headers=headers, peer=self._peer, secure=True, trusted=self._door.trusted, tls=self._tls
        )
