"""SMTP as a server of submissions speaks it, in the words of SES: bytes in, answers out, no sockets.

RFC 5321, STARTTLS of RFC 3207, AUTH of RFC 4954; https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import ClassVar, NamedTuple, Protocol

NAME = "email-smtp.amazonaws.com"
MOST = 10 << 20
"""Bytes of a message; the same as SendRawEmail takes."""
RECIPIENTS = 50
_LINE = 12_288
"""Bytes of a line; RFC 4954 wants that many for AUTH."""
_ERRORS = 20
"""Mistakes that are forgiven on a connection."""
_PATH = re.compile(r"(FROM|TO):\s*<([^<>\s]*)>((?:\s+\S+)*)\s*", re.IGNORECASE)
_END = b"\r\n.\r\n"
_ILLEGAL_BASE64 = "501 Error: invalid base64 data"


class Envelope(NamedTuple):
    """A message as it was handed in."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class Host(Protocol):
    """Who speaks for the other side."""

    def say(self, data: bytes) -> None:
        """Send."""
        ...

    def secure(self) -> None:
        """Begin TLS with whatever comes next."""
        ...

    def may(self, user: str, password: str) -> str:
        """The answer to who says who he is; one that begins with 2 lets him in."""
        ...

    def take(self, envelope: Envelope) -> None:
        """Send a message; `Talk.answer` tells what became of it."""
        ...

    def hang_up(self) -> None:
        """Close, once everything has left."""
        ...


class Talk:
    """One client's conversation."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._buffer = bytearray()
        self._secure = self._known = self._busy = self._over = False
        self._next: Callable[[str], None] | None = None
        """Who hears the next line, when it is no command."""
        self._in_data = self._too_long = False
        self._seen = self._errors = 0
        self._forget()
        self._say(f"220 {NAME} ESMTP SimpleEmailService")

    def _forget(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []

    def feed(self, data: bytes) -> None:
        """Take what the client sent."""
        self._buffer += data
        while not (self._busy or self._over) and (self._read_message if self._in_data else self._read_line)():
            pass

    @property
    def ahead(self) -> int:
        """Bytes that wait for the answer to what came before them."""
        return len(self._buffer) if self._busy else 0

    def secured(self) -> None:
        """TLS has begun: whatever was said before it may have been somebody else's."""
        self._buffer.clear()
        self._secure = True
        self._forget()

    def answer(self, text: str) -> None:
        """What became of the message that the host took."""
        self._busy = False
        self._say(text)
        self.feed(b"")

    def late(self) -> None:
        """The client is silent for too long."""
        self._end("451 4.4.2 Timeout waiting for data from client.")

    def refuse(self, text: str) -> None:
        """There is no place for this client."""
        self._end(text)

    def _say(self, *lines: str) -> None:
        if not self._over:
            self._host.say("".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace"))

    def _end(self, text: str) -> None:
        self._say(text)
        self._over = True
        self._host.hang_up()

    def _wrong(self, text: str) -> None:
        self._errors += 1
        if self._errors > _ERRORS:
            self._end("421 4.7.0 Too many errors on this connection")
        else:
            self._say(text)

    # -- reading
    def _read_line(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0 or end > _LINE:
            if len(self._buffer) > _LINE:
                self._buffer.clear()
                self._end("500 Line too long")
            return False
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        hear, self._next = self._next or self._command, None
        try:
            text = line.decode("ascii")
        except UnicodeDecodeError:
            self._wrong("500 Error: bad syntax")
            return True
        hear(text)
        return True

    def _read_message(self) -> bool:
        """Read up to what ends a message: a dot between two whole line ends, and nothing that only looks like it."""
        end = self._buffer.find(_END, max(self._seen - len(_END), 0))
        if end < 0:
            if len(self._buffer) > MOST + 2:
                self._too_long = True
                del self._buffer[: -len(_END)]
            self._seen = len(self._buffer)
            return False
        content = bytes(self._buffer[: end + 2]).replace(b"\r\n.", b"\r\n")[2:]
        del self._buffer[: end + len(_END)]
        self._in_data = False
        sender, recipients = self._sender or "", tuple(self._recipients)
        self._forget()
        if self._too_long or len(content) > MOST:
            self._say("552 Message is too long.")
        else:
            self._busy = True
            self._host.take(Envelope(sender, recipients, content))
        return True

    # -- commands
    def _command(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        hear = self._WORDS.get(word.upper())
        if hear is None:
            self._wrong("500 Error: command not recognized" if word else "500 Error: bad syntax")
        else:
            hear(self, rest.strip())

    def _ehlo(self, rest: str) -> None:
        if not rest:
            return self._wrong("501 Syntax: EHLO hostname")
        self._forget()
        return self._say(
            f"250-{NAME}", "250-8BITMIME", "250-AUTH PLAIN LOGIN" if self._secure else "250-STARTTLS", "250 Ok"
        )

    def _helo(self, rest: str) -> None:
        if not rest:
            return self._wrong("501 Syntax: HELO hostname")
        self._forget()
        return self._say(f"250 {NAME}")

    def _starttls(self, rest: str) -> None:
        if rest:
            return self._wrong("501 Syntax error (no parameters allowed)")
        if self._secure:
            return self._wrong("503 Error: TLS already active")
        self._say("220 Ready to start TLS")
        return self._host.secure()

    def _may_speak(self) -> bool:
        if not self._secure:
            self._wrong("530 Must issue a STARTTLS command first")
        elif not self._known:
            self._wrong("530 Authentication required")
        return self._secure and self._known

    def _auth(self, rest: str) -> None:
        if not self._secure:
            return self._wrong("530 Must issue a STARTTLS command first")
        if self._known:
            return self._wrong("503 Error: already authenticated")
        kind, _, first = rest.partition(" ")
        begin = {"PLAIN": self._plain, "LOGIN": self._login}.get(kind.upper())
        if begin is None:
            return self._wrong("504 Unrecognized authentication type")
        if first:
            return begin("" if first == "=" else first)
        self._next = begin
        return self._say("334 " if kind.upper() == "PLAIN" else "334 VXNlcm5hbWU6")

    def _plain(self, line: str) -> None:
        said = self._decoded(line)
        if said is None:
            return
        parts = said.split("\0")
        if len(parts) != 3:
            self._wrong(_ILLEGAL_BASE64)
        else:
            self._prove(parts[1], parts[2])

    def _login(self, line: str) -> None:
        user = self._decoded(line)
        if user is not None:
            self._next = lambda said: self._login_password(user, said)
            self._say("334 UGFzc3dvcmQ6")

    def _login_password(self, user: str, line: str) -> None:
        password = self._decoded(line)
        if password is not None:
            self._prove(user, password)

    def _decoded(self, line: str) -> str | None:
        if line == "*":
            self._wrong("501 Authentication cancelled")
            return None
        try:
            return base64.b64decode(line, validate=True).decode()
        except (binascii.Error, ValueError):
            self._wrong(_ILLEGAL_BASE64)
            return None

    def _prove(self, user: str, password: str) -> None:
        answer = self._host.may(user, password)
        self._known = answer.startswith("2")
        (self._say if self._known else self._wrong)(answer)

    def _mail(self, rest: str) -> None:
        if not self._may_speak():
            return
        found = _PATH.fullmatch(rest)
        if found is None or found[1].upper() != "FROM" or "@" not in found[2]:
            self._wrong("501 Invalid MAIL FROM address provided")
        elif self._sender is not None:
            self._wrong("503 Error: nested MAIL command")
        elif self._fits(found[3]):
            self._sender = found[2]
            self._say("250 Ok")

    def _fits(self, parameters: str) -> bool:
        for one in parameters.split():
            name, _, value = one.upper().partition("=")
            if name == "SIZE" and value.isdecimal():
                if int(value) > MOST:
                    self._wrong("552 Message is too long.")
                    return False
            elif name not in ("BODY", "AUTH"):
                self._wrong("555 MAIL FROM parameters not recognized or not implemented")
                return False
        return True

    def _rcpt(self, rest: str) -> None:
        if not self._may_speak():
            return
        found = _PATH.fullmatch(rest)
        if self._sender is None:
            self._wrong("503 Error: need MAIL command")
        elif found is None or found[1].upper() != "TO" or "@" not in found[2] or found[3]:
            self._wrong("501 Invalid RCPT TO address provided")
        elif len(self._recipients) >= RECIPIENTS:
            self._wrong("452 Too many recipients")
        else:
            self._recipients.append(found[2])
            self._say("250 Ok")

    def _data(self, rest: str) -> None:
        if rest:
            self._wrong("501 Syntax: DATA")
        elif self._may_speak():
            if not self._recipients:
                self._wrong("503 Error: need RCPT command")
                return
            self._in_data, self._too_long, self._seen = True, False, 0
            self._buffer[:0] = b"\r\n"  # so that a dot on the first line ends the message too
            self._say("354 End data with <CR><LF>.<CR><LF>")

    def _rset(self, rest: str) -> None:
        if rest:
            self._wrong("501 Syntax: RSET")
        else:
            self._forget()
            self._say("250 Ok")

    def _noop(self, rest: str) -> None:
        del rest
        self._say("250 Ok")

    def _vrfy(self, rest: str) -> None:
        del rest
        self._wrong("502 VRFY command is disabled")

    def _quit(self, rest: str) -> None:
        del rest
        self._end("221 Bye")

    _WORDS: ClassVar[dict[str, Callable[[Talk, str], None]]] = {
        "EHLO": _ehlo, "HELO": _helo, "STARTTLS": _starttls, "AUTH": _auth, "MAIL": _mail, "RCPT": _rcpt,
        "DATA": _data, "RSET": _rset, "NOOP": _noop, "VRFY": _vrfy, "QUIT": _quit,
    }  # fmt: skip
