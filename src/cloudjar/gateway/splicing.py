"""Memory that nobody writes into again goes to a socket as it lies, without a copy: its pages are lent to a pipe, and
from there to the socket. Python does not have ``vmsplice``; the C library of Linux does.

The pages stay the client's until he has taken them, even when the memory is let go of here; so it may be dropped at
any time, but never written over.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import threading
from functools import cache
from typing import Any

from cloudjar.planes.objects.clear import Stretch

_ROOM = 1 << 20
"""Bytes that a pipe has room for: what is lent at once."""
_NO_WAIT = 2
"""``SPLICE_F_NONBLOCK``."""

_own = threading.local()


class _Stretch(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


@cache
def _lend() -> Any:
    """The C library's ``vmsplice``; None where there is none."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "vmsplice", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.POINTER(_Stretch), ctypes.c_size_t, ctypes.c_uint)
        function.restype = ctypes.c_ssize_t
    return function


class _Pipe:
    """A pipe that is empty between two uses."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # the user has many pipes: a small one does too
            fcntl.fcntl(self.into, fcntl.F_SETPIPE_SZ, _ROOM)

    def __del__(self) -> None:
        os.close(self.out)
        os.close(self.into)


def send(fd: int, content: Stretch) -> int:
    """Bytes of what lies there that the socket took, up to a MiB. BlockingIOError: none; OSError: the client left."""
    lend = _lend()
    if lend is None:
        return os.write(fd, content.view)
    pipe: _Pipe | None = getattr(_own, "pipe", None)
    if pipe is None:
        pipe = _own.pipe = _Pipe()
    lent = lend(pipe.into, _Stretch(content.address, min(len(content), _ROOM)), 1, _NO_WAIT)
    if lent <= 0:
        return os.write(fd, content.view)
    sent = 0
    try:
        while sent < lent:
            sent += os.splice(pipe.out, fd, lent - sent, flags=_NO_WAIT)
    except BlockingIOError:
        _own.pipe = None  # what is left in it comes again
        if not sent:
            raise
    except OSError:
        _own.pipe = None
        raise
    return sent
