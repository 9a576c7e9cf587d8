"""The mail relay: hands the mailbox's e-mail to a real SMTP server, on a thread of its own.

It is off until somebody names a server. Its password is known here alone, and nothing that is logged or told holds it.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from cloudjar.base.settings import is_loopback
from cloudjar.kit import outgoing_mail
from cloudjar.kit.context import World
from cloudjar.kit.outgoing_mail import Outgoing

if TYPE_CHECKING:
    import smtplib
    import ssl

log = logging.getLogger("cloudjar.relay")

TIMEOUT = 60.0
"""Seconds for each answer of the server."""


class Address(NamedTuple):
    """The server: ``smtp://[user:password@]host[:port]``, or ``smtps`` for TLS from the first byte."""

    secure: bool
    host: str
    port: int
    user: str
    password: str

    @property
    def shown(self) -> str:
        """Without what nobody need know."""
        return f"{'smtps' if self.secure else 'smtp'}://{self.host}:{self.port}"


def parse(url: str) -> Address:
    """A server's address. Raises ValueError, which does not repeat what it may hold of a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("a mail relay is smtp://host:port, perhaps with user:password@ before it") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError("a mail relay is smtp://host:port, perhaps with user:password@ before it")
    secure = parts.scheme == "smtps"
    usual = 465 if secure else 25
    return Address(secure, parts.hostname, port or usual, unquote(parts.username or ""), unquote(parts.password or ""))


class Relay:
    """Sends what `kit.outgoing_mail` keeps."""

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._database = world.state.database
        self._at = parse(url)
        self._stirred = threading.Condition()
        self._news = True
        self._closed = threading.Event()
        self._failures = 0
        """Times in a row that the server was not there."""
        outgoing_mail.ready(self._database)
        world.ports[outgoing_mail.PORT] = self.stir
        world.at_stop.append(self.close)
        self._thread = threading.Thread(target=self._run, name="cloudjar-relay", daemon=True)
        self._thread.start()

    def stir(self) -> None:
        """There is something to send."""
        with self._stirred:
            self._news = True
            self._stirred.notify()

    def close(self) -> None:
        """Send no more. What is on its way may still be taken, and is sent again at the next start."""
        with self._stirred:
            self._closed.set()
            self._stirred.notify()
        self._thread.join(1)

    def _now(self) -> float:
        return self._world.clock.real().timestamp()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                pause = self._send_due()
            except Exception:
                if self._closed.is_set():  # the database goes before this thread does
                    return
                log.exception("the mail relay failed")
                pause, self._failures = outgoing_mail.LONGEST, 1
            if pause is None:
                self._failures = 0
            with self._stirred:
                if self._failures:  # news do not bring back a server that is away
                    self._stirred.wait_for(self._closed.is_set, pause)
                elif not self._news and not self._closed.is_set():
                    self._stirred.wait_for(lambda: self._closed.is_set() or self._news, pause)
                self._news = False

    def _send_due(self) -> float | None:
        """Send everything whose turn it is; seconds until the next is due, None when nothing waits."""
        while letters := outgoing_mail.due(self._database, self._now()):
            try:
                self._send_all(letters)
            except _Away as away:
                self._failures += 1
                log.warning("the mail relay %s does not take mail: %s", self._at.shown, away)
                if self._failures == 1:  # so that `cloudjar mail` says why
                    outgoing_mail.put_off(self._database, letters[0], str(away), self._now())
                return min(2.0 ** min(self._failures - 1, 30), outgoing_mail.LONGEST)
            if self._closed.is_set():
                break
        at = outgoing_mail.next_due(self._database)
        return None if at is None else max(at - self._now(), 0.0)

    def _send_all(self, letters: list[Outgoing]) -> None:
        import smtplib

        server = self._connected()
        self._failures = 0
        try:
            for letter in letters:
                if self._closed.is_set() or not self._send(server, letter):
                    break
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _connected(self) -> smtplib.SMTP:
        import smtplib
        import ssl

        at = self._at
        verified = ssl.create_default_context()
        try:
            if at.secure:
                server: smtplib.SMTP = smtplib.SMTP_SSL(at.host, at.port, timeout=TIMEOUT, context=verified)
            else:
                server = smtplib.SMTP(at.host, at.port, timeout=TIMEOUT)
        except (OSError, smtplib.SMTPException) as error:
            raise _Away(_words(error)) from None
        try:
            server.ehlo_or_helo_if_needed()
            if not at.secure and server.has_extn("starttls"):
                server.starttls(context=verified if at.user else _any_certificate())
            elif not at.secure and at.user and not is_loopback(at.host):
                raise _Away("it offers no TLS, and the password is not sent in the clear")
            if at.user:
                server.login(at.user, at.password)
        except (OSError, smtplib.SMTPException) as error:
            server.close()
            raise _Away(_words(error)) from None
        except _Away:
            server.close()
            raise
        return server

    def _send(self, server: smtplib.SMTP, letter: Outgoing) -> bool:
        """Hand over one letter; False when the connection is of no use any more."""
        import smtplib

        try:
            server.sendmail(letter.sender, [letter.recipient], letter.message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = error.recipients[letter.recipient]
            self._turned_down(letter, code, said)
        except smtplib.SMTPResponseException as error:
            self._turned_down(letter, error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise _Away(_words(error)) from None
        except (ValueError, UnicodeError, smtplib.SMTPException) as error:
            outgoing_mail.refused(self._database, letter, _words(error))
        else:
            outgoing_mail.sent(self._database, letter)
            return True
        with suppress(OSError, smtplib.SMTPException):
            server.rset()
            return True
        return False

    def _turned_down(self, letter: Outgoing, code: int, said: bytes | str) -> None:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        why = f"{code} {' '.join(text.split())}"
        if 500 <= code < 600:
            outgoing_mail.refused(self._database, letter, why)
            log.warning("the mail relay %s refused letter %s: %s", self._at.shown, letter.id, why)
        else:
            outgoing_mail.put_off(self._database, letter, why, self._now())


class _Away(Exception):
    """The server takes nothing from anybody now."""


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _any_certificate() -> ssl.SSLContext:
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
