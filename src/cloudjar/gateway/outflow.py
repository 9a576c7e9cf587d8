"""Streamed answers: pulled from their source only as fast as the client reads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Protocol

from cloudjar.gateway import http1

log = logging.getLogger("cloudjar.gateway")


class Transport(Protocol):
    """What an answer is written to: the socket's transport, or the TLS layer on it."""

    def write(self, data: bytes) -> None: ...

    def write_eof(self) -> None: ...

    def can_write_eof(self) -> bool: ...

    def close(self) -> None: ...


class Sender(Protocol):
    """The connection, as a stream sees it."""

    writable: bool

    def streamed(self, *, whole: bool) -> None:
        """The stream ended, or was cut short."""
        ...

    def unstarted(self, error: Exception) -> None:
        """It failed before anything was sent."""
        ...

    def moved(self) -> None:
        """Something was sent: the client has until its deadline to take more."""
        ...

    def busy(self) -> None:
        """It is not the client who is waited for."""
        ...


class Threads(Protocol):
    """Where what blocks is done."""

    def submit(self, work: Callable[[], object]) -> object: ...


def close_stream(body: Any) -> None:
    """Release a stream that will not be (further) sent."""
    close = getattr(body, "close", None)
    if close is not None:
        close()


class Counted:
    """Frames pieces: by chunk, or by a length that may be neither exceeded nor missed."""

    def __init__(self, length: int, *, chunked: bool) -> None:
        self._left = length
        self._chunked = chunked
        self._bounded = length >= 0

    def frame(self, piece: bytes) -> bytes:
        if self._chunked:
            return http1.chunk(piece)
        if self._bounded:
            self._left -= len(piece)
            if self._left < 0:
                raise ValueError("a stream is longer than the length its headers state")
        return piece

    def end(self) -> bytes:
        if self._bounded and self._left:
            raise ValueError("a stream is shorter than the length its headers state")
        return http1.LAST_CHUNK if self._chunked else b""


class Outflow:
    """A plain iterable being sent."""

    def __init__(
        self, sender: Sender, transport: Transport, body: Iterable[bytes], length: int, *, chunked: bool
    ) -> None:
        self._sender = sender
        self._transport = transport
        self._body = body
        self._pieces: Iterator[bytes] = iter(body)
        self._frames = Counted(length, chunked=chunked)
        self._running = False
        self._stopped = False

    def resume(self) -> None:
        """Send until the client's side is full, the stream ends, or it fails."""
        if self._running:
            return
        self._running = True
        try:
            while self._sender.writable and not self._stopped:
                piece = next(self._pieces, None)
                self._transport.write(self._frames.end() if piece is None else self._frames.frame(piece))
                if piece is None:
                    self._finish(whole=True)
                    return
        except Exception:
            log.exception("a streamed answer failed")
            self._finish(whole=False)
        finally:
            self._running = False

    def stop(self) -> None:
        """The client is gone."""
        self._stopped = True
        close_stream(self._pieces)
        close_stream(self._body)

    def _finish(self, *, whole: bool) -> None:
        if not self._stopped:
            self.stop()
            self._sender.streamed(whole=whole)


class AsyncOutflow:
    """An asynchronous iterable being sent, by a task of its own."""

    def __init__(
        self, sender: Sender, transport: Transport, body: AsyncIterable[bytes], length: int, *, chunked: bool
    ) -> None:
        self._sender = sender
        self._transport = transport
        self._pieces: AsyncIterator[bytes] = aiter(body)
        self._frames = Counted(length, chunked=chunked)
        self._room = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())

    def resume(self) -> None:
        """The client's side has room again."""
        self._room.set()

    def stop(self) -> None:
        """The client is gone."""
        self._task.cancel()

    async def _run(self) -> None:
        whole = False
        try:
            async for piece in self._pieces:
                self._transport.write(self._frames.frame(piece))
                while not self._sender.writable:
                    self._room.clear()
                    await self._room.wait()
            self._transport.write(self._frames.end())
            whole = True
        except asyncio.CancelledError:
            await self._close()
            raise
        except Exception:
            log.exception("a streamed answer failed")
        await self._close()
        self._sender.streamed(whole=whole)

    async def _close(self) -> None:
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()
