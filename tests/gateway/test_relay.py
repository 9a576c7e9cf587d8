"""The mail relay, against a real SMTP server."""

from __future__ import annotations

import gc
import logging
import threading
import warnings
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from cloudjar.gateway import relay
from cloudjar.gateway.relay import Relay
from cloudjar.kit import mailbox, outgoing_mail
from cloudjar.kit.mailbox import Mail
from tests.crash.server import until
from tests.jar import ACCOUNT, TestJar
from tests.ports import free_port


class Server:
    """Takes mail as it is told to: `answers` maps a recipient to what he is refused with."""

    def __init__(self, port: int, **more: Any) -> None:
        self.port = port
        self.letters: list[tuple[str, str, bytes]] = []
        self.answers: dict[str, str] = {}
        self.known: list[tuple[bytes, bytes]] = []
        self._more = more
        self._controller: Controller | None = None

    async def handle_RCPT(self, *asked: Any) -> str:  # noqa: N802 aiosmtpd's name
        _, _, envelope, address, _ = asked
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *asked: Any) -> str:  # noqa: N802 aiosmtpd's name
        _, _, envelope = asked
        self.letters.append((envelope.mail_from, envelope.rcpt_tos[0], envelope.original_content))
        return "250 OK"

    def authenticate(self, *asked: Any) -> AuthResult:
        data = asked[-1]
        self.known.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss")

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **self._more)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
            with warnings.catch_warnings():  # after STARTTLS it leaves a transport to the collector
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that is not there yet."""
    made = Server(free_port())
    yield made
    made.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is put off is tried again soon."""
    monkeypatch.setattr(outgoing_mail, "LONGEST", 0.05)


def _deliver(jar: TestJar, *recipients: str, subject: str = "Hi", kind: str = "email", message: bytes = b"") -> None:
    world = jar.jar.world
    world.settings = {**world.settings, "mail_relay": True}
    for one in recipients:
        with world.state.database.transaction():
            mailbox.deliver(
                world, Mail(ACCOUNT, "eu-west-3", kind, "AWS <aws@example.com>", one, subject, "Grüße"), message
            )


def _fates(jar: TestJar) -> list[str]:
    """Oldest first."""
    return [one.relay for one in reversed(mailbox.letters(jar.jar.world))]


def test_what_lands_in_the_mailbox_goes_out(steady_jar: TestJar, server: Server) -> None:
    server.start()
    Relay(steady_jar.jar.world, f"smtp://127.0.0.1:{server.port}")
    _deliver(steady_jar, "a@example.com", subject="Hi\r\nBcc: x@example.com")
    _deliver(steady_jar, "+15550100", kind="sms")
    _deliver(steady_jar, "b@example.com", message=b"From: me@example.com\r\nSubject: whole\r\n\r\n.\r\nx\r\n")
    until(lambda: len(server.letters) == 2, "the mail")
    (sender, to, text), (_, second, whole) = server.letters
    assert (sender, to, second) == ("aws@example.com", "a@example.com", "b@example.com")
    read = message_from_bytes(text)
    assert (read["From"], read["To"], read["Bcc"]) == ("AWS <aws@example.com>", "a@example.com", None)
    assert read["Subject"] == "Hi Bcc: x@example.com"
    assert read["Message-ID"].endswith("@cloudjar.invalid>")
    assert "Grüße" in read.get_payload(decode=True).decode()  # type: ignore[union-attr]  # it is no multipart
    assert whole == b"From: me@example.com\r\nSubject: whole\r\n\r\n.\r\nx\r\n"
    until(lambda: _fates(steady_jar) == ["sent", "", "sent"], "the mailbox to say so")


@pytest.mark.usefixtures("quick")
def test_a_server_that_is_away_is_waited_for(steady_jar: TestJar, server: Server) -> None:
    Relay(steady_jar.jar.world, f"smtp://127.0.0.1:{server.port}")
    _deliver(steady_jar, "a@example.com", "b@example.com")
    until(lambda: "refused" in _fates(steady_jar)[0], "the first attempt")
    assert all(fate.startswith("waiting") for fate in _fates(steady_jar))
    server.start()
    until(lambda: _fates(steady_jar) == ["sent", "sent"], "the mail")
    assert sorted(to for _, to, _ in server.letters) == ["a@example.com", "b@example.com"]


@pytest.mark.usefixtures("quick")
def test_who_is_refused_does_not_hold_up_others(steady_jar: TestJar, server: Server) -> None:
    server.answers = {"no@example.com": "550 5.1.1 nobody of that name", "later@example.com": "451 4.7.1 greylisted"}
    server.start()
    Relay(steady_jar.jar.world, f"smtp://127.0.0.1:{server.port}")
    _deliver(steady_jar, "no@example.com", "later@example.com", "a@example.com")
    wanted = ["refused: 550 5.1.1 nobody of that name", "waiting: 451 4.7.1 greylisted", "sent"]
    until(lambda: _fates(steady_jar) == wanted, "each to have his fate")
    server.answers.clear()
    until(lambda: _fates(steady_jar)[1] == "sent", "the second attempt")
    assert _fates(steady_jar)[0] == wanted[0]


def test_after_four_days_a_letter_is_given_up(steady_jar: TestJar) -> None:
    database = steady_jar.jar.database
    _deliver(steady_jar, "a@example.com")
    now = steady_jar.jar.clock.real().timestamp()
    (letter,) = outgoing_mail.due(database, now)
    outgoing_mail.put_off(database, letter, "busy", now)
    assert outgoing_mail.due(database, now) == []
    assert outgoing_mail.next_due(database) == pytest.approx(now + 1)
    outgoing_mail.put_off(database, letter._replace(tries=20), "busy", now)
    assert outgoing_mail.next_due(database) == pytest.approx(now + 300)
    outgoing_mail.put_off(database, letter, "busy", now + 5 * 86400)
    assert _fates(steady_jar) == ["refused: given up: busy"]
    assert outgoing_mail.next_due(database) is None


def test_a_password_goes_over_tls_and_into_no_log(
    steady_jar: TestJar, server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SSL_CERT_FILE", str(steady_jar.jar.tls.bundle))
    server._more = {
        "tls_context": steady_jar.jar.tls.context(), "require_starttls": True, "auth_required": True,
        "authenticator": server.authenticate,
    }  # fmt: skip
    server.start()
    Relay(steady_jar.jar.world, f"smtp://me:p%40ss@localhost:{server.port}")
    _deliver(steady_jar, "a@example.com")
    until(lambda: _fates(steady_jar) == ["sent"], "the mail")
    assert server.known == [(b"me", b"p@ss")]
    told = caplog.text + repr(_fates(steady_jar))
    assert "p@ss" not in told
    assert "p%40ss" not in told


@pytest.mark.usefixtures("quick")
def test_a_password_is_not_said_in_the_clear(
    steady_jar: TestJar, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    monkeypatch.setattr(relay, "is_loopback", lambda host: False)
    Relay(steady_jar.jar.world, f"smtp://me:p%40ss@127.0.0.1:{server.port}")
    _deliver(steady_jar, "a@example.com")
    until(lambda: "not sent in the clear" in _fates(steady_jar)[0], "the reason")
    assert server.letters == []


@pytest.mark.parametrize("wrong", ["host:25", "http://host", "smtp://", "smtp://a:b@c:port", "smtp://h/p", "smtp://h?x"])
def test_what_is_no_address_of_a_server(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"^a mail relay is smtp") as caught:
        relay.parse(wrong)
    assert "a:b" not in str(caught.value)


def test_addresses() -> None:
    assert relay.parse("smtp://host") == (False, "host", 25, "", "")
    assert relay.parse("smtps://u:p%3A@h").shown == "smtps://h:465"
    assert relay.parse("smtps://u:p%3A@h")[3:] == ("u", "p:")


def test_nothing_is_kept_without_a_relay(steady_jar: TestJar, tmp_path: Path) -> None:
    with steady_jar.jar.database.transaction():
        mailbox.deliver(steady_jar.jar.world, Mail(ACCOUNT, "eu-west-3", "email", "a@b.c", "d@e.f", "s", "b"))
    assert _fates(steady_jar) == [""]
    assert outgoing_mail.next_due(steady_jar.jar.database) is None
    assert not [t for t in threading.enumerate() if t.name == "cloudjar-relay" and t.is_alive()]
