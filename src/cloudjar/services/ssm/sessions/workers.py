"""What is at the agent's end of a session: a shell, a program, a port. One of them works for a `Talk`.

All methods are called on the event loop; lines call back from the plane's thread, and go through `Talk.soon`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from cloudjar.planes.compute.inside import Command, Inside, Line, Size
from cloudjar.services.ssm.sessions import smux
from cloudjar.wire.data_channel import Flag, Payload


class Host(Protocol):
    """The talk, as its worker sees it."""

    @property
    def target(self) -> str: ...
    @property
    def plane(self) -> Inside: ...

    def soon(self, work: Callable[[], None]) -> None: ...
    def apart(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None: ...
    def send(self, kind: int, payload: bytes) -> None: ...
    def finish(self, words: str = "") -> None: ...
    def end(self, words: str = "") -> None: ...


class Worker(Protocol):
    """One of the below."""

    def begin(self) -> None: ...
    def input(self, data: bytes) -> None: ...
    def resize(self, size: Size) -> None: ...
    def flag(self, flag: int) -> None: ...
    def pause(self, *, waiting: bool) -> None: ...
    def hang_up(self) -> None: ...


class _Ears:
    """Passes what a line says on to the event loop."""

    def __init__(
        self, host: Host, said: Callable[[bytes], None], complained: Callable[[bytes], None],
        ended: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._host, self._said, self._complained, self._ended = host, said, complained, ended

    def said(self, data: bytes) -> None:
        self._host.soon(partial(self._said, data))

    def complained(self, data: bytes) -> None:
        self._host.soon(partial(self._complained, data))

    def ended(self, code: int) -> None:
        self._host.soon(partial(self._ended, code))


class Single(ABC):
    """The worker with one line. What comes in before the line is there waits for it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.line: Line | None = None
        self._early: list[bytes] = []
        self._size: Size | None = None
        self._waiting = False
        self._gone = False

    @abstractmethod
    def open(self) -> Line:
        """Open the line; may block, and raise `PlaneError`."""

    def ears(self) -> _Ears:
        """Who hears the line."""
        return _Ears(self.host, self.said, self.complained, self.ended)

    def begin(self) -> None:
        self.host.apart(self.open, self._opened)

    def _opened(self, line: Line | Exception) -> None:
        if isinstance(line, Exception):
            self.failed(line)
            return
        if self._gone:
            line.hang_up()
            return
        self.line = line
        if self._size is not None:
            line.resize(self._size)
        if self._waiting:  # it has said much before we knew it
            line.pause(waiting=True)
        for data in self._early:
            line.write(data)
        self._early.clear()

    def failed(self, why: Exception) -> None:
        """The line could not be opened."""
        self.host.finish(f"----------ERROR-------\n{why}")

    def said(self, data: bytes) -> None:
        self.host.send(Payload.OUTPUT, data)

    def complained(self, data: bytes) -> None:
        self.host.send(Payload.OUTPUT, data)

    def ended(self, _code: int) -> None:
        """The line is over."""
        self.host.finish()

    def input(self, data: bytes) -> None:
        if self.line is None:
            self._early.append(data)
        else:
            self.line.write(data)

    def resize(self, size: Size) -> None:
        self._size = size
        if self.line is not None:
            self.line.resize(size)

    def flag(self, flag: int) -> None:
        if flag == Flag.TERMINATE_SESSION:
            self.host.end()

    def pause(self, *, waiting: bool) -> None:
        self._waiting = waiting
        if self.line is not None:
            self.line.pause(waiting=waiting)

    def hang_up(self) -> None:
        self._gone = True
        if self.line is not None:
            self.line.hang_up()


class Shell(Single):
    """A shell on a terminal, or another command there."""

    def __init__(self, host: Host, command: Command, first: str = "") -> None:
        super().__init__(host)
        self._command = command
        if first:
            self._early.append(first.rstrip("\n").encode() + b"\n")

    def open(self) -> Line:
        return self.host.plane.open_terminal(self.host.target, self._command, self._size or Size(), self.ears())


class Program(Single):
    """A command on pipes; with a `separate` stream for its errors, its exit code is told too."""

    def __init__(self, host: Host, command: Command, *, separate: bool) -> None:
        super().__init__(host)
        self._command, self._separate = command, separate

    def open(self) -> Line:
        line = self.host.plane.open_pipes(self.host.target, self._command, self.ears())
        line.finish()
        return line

    def complained(self, data: bytes) -> None:
        self.host.send(Payload.STDERR if self._separate else Payload.OUTPUT, data)

    def ended(self, _code: int) -> None:
        if self._separate:
            self.host.send(Payload.EXIT_CODE, str(_code).encode())
        self.host.finish()


class Port(Single):
    """One connection at a time. With `again` (a forwarded port, for clients that do not multiplex) the next follows."""

    def __init__(self, host: Host, name: str, port: int, *, again: bool) -> None:
        super().__init__(host)
        self._name, self._port, self._again = name, port, again

    def open(self) -> Line:
        return self.host.plane.dial(self.host.target, self._name, self._port, self.ears())

    def failed(self, why: Exception) -> None:
        self.host.send(Payload.FLAG, int(Flag.CONNECT_TO_PORT_ERROR).to_bytes(4, "big"))
        if not self._again:
            self.host.finish(f"Connection to destination port failed, check SSM Agent logs. {why}")

    def ended(self, _code: int) -> None:
        self.line = None
        if not self._again:
            self.host.finish()
        elif not self._gone:
            self.begin()

    def flag(self, flag: int) -> None:
        if flag == Flag.DISCONNECT_TO_PORT and self.line is not None:
            self.line.hang_up()
        super().flag(flag)


class Mux:
    """Any number of connections, each a stream of smux."""

    def __init__(self, host: Host, name: str, port: int) -> None:
        self.host, self._name, self._port = host, name, port
        self._reader = smux.Reader()
        self._streams: dict[int, _Stream] = {}

    def begin(self) -> None:
        """Nothing until the client connects."""

    def input(self, data: bytes) -> None:
        try:
            for frame in self._reader.feed(data):
                self._frame(frame)
        except smux.Broken as broken:
            self.host.end(f"The client's stream is broken: {broken}")

    def _frame(self, frame: smux.Frame) -> None:
        stream = self._streams.get(frame.stream)
        if frame.command == smux.SYN and stream is None:
            stream = self._streams[frame.stream] = _Stream(self, frame.stream)
            stream.begin()
        elif stream is not None and frame.command == smux.PUSH:
            stream.input(frame.data)
        elif stream is not None and frame.command == smux.FIN:
            stream.finish()

    def dial(self, ears: _Ears) -> Line:
        """A connection for a stream."""
        return self.host.plane.dial(self.host.target, self._name, self._port, ears)

    def closed(self, number: int) -> None:
        """A stream's connection is over."""
        if self._streams.pop(number, None) is not None:
            self.host.send(Payload.OUTPUT, smux.encode(smux.Frame(smux.FIN, number)))

    def resize(self, size: Size) -> None:
        """Ports have none."""

    def flag(self, flag: int) -> None:
        if flag == Flag.TERMINATE_SESSION:
            self.host.end()

    def pause(self, *, waiting: bool) -> None:
        for stream in self._streams.values():
            stream.pause(waiting=waiting)

    def hang_up(self) -> None:
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.hang_up()


class _Stream(Single):
    """One connection of a `Mux`."""

    def __init__(self, mux: Mux, number: int) -> None:
        super().__init__(mux.host)
        self._mux, self._number = mux, number
        self._finished = False

    def open(self) -> Line:
        return self._mux.dial(self.ears())

    def failed(self, _why: Exception) -> None:
        self._mux.closed(self._number)

    def said(self, data: bytes) -> None:
        self.host.send(Payload.OUTPUT, smux.pushes(self._number, data))

    def ended(self, _code: int) -> None:
        self._mux.closed(self._number)

    def _opened(self, line: Line | Exception) -> None:
        super()._opened(line)
        if self._finished and self.line is not None:
            self.line.finish()

    def finish(self) -> None:
        """The client's side has said all."""
        self._finished = True
        if self.line is not None:
            self.line.finish()
