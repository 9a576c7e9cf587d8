"""`cloudjar mail`: somebody subscribes by e-mail, confirms from the terminal, and gets the news."""

from __future__ import annotations

import os
import signal
import smtplib
import ssl
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.cli.terminal import Terminal
from tests.crash.server import until
from tests.ports import free_port


def test_mail_is_read_and_its_link_followed(up: Terminal) -> None:
    assert "No mail." in up.good("mail")
    sns = up.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="me@example.com")
    up.good("clock", "advance", "1s")
    (letter,) = up.json("mail")
    assert (letter["recipient"], letter["kind"]) == ("me@example.com", "email")
    assert "Subscription Confirmation" in up.good("mail")
    assert letter["link"] in up.good("mail", "show", str(letter["id"]))
    assert "Confirmed." in up.good("mail", "follow", str(letter["id"]))
    sns.publish(TopicArn=topic, Message="hello", Subject="greeting")
    up.good("clock", "advance", "1s")
    (newest, _) = up.json("mail", "--to", "me@example.com")
    assert (newest["subject"], newest["body"].partition("\n")[0]) == ("greeting", "hello")
    assert "asks nobody" in up.run("mail", "follow", str(newest["id"])).err
    assert "there is no letter" in up.run("mail", "show", "999").err


def test_smtp_credentials_sign_in(up: Terminal) -> None:
    shown = up.json("mail", "smtp-password", "--region", "eu-west-3")
    assert shown["endpoint"] == up.json("status")["smtp"]
    trust = ssl.create_default_context(cafile=shown["authority"])
    ses = up.client("ses")
    for address in ("from@example.com", "to@example.com"):
        ses.verify_email_identity(EmailAddress=address)
        (letter,) = up.json("mail", "--to", address)
        up.good("mail", "follow", str(letter["id"]))
    with smtplib.SMTP("127.0.0.1", urlsplit(shown["endpoint"]).port or 0, timeout=60) as client:
        client.starttls(context=trust)
        client.login(shown["user"], shown["password"])
        client.sendmail("from@example.com", "to@example.com", "From: from@example.com\r\nSubject: By SMTP\r\n\r\nHi")
    (newest, _) = up.json("mail", "--to", "to@example.com")
    assert newest["subject"] == "By SMTP"
    up.environ["AWS_SESSION_TOKEN"] = "x"
    try:
        assert "temporary" in up.run("mail", "smtp-password").err
    finally:
        del up.environ["AWS_SESSION_TOKEN"]


class Sink:
    """A server that keeps what it is sent."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []

    async def handle_DATA(self, *asked: Any) -> str:  # noqa: N802 aiosmtpd's name
        self.letters.append(asked[-1].original_content)
        return "250 OK"


def test_mail_that_waits_for_the_relay_outlives_the_server(terminal: Terminal) -> None:
    port, sink = free_port(), Sink()
    assert "a mail relay is smtp://" in terminal.run("up", "--mail-relay", "mail.example.com").err
    terminal.good("up", "--mail-relay", f"smtp://me:s3cret@127.0.0.1:{port}")
    kept = [terminal.home / name for name in ("settings.json", "running.json")]
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}
    ses = terminal.client("ses")
    for n in range(5):
        ses.verify_email_identity(EmailAddress=f"to{n}@example.com")
    assert all(letter["relay"].startswith("waiting") for letter in terminal.json("mail"))
    os.kill(terminal.json("status")["pid"], signal.SIGKILL)
    server = Controller(sink, hostname="127.0.0.1", port=port, auth_require_tls=False,
                        authenticator=lambda *_: AuthResult(success=True))  # fmt: skip
    server.start()
    try:
        terminal.good("up")
        until(lambda: {letter["relay"] for letter in terminal.json("mail")} == {"sent"}, "the mail")
    finally:
        server.stop()
    assert len({letter.partition(b"To: ")[2].partition(b"\r")[0] for letter in sink.letters}) == 5
    assert b"Email Address Verification" in sink.letters[0]
    assert b"s3cret" not in (terminal.home / "server.log").read_bytes()
    assert "s3cret" not in terminal.good("status", "--json")
    terminal.good("down")
    terminal.good("up", "--mail-relay", "")
    terminal.client("ses").verify_email_identity(EmailAddress="late@example.com")
    assert terminal.json("mail")[0]["relay"] == ""
