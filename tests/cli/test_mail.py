"""`cloudjar mail`: somebody subscribes by e-mail, confirms from the terminal, and gets the news."""

from __future__ import annotations

import smtplib
import ssl
from urllib.parse import urlsplit

from tests.cli.terminal import Terminal


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
