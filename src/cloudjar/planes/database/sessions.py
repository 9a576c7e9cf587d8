"""Sessions in engines, over their machines' own networks: statements with parameters, and what the engine answers.

No packet of them passes a security group: the host comes in by the machine's loopback, with a user's name and password.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from typing import Protocol

import msgspec

from cloudjar.base import ids
from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database import postgres_wire as wire
from cloudjar.planes.database.postgres_wire import Column, Said, Value

_DRAIN_SECONDS = 10
_PIECE = 1 << 16


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes into which engine. `port` is the engine's."""

    machine: str
    port: int
    user: str
    password: str
    database: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement brought. `columns` is None for one that has no rows; `tag` is the engine's (``INSERT 0 3``)."""

    columns: tuple[Column, ...] | None
    rows: tuple[tuple[str | None, ...], ...]
    tag: str
    size: int
    """Bytes of all rows; where they are more than were asked for, `rows` lacks some."""


class Late(Exception):
    """The statement was not done in time."""


class Session(Protocol):
    """A connection. `ask` raises `Said`, `Late`, and `PlaneError` when it broke."""

    process: int
    """The engine's own number of it."""

    def ask(
        self, sql: str, values: Sequence[Value] = (), *, seconds: float, most: int = 0, goes_on: bool = False
    ) -> Answer:
        """Have a statement done within `seconds`, with at most so many bytes of rows (0: any). A late one is ended,
        or goes on by itself."""
        ...

    def in_transaction(self) -> bool:
        """Whether a transaction is open, failed or not."""
        ...

    def close(self) -> None:
        """End it, after what goes on by itself; what is not committed is rolled back."""
        ...

    def abort(self) -> None:
        """End it at once."""
        ...


class SessionsPort(Protocol):
    """Engines by machine."""

    def lacks(self) -> str:
        """Why there is nobody to be asked here; "" where there is."""
        ...

    def open(self, login: Login, seconds: float, /) -> Session:
        """Come in. Raises `Said` when the engine refuses, `Late`, `PlaneError` when it cannot be reached."""
        ...


def sessions(compute: ComputePort) -> SessionsPort:
    """Who comes in here."""
    return GuestSessions(compute) if isinstance(compute, ContainerCompute) else NoSessions()


class NoSessions:
    """Engines that are not there answer nobody."""

    def lacks(self) -> str:
        return "Simulated machines have no engine that could be asked."

    def open(self, login: Login, _: float) -> Session:
        raise PlaneError(f"{login.machine} has no engine")


class GuestSessions:
    """Of PostgreSQL in system containers."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def lacks(self) -> str:
        return ""

    def open(self, login: Login, seconds: float) -> Session:
        def dial() -> socket.socket:
            return self._dial(login.machine, login.port)

        return PostgresSession(dial, login, seconds)

    def _dial(self, machine: str, port: int) -> socket.socket:
        """A connection by the machine's loopback, in TLS: that many engines ask for. It leaves the machine nowhere, so
        nobody else could show a certificate."""
        made = self._compute.connect(machine, "localhost", port)
        try:
            made.sendall(wire.TLS)
            if made.recv(1) != b"S":
                raise PlaneError(f"the engine in {machine} does not speak TLS")
            speaks = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            speaks.check_hostname, speaks.verify_mode = False, ssl.CERT_NONE
            return speaks.wrap_socket(made)
        except OSError as failed:
            made.close()
            raise PlaneError(f"the engine in {machine} hangs up: {failed}") from failed
        except PlaneError:
            made.close()
            raise


class Dial(Protocol):
    """Another connection to the same engine."""

    def __call__(self) -> socket.socket: ...


class PostgresSession:
    """Implements `Session`. One statement at a time; others wait for their turn."""

    def __init__(self, dial: Dial, login: Login, seconds: float) -> None:
        self._dial, self._line = dial, dial()
        self._turn, self._closing = threading.Lock(), False
        self._heard, self._status = bytearray(), b"I"
        self.process, self._secret = 0, 0
        try:
            self._enter(login, monotonic() + seconds)
        except BaseException:
            self._line.close()
            raise

    # -- coming in
    def _enter(self, login: Login, until: float) -> None:
        settings = {
            "user": login.user, "database": login.database, "client_encoding": "UTF8", "TimeZone": "UTC",
            "DateStyle": "ISO", "IntervalStyle": "postgres", "extra_float_digits": "3", "bytea_output": "hex",
            "application_name": "RDS Data API",
        }  # fmt: skip
        self._send(wire.startup(settings), until)
        scram = wire.Scram(login.password, ids.token(24))
        while True:
            kind, body = self._next(until)
            if kind == b"R":
                self._send(self._proof(scram, login.password, body), until)
            elif kind == b"K":
                self.process, self._secret = struct.unpack("!ii", body)
            elif kind == b"E":
                raise wire.refusal(body)
            elif kind == b"Z":
                self._status = body
                return

    @staticmethod
    def _proof(scram: wire.Scram, password: str, body: bytes) -> bytes:
        """What the engine is answered that asks who this is; nothing where it asks nothing."""
        (way,) = struct.unpack_from("!i", body)
        if way == 10:
            return wire.message(b"p", scram.begun())
        if way == 11:
            return wire.message(b"p", scram.answered(body[4:]))
        if way == 12:
            scram.proved(body[4:])
        if way == 3:
            return wire.message(b"p", password.encode() + b"\0")
        if way not in (0, 12):
            raise PlaneError(f"the engine asks for a proof of kind {way}")
        return b""

    # -- statements
    def ask(
        self, sql: str, values: Sequence[Value] = (), *, seconds: float, most: int = 0, goes_on: bool = False
    ) -> Answer:
        until = monotonic() + seconds
        if not self._turn.acquire(timeout=seconds):
            raise Late
        handed = False
        try:
            self._send(wire.statement(sql, values), until)
            try:
                return self._answer(until, most)
            except Late:
                if goes_on:
                    handed = True
                    threading.Thread(target=self._finish, name="statement", daemon=True).start()
                else:
                    self._stop()
                raise
        finally:
            if not handed:
                self._turn.release()

    def _answer(self, until: float, most: int) -> Answer:
        """Everything until the engine is ready again."""
        said: tuple[Column, ...] | None = None
        rows, size, tag, wrong = list[tuple[str | None, ...]](), 0, "", None
        while True:
            kind, body = self._next(until)
            if kind == b"D":
                size += len(body)
                if not most or size <= most:
                    rows.append(wire.row(body))
            elif kind == b"T":
                said = wire.columns(body)
            elif kind == b"C":
                tag = body[:-1].decode()
            elif kind == b"E":
                wrong = wrong or wire.refusal(body)
            elif kind == b"G":  # the engine overhears that this was all while it waits for data
                self._send(wire.message(b"f", wire.FAIL_COPY + b"\0") + wire.message(b"S"), until)
            elif kind == b"Z":
                self._status = body
                break
        if wrong is not None:
            raise wrong
        return Answer(columns=said, rows=tuple(rows), tag=tag, size=size)

    def _stop(self) -> None:
        """Have the engine end what it does, and hear it say so."""
        try:
            with contextlib.closing(self._dial()) as other:
                other.sendall(wire.cancel(self.process, self._secret))
            self._answer(monotonic() + _DRAIN_SECONDS, 1)
        except (OSError, Late, PlaneError):
            self._line.close()
        except Said:
            pass

    def _finish(self) -> None:
        """Hear a statement to its end, however late it is."""
        try:
            with contextlib.suppress(Said, PlaneError, Late):
                self._answer(float("inf"), 1)
        finally:
            self._turn.release()
            if self._closing:
                self.abort()

    # -- the line
    def _send(self, said: bytes, until: float) -> None:
        try:
            self._line.settimeout(max(until - monotonic(), 0.001))
            self._line.sendall(said)
        except TimeoutError as late:
            raise Late from late
        except (OSError, ValueError) as broken:
            raise PlaneError(f"the session broke: {broken}") from broken

    def _next(self, until: float) -> tuple[bytes, bytes]:
        """The next message: its kind and its body."""
        while len(self._heard) < 5 or len(self._heard) < 1 + struct.unpack_from("!i", self._heard, 1)[0]:
            left = until - monotonic()
            if left <= 0:
                raise Late
            try:
                self._line.settimeout(None if left == float("inf") else left)
                piece = self._line.recv(_PIECE)
            except TimeoutError as late:
                raise Late from late
            except (OSError, ValueError) as broken:
                raise PlaneError(f"the session broke: {broken}") from broken
            if not piece:
                raise PlaneError("the engine hung up")
            self._heard += piece
        end = 1 + struct.unpack_from("!i", self._heard, 1)[0]
        kind, body = bytes(self._heard[:1]), bytes(self._heard[5:end])
        del self._heard[:end]
        return kind, body

    def in_transaction(self) -> bool:
        return self._status != b"I"

    def close(self) -> None:
        self._closing = True
        if self._turn.acquire(blocking=False):
            with contextlib.suppress(OSError, ValueError):
                self._line.settimeout(1)
                self._line.sendall(wire.message(b"X"))
            self._turn.release()
            self._line.close()

    def abort(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()
