"""Posts to addresses outside, for services that deliver: on threads of their own, without following anything.

Who asks gets the status of the answer, or 0 when there was none in time; what it says is read only for who wants it.
"""

from __future__ import annotations

import http.client
import logging
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

log = logging.getLogger("cloudjar.posting")

TIMEOUT = 15.0
"""Seconds for connecting and for the answer."""
LONGEST = 64 << 10
"""Bytes of an answer that are read."""
_THREADS = 16


class Poster:
    """`post(url, headers, body, heard)`; `heard(status)` is called on the thread that asked."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def __call__(
        self, url: str, headers: Mapping[str, str], body: bytes, heard: Callable[[int], None]
    ) -> None:
        """Post in the background."""
        self._submit(url, headers, body, lambda status, _: heard(status))

    def ask(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        heard: Callable[[int, bytes], None],
        *,
        method: str = "POST",
    ) -> None:
        """The same for who wants to know what the answer says, as far as it is not longer than `LONGEST`."""
        self._submit(url, headers, body, heard, method)

    def _submit(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        heard: Callable[[int, bytes], None],
        method: str = "POST",
    ) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, "post")
        self._pool.submit(_tell, url, dict(headers), body, heard, method)

    def close(self) -> None:
        """Wait for nobody: what was not answered is posted again another time."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _tell(
    url: str, headers: dict[str, str], body: bytes, heard: Callable[[int, bytes], None], method: str
) -> None:
    try:
        heard(*_posted(url, headers, body, method))
    except Exception:
        log.exception("the answer of %s could not be told", url)


def _posted(url: str, headers: dict[str, str], body: bytes, method: str) -> tuple[int, bytes]:
    try:
        parts = urlsplit(url)
        link: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            link = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=TIMEOUT, context=context)
        else:
            link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            link.request(method, target, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read(LONGEST)
        finally:
            link.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        log.info("%s did not answer: %s", url, error)
        return 0, b""
