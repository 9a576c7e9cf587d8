"""Live lines to guests: one thread reads and writes the ends of all terminals, pipes and connections.

An end is a file descriptor that never blocks. Whoever speaks on a line only puts words into its queue.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import struct
import subprocess
import termios
import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from cloudjar.planes.compute.inside import Ears, Size

_READ = 32 << 10
MOST_WAITING = 64 << 20
"""Bytes that wait for a far side that takes none; more costs it the line."""


class Switchboard:
    """The thread, started with the first line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: deque[Callable[[], None]] = deque()
        self._selector: selectors.BaseSelector | None = None
        self._wake = -1

    def run(self, work: Callable[[], None]) -> None:
        """Have the thread do something, in the order asked."""
        with self._lock:
            self._asked.append(work)
            if self._selector is None:
                self._start()
            os.eventfd_write(self._wake, 1)

    def _start(self) -> None:
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake, selectors.EVENT_READ, self._do_asked)
        threading.Thread(target=self._serve, name="cloudjar-lines", daemon=True).start()

    def watch(self, fd: int, events: int, ready: Callable[[int], None]) -> None:
        """On the thread: be told when a descriptor is ready for `events` (0: no more)."""
        assert self._selector is not None
        known = fd in self._selector.get_map()
        if events and known:
            self._selector.modify(fd, events, ready)
        elif events:
            self._selector.register(fd, events, ready)
        elif known:
            self._selector.unregister(fd)

    def _do_asked(self, _: int) -> None:
        os.eventfd_read(self._wake)
        while True:
            with self._lock:
                if not self._asked:
                    return
                work = self._asked.popleft()
            work()

    def _serve(self) -> None:
        assert self._selector is not None
        while True:
            for key, events in self._selector.select():
                # One that an earlier one of this round has closed is no longer there.
                if key.fd in self._selector.get_map():
                    key.data(events)


class FdLine:
    """A line over descriptors: `heard` maps those that are read to whom they are told, `speaks` takes input.

    It has ended when the last heard descriptor has; `end` then gives the exit code, and may block for a moment.
    """

    def __init__(
        self,
        board: Switchboard,
        heard: Mapping[int, Callable[[bytes], None]],
        speaks: int,
        ears: Ears,
        *,
        hang_up: Callable[[], None] = lambda: None,
        end: Callable[[], int] = lambda: 0,
        finish: Callable[[int], None] | None = None,
    ) -> None:
        self._board, self._heard, self._speaks, self._ears = board, dict(heard), speaks, ears
        self._cut, self._end, self._finish = hang_up, end, finish
        self._queue: deque[bytes] = deque()
        self._waiting = 0
        self._paused = self._finishing = self._over = False
        for fd in {*heard, speaks} - {-1}:
            os.set_blocking(fd, False)
        board.run(self._listen)

    # -- from any thread
    def write(self, data: bytes) -> None:
        """Send input."""
        if data:
            self._board.run(partial(self._put, data))

    def finish(self) -> None:
        """No more input."""
        self._board.run(self._put_end)

    def resize(self, size: Size) -> None:
        """Tell the terminal."""
        self._board.run(partial(self._resize, size))

    def pause(self, *, waiting: bool) -> None:
        """Stop or go on reading."""
        self._board.run(partial(self._pause, waiting))

    def hang_up(self) -> None:
        """End it."""
        self._board.run(self._hang_up)

    # -- on the thread
    def _put(self, data: bytes) -> None:
        if self._speaks >= 0 and not self._finishing:
            self._queue.append(data)
            self._waiting += len(data)
            self._send()
            if self._waiting > MOST_WAITING:
                self._hang_up()

    def _put_end(self) -> None:
        self._finishing = True
        self._send()

    def _resize(self, size: Size) -> None:
        if self._speaks >= 0 and os.isatty(self._speaks):
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._speaks, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.cols, 0, 0))

    def _pause(self, waiting: bool) -> None:
        self._paused = waiting
        self._listen()

    def _hang_up(self) -> None:
        if not self._over:
            self._cut()
            for fd in list(self._heard):
                self._shut(fd)
            self._check_end()

    def _send(self) -> None:
        try:
            while self._queue and self._speaks >= 0:
                sent = os.write(self._speaks, self._queue[0])
                self._waiting -= sent
                if sent == len(self._queue[0]):
                    self._queue.popleft()
                else:
                    self._queue[0] = self._queue[0][sent:]
        except BlockingIOError:
            pass
        except OSError:
            self._queue.clear()
            self._finishing = True
        if self._finishing and not self._queue and self._speaks >= 0:
            self._say_end()
        self._listen()

    def _say_end(self) -> None:
        fd = self._speaks
        if self._finish is not None:
            self._finish(fd)
        elif fd not in self._heard:
            self._board.watch(fd, 0, self._ready)
            os.close(fd)
            self._speaks = -1

    def _listen(self) -> None:
        if self._over:
            return
        writes = selectors.EVENT_WRITE if self._queue else 0
        reads = 0 if self._paused else selectors.EVENT_READ
        for fd in self._heard:
            both = reads | (writes if fd == self._speaks else 0)
            self._board.watch(fd, both, partial(self._ready, fd=fd))
        if self._speaks >= 0 and self._speaks not in self._heard:
            self._board.watch(self._speaks, writes, partial(self._ready, fd=self._speaks))

    def _ready(self, events: int, *, fd: int = -1) -> None:
        if events & selectors.EVENT_READ:
            self._read(fd)
        if events & selectors.EVENT_WRITE and not self._over:
            self._send()

    def _read(self, fd: int) -> None:
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            return
        except OSError:  # a terminal whose last user has left says EIO
            data = b""
        if data:
            self._heard[fd](data)
        else:
            self._shut(fd)
            self._check_end()

    def _shut(self, fd: int) -> None:
        self._heard.pop(fd, None)
        self._board.watch(fd, 0, self._ready)
        if fd == self._speaks:
            self._speaks = -1
        os.close(fd)

    def _check_end(self) -> None:
        if self._heard or self._over:
            return
        self._over = True
        if self._speaks >= 0:
            self._board.watch(self._speaks, 0, self._ready)
            os.close(self._speaks)
            self._speaks = -1
        # Its program may take a moment to be gone: nobody else's line waits for that.
        threading.Thread(target=self._tell_end, name="cloudjar-line-end", daemon=True).start()

    def _tell_end(self) -> None:
        self._ears.ended(self._end())


def kill_session(pid: int) -> None:
    """Hang up on a session leader of a guest and everything in its foreground, then make sure."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGHUP)
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    finally:
        os.close(handle)


def waited(process: subprocess.Popen[bytes]) -> int:
    """The exit code of our own child, as a shell says it."""
    code = process.wait()
    return 128 - code if code < 0 else code
