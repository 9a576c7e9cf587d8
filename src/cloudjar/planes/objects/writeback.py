"""Writing to disk while more arrives, so that the sync at the end has little left to wait for."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_WRITE = 2
"""``SYNC_FILE_RANGE_WRITE``: begin, wait for nothing."""


@cache
def _begin() -> Any:
    """The C library's ``sync_file_range``, which Python does not have; None where there is none (it is Linux's)."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
        function.restype = ctypes.c_int
    return function


def begin(fd: int, start: int, size: int) -> None:
    """Have bytes of an open file written soon. Only a hint: what fails here, the sync at the end will tell."""
    function = _begin()
    if function is not None:
        function(fd, start, size, _WRITE)
