"""`auth.outside.Outside`: the keys of identity providers, read over HTTPS.

Nothing but HTTPS is spoken, nothing is followed elsewhere, and no request is written before the server has shown a
certificate that is trusted: who makes the jar ask an address learns at most that nobody can be trusted there
(`docs/decisions/issuers-are-asked.md`).
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import socket
import ssl
import threading
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cloudjar.auth.outside import UnreachableError, UntrustedError
from cloudjar.base.clock import monotonic

TIMEOUT = 3.0
"""Seconds for connecting, and for each sign of life afterwards."""
DEADLINE = 8.0
"""Seconds for a whole document."""
LARGEST = 1 << 20
FAILURES_KEPT = 5.0
_REMEMBERED = 256


class _Known(NamedTuple):
    at: float
    body: bytes
    error: Exception | None


class Web:
    """Reads and remembers; each document is read by one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[str, ...]], _Known] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, url: str, thumbprints: tuple[str, ...], max_age: float) -> bytes:
        """The document, read now or lately; failures are remembered for some seconds, whatever `max_age` says."""
        with self._lock:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
                self._locks.clear()
            lock = self._locks.setdefault(url, threading.Lock())
        with lock:
            place, now = (url, thumbprints), monotonic()
            known = self._known.get(place)
            if known is None or now - known.at > (FAILURES_KEPT if known.error is not None else max_age):
                known = self._known[place] = _tried(url, thumbprints)
            if known.error is not None:
                raise known.error
            return known.body

    def thumbprint(self, url: str) -> str:
        """The topmost certificate that the server shows, whoever signed it."""
        host, port, _ = _parts(url)
        return _sha1(_shown(host, port)[-1])


def _tried(url: str, thumbprints: tuple[str, ...]) -> _Known:
    try:
        return _Known(monotonic(), _read(url, thumbprints), None)
    except (UnreachableError, UntrustedError) as error:
        return _Known(monotonic(), b"", error)


def _parts(url: str) -> tuple[str, int, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        raise UnreachableError(f"{url} is no address") from None
    if parts.scheme != "https" or not host or parts.username is not None:
        raise UnreachableError(f"{url} is not an https address")
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _read(url: str, thumbprints: tuple[str, ...]) -> bytes:
    host, port, path = _parts(url)
    try:
        return _exchange(host, port, path, ssl.create_default_context())
    except UntrustedError:
        shown = _shown(host, port) if thumbprints else []
        authority = next((der for der in shown if _sha1(der) in thumbprints), None)
        if authority is None:
            raise
    return _exchange(host, port, path, _trusting(authority))


def _sha1(der: bytes) -> str:
    return hashlib.sha1(der, usedforsecurity=False).hexdigest()


def _trusting(authority: bytes) -> ssl.SSLContext:
    """A context for servers whose chain leads to this certificate: name, dates and signatures are checked as ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=authority)
    return context


def _exchange(host: str, port: int, path: str, context: ssl.SSLContext) -> bytes:
    """One GET; raises `UntrustedError` before anything was sent."""
    try:
        with _connected(host, port) as plain, context.wrap_socket(plain, server_hostname=host) as sock:
            # Whoever answers one byte at a time does not hold the thread for longer than this.
            timer = threading.Timer(DEADLINE, _cut, (sock,))
            timer.daemon = True
            timer.start()
            try:
                return _asked(sock, host if port == 443 else f"{host}:{port}", path)
            finally:
                timer.cancel()
    except ssl.SSLCertVerificationError as error:
        raise UntrustedError(str(error)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(f"https://{host}:{port}{path}: {error}") from None


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already


def _asked(sock: socket.socket, host: str, path: str) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    sock.sendall(head.encode("ascii"))
    answer = http.client.HTTPResponse(sock, method="GET")
    answer.begin()
    if answer.status != 200:
        raise UnreachableError(f"https://{host}{path} answers {answer.status}")
    body = answer.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise UnreachableError(f"https://{host}{path} is larger than {LARGEST} bytes")
    return body


def _connected(host: str, port: int) -> socket.socket:
    """A connection to the first address of a name that takes one."""
    failed: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:4]:
        try:
            return _connected_to(host, family, kind, protocol, address)
        except OSError as error:
            failed = error
    raise failed or OSError(f"{host} has no address")


def _connected_to(host: str, family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    """The address that is judged is the one that is used, whatever the name leads to a moment later."""
    ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
    # A provider may well be on this machine. What is never one: the metadata service of the cloud that we are in.
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        raise UnreachableError(f"{host} is at {ip}, where no identity provider is")
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(TIMEOUT)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _shown(host: str, port: int) -> list[bytes]:
    """The certificates (DER) that a server shows, its own first; nothing is believed of them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with _connected(host, port) as plain, context.wrap_socket(plain, server_hostname=host) as sock:
            chain = _chain(sock)
    except (OSError, ValueError) as error:
        raise UnreachableError(f"https://{host}:{port}: {error}") from None
    if not chain:
        raise UnreachableError(f"https://{host}:{port} shows no certificate")
    return chain


def _chain(sock: Any) -> list[bytes]:
    if hasattr(sock, "get_unverified_chain"):  # from Python 3.13 on
        return list(sock.get_unverified_chain())
    return [certificate.public_bytes(_DER) for certificate in sock._sslobj.get_unverified_chain() or ()]


_DER = 2
"""``_ssl.ENCODING_DER``."""
