"""One client's conversation: it proves a key, opens one session with a shell, and talks.

RFC 4252 (public keys alone), RFC 4254 (one channel; no commands, no forwarding). `feed` takes what the client sends,
`taken` gives what is to be sent to it; nothing here knows of sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from cloudjar.wire.ssh import keys
from cloudjar.wire.ssh.packets import Arriving, Seal, pack
from cloudjar.wire.ssh.words import (
    BY_APPLICATION,
    NO_MORE_AUTH,
    NOT_AVAILABLE,
    PROTOCOL_ERROR,
    Broken,
    Reader,
    boolean,
    names,
    number,
    string,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VERSION = b"SSH-2.0-Cloudjar"

DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG, SERVICE_REQUEST, SERVICE_ACCEPT, EXT_INFO = 1, 2, 3, 4, 5, 6, 7
USERAUTH_REQUEST, USERAUTH_FAILURE, USERAUTH_SUCCESS, USERAUTH_PK_OK = 50, 51, 52, 60
GLOBAL_REQUEST, REQUEST_FAILURE = 80, 82
OPEN, OPENED, OPEN_FAILED, WINDOW, DATA, EXTENDED = 90, 91, 92, 93, 94, 95
EOF, CLOSE, REQUEST, SUCCESS, FAILURE = 96, 97, 98, 99, 100

_SERVICES = ("ssh-userauth", "ssh-connection")
_TRIES = 6
_OURS = 1 << 20
"""Bytes that a client may send before we say that it may go on; half of it is when we do."""
_PIECE = 32 << 10


class Ears(Protocol):
    """What the server tells whoever made it."""

    def may(self, user: str, key: str) -> bool:
        """Whether a user may come in with a public key (a line of OpenSSH without a comment)."""
        ...

    def entered(self, user: str) -> None:
        """He has proved it, and asked for a shell."""
        ...

    def typed(self, data: bytes) -> None:
        """Input of the shell."""
        ...

    def left(self) -> None:
        """The client wants no more."""
        ...


class Server:
    """The server's side. Whoever feeds it closes the connection after `Broken`, or when `over` is true."""

    def __init__(self, host: Ed25519PrivateKey, ears: Ears, draw: Callable[[int], bytes]) -> None:
        self.over = False
        self._host, self._ears, self._draw = host, ears, draw
        self._arriving, self._out = Arriving(), bytearray(VERSION + b"\r\n")
        self._seal: Seal | None = None
        self._theirs = b""
        """The client's version."""
        self._offered = b""
        self._their_offer = b""
        self._session = b""
        self._agreed: keys.Agreed | None = None
        self._next: Seal | None = None
        self._held: list[bytes] | None = []
        """What waits until the keys are agreed on; None when nothing has to."""
        self._skip = False
        self._failures = 0
        self.user = ""
        self._service = 0
        self._channel: int | None = None
        self._room, self._largest, self._used = 0, 0, 0
        self._waiting = bytearray()
        self._shell = self._ending = self._closed = False
        self._offer()

    # -- for whoever carries the bytes
    def feed(self, data: bytes) -> None:
        """Bytes of the client. Raises `Broken`, after which the disconnection's words are to be sent."""
        self._arriving.feed(data)
        try:
            if not self._theirs:
                said = self._arriving.line()
                if said is None:
                    return
                if not said.startswith((b"SSH-2.0-", b"SSH-1.99-")):
                    raise Broken(PROTOCOL_ERROR, "only version 2 is spoken here")
                self._theirs = said
            for message in self._arriving.messages():
                if self.over:
                    return
                self._heard(message)
        except Broken as broken:
            self.leave(broken.reason, str(broken))
            raise

    def taken(self) -> bytes:
        """What is to be sent now."""
        out, self._out = bytes(self._out), bytearray()
        return out

    @property
    def waiting(self) -> int:
        """Bytes of output for which the client has no room yet."""
        return len(self._waiting)

    def say(self, data: bytes) -> None:
        """Output of the shell."""
        self._waiting += data
        self._flow()

    def end(self) -> None:
        """The shell has ended: when all that it said is sent the channel closes, and the client goes."""
        if self._channel is None:
            self.leave(BY_APPLICATION, "nothing is open")
        self._ending = True
        self._flow()

    def leave(self, reason: int, why: str) -> None:
        """Say good-bye; nothing is said or heard afterwards."""
        if not self.over:
            self._send(bytes([DISCONNECT]) + number(reason) + string(why) + string(""))
            self.over = True

    # -- messages out
    def _send(self, message: bytes) -> None:
        if not self.over:
            self._out += pack(message, self._seal)

    def _say(self, message: bytes) -> None:
        """Anything but the agreement on keys, in which nothing else may come between."""
        if self._held is None:
            self._send(message)
        else:
            self._held.append(message)

    def _offer(self) -> None:
        self._offered = keys.offer(self._draw(16))
        self._send(self._offered)

    # -- messages in
    def _heard(self, message: bytes) -> None:
        if not message:
            raise Broken(PROTOCOL_ERROR, "an empty message")
        kind, read = message[0], Reader(message[1:])
        if kind in (IGNORE, UNIMPLEMENTED, DEBUG, EXT_INFO):
            return
        if kind == DISCONNECT:
            self.over = True
            self._ears.left()
        elif kind == keys.KEXINIT:
            self._begin(message)
        elif self._skip and kind in (keys.ECDH_INIT, 30, 31, 32, 33, 34):
            self._skip = False
        elif kind == keys.ECDH_INIT:
            self._exchange(read.string())
        elif kind == keys.NEWKEYS:
            self._turn()
        elif not self._session:
            raise Broken(PROTOCOL_ERROR, f"message {kind} before keys")
        elif kind == SERVICE_REQUEST:
            self._serve(read.text())
        elif kind == USERAUTH_REQUEST:
            self._prove(read)
        elif not self.user:
            raise Broken(PROTOCOL_ERROR, f"message {kind} before anybody came in")
        else:
            self._connected(kind, read)

    # -- keys
    def _begin(self, theirs: bytes) -> None:
        if self._held is None:  # once more: the client wants fresh keys
            self._held = []
            self._offer()
        elif self._agreed is not None:
            raise Broken(PROTOCOL_ERROR, "two offers")
        self._agreed, self._their_offer = keys.agree(theirs), theirs
        self._skip = self._agreed.wrong_guess

    def _exchange(self, theirs: bytes) -> None:
        if self._agreed is None or self._next is not None:
            raise Broken(PROTOCOL_ERROR, "half an exchange, out of turn")
        hands = keys.Hands(self._theirs, VERSION, self._their_offer, self._offered)
        shared = keys.exchange(hands, theirs, self._host)
        first = not self._session
        self._session = self._session or shared.hash
        self._send(shared.reply)
        self._send(bytes([keys.NEWKEYS]))
        self._next, self._seal = keys.seals(self._agreed, shared, self._session)
        if first and self._agreed.extensions:
            known = string("server-sig-algs") + names(keys.SIGNATURES)
            self._send(bytes([EXT_INFO]) + number(1) + known)

    def _turn(self) -> None:
        if self._next is None or self._held is None:
            raise Broken(PROTOCOL_ERROR, "new keys, out of turn")
        self._arriving.seal, self._next, self._agreed = self._next, None, None
        held, self._held = self._held, None
        for message in held:
            self._send(message)

    # -- who is it
    def _serve(self, name: str) -> None:
        if name not in _SERVICES[:1]:
            raise Broken(NOT_AVAILABLE, f"there is no service {name}")
        self._service = 1
        self._say(bytes([SERVICE_ACCEPT]) + string(name))

    def _prove(self, read: Reader) -> None:
        if not self._service:
            raise Broken(PROTOCOL_ERROR, "a proof before its service")
        if self.user:
            return  # RFC 4252, section 5.1: silently
        user, service, method = read.text(), read.text(), read.text()
        if method != "publickey" or service != _SERVICES[1]:
            self._refuse(count=method != "none")
            return
        signed, algorithm, blob = read.boolean(), read.text(), read.string()
        if algorithm not in keys.SIGNATURES or not self._ears.may(user, keys.line_of(blob)):
            self._refuse(count=True)
        elif not signed:
            self._say(bytes([USERAUTH_PK_OK]) + string(algorithm) + string(blob))
        elif keys.is_signed(algorithm, blob, read.string(), self._said(user, algorithm, blob)):
            self.user = user
            self._say(bytes([USERAUTH_SUCCESS]))
        else:
            self._refuse(count=True)

    def _said(self, user: str, algorithm: str, blob: bytes) -> bytes:
        """What the holder of the key must have signed."""
        request = string(user) + string(_SERVICES[1]) + string("publickey") + boolean(True)
        return string(self._session) + bytes([USERAUTH_REQUEST]) + request + string(algorithm) + string(blob)

    def _refuse(self, *, count: bool) -> None:
        self._failures += count
        if self._failures >= _TRIES:
            raise Broken(NO_MORE_AUTH, "Too many authentication failures")
        self._say(bytes([USERAUTH_FAILURE]) + names(["publickey"]) + boolean(False))

    # -- the channel
    def _connected(self, kind: int, read: Reader) -> None:
        if kind == GLOBAL_REQUEST:
            read.string()
            if read.boolean():
                self._say(bytes([REQUEST_FAILURE]))
        elif kind == OPEN:
            self._open(read)
        elif kind in (WINDOW, DATA, EXTENDED, EOF, CLOSE, REQUEST):
            if read.number() != 0 or self._channel is None:
                raise Broken(PROTOCOL_ERROR, "there is no such channel")
            self._on_channel(kind, read)
        else:
            self._say(bytes([UNIMPLEMENTED]) + number(0))

    def _open(self, read: Reader) -> None:
        kind, there, room, largest = read.text(), read.number(), read.number(), read.number()
        if kind != "session" or self._channel is not None:
            why = string("one session, and nothing else") + string("")
            self._say(bytes([OPEN_FAILED]) + number(there) + number(1) + why)
            return
        self._channel, self._room, self._largest = there, room, max(1, min(largest, _PIECE))
        self._say(bytes([OPENED]) + number(there) + number(0) + number(_OURS) + number(_PIECE))

    def _on_channel(self, kind: int, read: Reader) -> None:
        if kind == WINDOW:
            self._room += read.number()
            self._flow()
        elif kind == DATA:
            self._typed(read.string())
        elif kind == REQUEST:
            self._asked(read)
        elif kind == CLOSE:
            self._waiting.clear()
            self._ears.left()
            self.end()
            self.over = True

    def _typed(self, data: bytes) -> None:
        self._used += len(data)
        if self._used > _OURS:
            raise Broken(PROTOCOL_ERROR, "more than there is room for")
        if self._used >= _OURS // 2:
            self._say(bytes([WINDOW]) + number(self._channel or 0) + number(self._used))
            self._used = 0
        if self._shell:
            self._ears.typed(data)

    def _asked(self, read: Reader) -> None:
        """A terminal and its size are as they come: a serial line knows neither."""
        what, wants_answer = read.text(), read.boolean()
        done = what in ("pty-req", "window-change") or (what == "shell" and not self._shell)
        if wants_answer:
            self._say(bytes([SUCCESS if done else FAILURE]) + number(self._channel or 0))
        if what == "shell" and done:
            self._shell = True
            self._ears.entered(self.user)

    def _flow(self) -> None:
        while self._waiting and self._room and self._channel is not None:
            size = min(len(self._waiting), self._room, self._largest)
            self._say(bytes([DATA]) + number(self._channel) + string(bytes(self._waiting[:size])))
            del self._waiting[:size]
            self._room -= size
        if self._ending and not self._waiting and not self._closed and self._channel is not None:
            self._closed, there = True, number(self._channel)
            self._say(bytes([REQUEST]) + there + string("exit-status") + boolean(False) + number(0))
            self._say(bytes([EOF]) + there)
            self._say(bytes([CLOSE]) + there)
