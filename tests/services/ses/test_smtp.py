"""SES's SMTP endpoint, through the standard library's client and bare sockets."""

from __future__ import annotations

import asyncio
import json
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest

from cloudjar.auth.smtp_passwords import password
from cloudjar.gateway.smtp import Office
from cloudjar.gateway.smtp_door import Door
from cloudjar.kit.quantities import Quantities
from tests.jar import ACCOUNT, TestJar, running
from tests.ports import free_port
from tests.services.ses.conftest import Post

REGION = "eu-west-3"
HELLO = b"From: Me <from@example.com>\r\nTo: to@example.com\r\nSubject: Hi\r\n\r\nHello\r\n.dot\r\n"


class Counter(Door):
    """The endpoint of a jar that may die and come back behind it."""

    def __init__(self, jar: TestJar) -> None:
        super().__init__(None, None, None, None)  # type: ignore[arg-type]  # the jar of the moment has them
        self._jar = jar

    @property
    def office(self) -> Office:
        return self._jar.jar.smtp.office


class Endpoint:
    """Where clients go, and with which credentials."""

    def __init__(self, jar: TestJar, *, port: int = 0, **more: Any) -> None:
        self.jar = jar
        self.door = Counter(jar)
        for name, value in more.items():
            setattr(self.door, name, value)
        jar.on_loop(self.door.listen("127.0.0.1", port, port))
        self.port = int(self.door.url.rpartition(":")[2])
        self.wrapped = int(self.door.wrapped_url.rpartition(":")[2])

    def close(self) -> None:
        self.jar.on_loop(self.door.close())

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """A client that trusts the jar's authority."""
        return ssl.create_default_context(cafile=str(self.jar.jar.tls.bundle))

    @contextmanager
    def client(self, key: str = "test", secret: str = "test", region: str = REGION) -> Iterator[smtplib.SMTP]:
        """Somebody who has signed in."""
        with self.secured() as client:
            client.login(key, password(secret, region))
            yield client

    @contextmanager
    def secured(self) -> Iterator[smtplib.SMTP]:
        """Somebody who speaks TLS."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.starttls(context=self.trust)
            yield client

    def wire(self) -> Wire:
        """A bare connection."""
        return Wire(self.port)


class Wire:
    """Bytes to and from the endpoint."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def heard(self) -> str:
        return self.file.readline().decode().rstrip()


@pytest.fixture
def endpoint(jar: TestJar) -> Iterator[Endpoint]:
    """The SMTP endpoint of the jar."""
    made = Endpoint(jar)
    yield made
    made.close()


def refused(call: Callable[..., Any], *asked: Any) -> str:
    """A refusal, as it was said."""
    with pytest.raises(smtplib.SMTPResponseException) as caught:
        call(*asked)
    error = caught.value.smtp_error
    return f"{caught.value.smtp_code} {error.decode() if isinstance(error, bytes) else error}"


def test_the_password_is_the_one_that_aws_makes() -> None:
    """Pairs that public implementations of AWS's algorithm check themselves against."""
    assert password("some+secret+key", "eu-central-1") == "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"
    assert password("some+secret+key", "us-west-1") == "BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj"


def test_a_letter_is_sent_as_by_send_raw_email(post: Post, endpoint: Endpoint) -> None:
    post.verify("from@example.com", "to@example.com", "secret@example.com")
    with endpoint.client() as client:
        assert client.sendmail("from@example.com", ["to@example.com", "secret@example.com"], HELLO) == {}
        client.mail("from@example.com")
        client.rcpt("to@example.com")
        code, said = client.data(HELLO)
    assert code == 250
    assert said.decode().startswith("Ok 01")
    assert said.decode().endswith("-000000")
    letter = post.letters("secret@example.com")[0]
    assert (letter.sender, letter.subject, letter.body) == ("Me <from@example.com>", "Hi", "Hello\n.dot")
    assert letter.region == REGION
    assert post.v1.get_send_quota()["SentLast24Hours"] == 3.0
    events = post.jar.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "SendRawEmail"}]
    )["Events"]
    shown = json.loads(events[0]["CloudTrailEvent"])
    assert (len(events), shown["sourceIPAddress"], shown["userAgent"]) == (2, "127.0.0.1", "SMTP")
    assert shown["tlsDetails"]["tlsVersion"].startswith("TLSv1.")
    counted: Quantities = post.jar.jar.world.ports["quantities"]
    found = counted.rows(post.jar.clock.now() - timedelta(days=9), post.jar.clock.now() + timedelta(hours=1))
    assert sum(one.amount for one in found if one.tally.service == "AmazonSES") == 3


def _clerk(iam: Any, **statement: Any) -> tuple[str, str]:
    """A user's key; what he may is given."""
    iam.create_user(UserName="clerk")
    if statement:
        document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
        iam.put_user_policy(UserName="clerk", PolicyName="send", PolicyDocument=document)
    key = iam.create_access_key(UserName="clerk")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_a_user_sends_what_his_policies_let_him(post: Post, iam: Any, endpoint: Endpoint) -> None:
    post.verify("from@example.com", "to@example.com", "other@example.com")
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/from@example.com"
    key, secret = _clerk(iam, Action="ses:SendRawEmail", Resource=arn)
    with endpoint.client(key, secret) as client:
        client.sendmail("from@example.com", "to@example.com", HELLO)
        other = HELLO.replace(b"from@", b"other@")
        said = refused(client.sendmail, "from@example.com", "to@example.com", other)
        assert said.startswith(f"554 Access denied: User: arn:aws:iam::{ACCOUNT}:user/clerk is not authorized")
        assert "ses:SendRawEmail" in said
        iam.update_access_key(UserName="clerk", AccessKeyId=key, Status="Inactive")
        said = refused(client.sendmail, "from@example.com", "to@example.com", HELLO)
        assert said == "535 Authentication Credentials Invalid"
    used = iam.get_access_key_last_used(AccessKeyId=key)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("ses", REGION)
    assert len(post.letters("to@example.com")) == 2  # with the one that asked for the address


def test_where_a_letter_comes_from_is_told_to_policies(post: Post, iam: Any, endpoint: Endpoint) -> None:
    post.verify("from@example.com", "to@example.com")
    elsewhere = {"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}
    key, secret = _clerk(iam, Action="ses:SendRawEmail", Resource="*", Condition=elsewhere)
    with endpoint.client(key, secret) as client:
        assert refused(client.sendmail, "from@example.com", "to@example.com", HELLO).startswith("554 Access denied")


def test_nobody_comes_in_without_smtp_credentials(jar: TestJar, iam: Any, endpoint: Endpoint) -> None:
    key, secret = _clerk(iam)
    wrong = [
        (key, secret), (key, password(secret, REGION)[:-4] + "AAA="), (key, password("other", REGION)), (key, ""),
        ("AKIA" + "A" * 16, password(secret, REGION)), ("test", "test"), ("x" * 200, password(secret, REGION)),
        (jar.client("sts").get_session_token()["Credentials"]["AccessKeyId"], password(secret, REGION)),
    ]  # fmt: skip
    for user, said in wrong:
        with endpoint.secured() as client:
            assert refused(client.login, user, said) == "535 Authentication Credentials Invalid"
            assert refused(client.sendmail, "a@b.c", "a@b.c", HELLO) == "530 Authentication required"
    with endpoint.secured() as client:
        assert client.login(key, password(secret, "us-west-2"))[0] == 235


def test_default_credentials_are_for_this_machine_alone(jar: TestJar, endpoint: Endpoint) -> None:
    endpoint.door.trusted = False
    with endpoint.secured() as client:
        assert refused(client.login, "test", password("test", REGION)) == "535 Authentication Credentials Invalid"


def test_the_name_of_the_endpoint_says_the_region(jar: TestJar, endpoint: Endpoint) -> None:
    def asked(name: str, region: str) -> str:
        context = ssl.create_default_context(cafile=str(jar.jar.tls.bundle))
        context.check_hostname = False  # the certificate is for the jar's own region
        with smtplib.SMTP("127.0.0.1", endpoint.port, timeout=60) as client:
            client._host = name  # type: ignore[attr-defined]  # what smtplib calls the server by
            client.starttls(context=context)
            try:
                return str(client.login("test", password("test", region))[0])
            except smtplib.SMTPAuthenticationError as error:
                return str(error.smtp_code)

    assert asked("email-smtp.us-west-2.amazonaws.com", "us-west-2") == "235"
    assert asked("email-smtp.us-west-2.amazonaws.com", "us-east-1") == "535"
    assert asked("localhost", "us-east-1") == "235"


def test_both_ways_of_signing_in(jar: TestJar, endpoint: Endpoint) -> None:
    said = password("test", REGION)
    with endpoint.secured() as client:
        client.ehlo()
        assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
        client.user, client.password = "test", said
        assert client.auth("LOGIN", client.auth_login, initial_response_ok=False)[0] == 235
        assert client.docmd("AUTH", "PLAIN") == (503, b"Error: already authenticated")
    with endpoint.secured() as client:
        client.ehlo()
        client.user, client.password = "test", said
        assert client.auth("PLAIN", client.auth_plain)[0] == 235
    with endpoint.secured() as client:
        client.ehlo()
        assert client.docmd("AUTH", "CRAM-MD5")[0] == 504
        assert client.docmd("AUTH", "PLAIN =")[0] == 501
        assert client.docmd("AUTH", "LOGIN")[0] == 334
        assert client.docmd("*")[0] == 501
        assert client.docmd("AUTH", "LOGIN ???")[0] == 501


def test_in_the_sandbox_everybody_must_be_verified(post: Post, endpoint: Endpoint) -> None:
    front = "554 Message rejected: Email address is not verified. The following identities failed the check in region"
    with endpoint.client() as client:
        said = refused(client.sendmail, "from@example.com", "to@example.com", HELLO)
        assert said == f"{front} EU-WEST-3: from@example.com, to@example.com"
        post.verify("from@example.com", "to@example.com")
        forged = HELLO.replace(b"from@", b"president@")
        said = refused(client.sendmail, "from@example.com", "to@example.com", forged)
        assert said == f"{front} EU-WEST-3: president@example.com"
        said = refused(client.sendmail, "away@example.com", "to@example.com", HELLO)
        assert said == f"{front} EU-WEST-3: away@example.com"
        said = refused(client.sendmail, "from@example.com", "to@example.com", b"Subject: nobody\r\n\r\nx")
        assert said == "554 Transaction failed: Missing required header 'From'."
        post.v1.update_account_sending_enabled(Enabled=False)
        said = refused(client.sendmail, "from@example.com", "to@example.com", HELLO)
        assert said == "554 Transaction failed: Email sending is disabled for your account."
    assert len(post.letters("to@example.com")) == 1


def test_the_day_and_the_second_have_an_end(tmp_path: Any) -> None:
    with running(tmp_path, throttle=True) as jar:
        post, endpoint = Post(jar), Endpoint(jar)
        for address in ("from@example.com", "to@example.com"):
            post.verify(address)
            jar.advance(seconds=5)
        with endpoint.client() as client:
            client.sendmail("from@example.com", "to@example.com", HELLO)
            said = refused(client.sendmail, "from@example.com", "to@example.com", HELLO)
            assert said == "454 Throttling failure: Maximum sending rate exceeded."
            many = [f"to+{n}@example.com" for n in range(50)]
            for _ in range(3):
                jar.advance(minutes=2)
                client.sendmail("from@example.com", many, HELLO)
            jar.advance(minutes=2)
            said = refused(client.sendmail, "from@example.com", many, HELLO)
            assert said == "454 Throttling failure: Daily message quota exceeded."
        endpoint.close()


def test_headers_name_the_configuration_set(post: Post, endpoint: Endpoint) -> None:
    post.verify("from@example.com", "to@example.com")
    queue = post.jar.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    where = post.jar.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    topic = post.jar.client("sns").create_topic(Name="told")["TopicArn"]
    post.jar.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=where["QueueArn"])
    post.v2.create_configuration_set(ConfigurationSetName="mine")
    with endpoint.client() as client:
        known = HELLO.replace(b"Subject", b"X-SES-CONFIGURATION-SET: mine\r\nX-SES-MESSAGE-TAGS: a=b\r\nSubject")
        client.sendmail("from@example.com", "to@example.com", known)
        said = refused(client.sendmail, "from@example.com", "to@example.com", known.replace(b"mine", b"none"))
    assert said == "554 Transaction failed: Configuration set <none> does not exist."


def test_nothing_goes_in_the_clear(jar: TestJar, endpoint: Endpoint) -> None:
    with smtplib.SMTP("127.0.0.1", endpoint.port, timeout=60) as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        assert client.docmd("AUTH", "PLAIN AHRlc3QAdGVzdA==") == (530, b"Must issue a STARTTLS command first")
        assert client.mail("a@b.c") == (530, b"Must issue a STARTTLS command first")


def test_tls_from_the_first_byte(post: Post, endpoint: Endpoint) -> None:
    post.verify("from@example.com", "to@example.com")
    with smtplib.SMTP_SSL("127.0.0.1", endpoint.wrapped, timeout=60, context=endpoint.trust) as client:
        assert "starttls" not in client.esmtp_features
        client.login("test", password("test", REGION))
        assert client.sendmail("from@example.com", "to@example.com", HELLO) == {}
        assert client.docmd("STARTTLS") == (503, b"Error: TLS already active")
    assert post.letters("to@example.com")[0].body == "Hello\n.dot"


def test_who_does_not_speak_tls_where_it_comes_first_is_sent_away(jar: TestJar, endpoint: Endpoint) -> None:
    with Wire(endpoint.wrapped) as wire:
        wire.say(b"EHLO me\r\n")
        assert wire.file.read().find(b"220") < 0
    patient = Endpoint(jar, patience=0.05)
    with Wire(patient.wrapped) as wire:
        assert wire.file.read() == b""
    patient.close()


def test_what_was_slipped_in_before_tls_is_forgotten(jar: TestJar, endpoint: Endpoint) -> None:
    with endpoint.wire() as wire:
        assert wire.heard() == "220 email-smtp.amazonaws.com ESMTP SimpleEmailService"
        wire.say(b"STARTTLS\r\nNOOP\r\n")
        assert wire.heard() == "220 Ready to start TLS"
        with endpoint.trust.wrap_socket(wire.socket, server_hostname="localhost") as secure:
            secure.sendall(b"VRFY me\r\n")
            assert secure.recv(100).startswith(b"502")


def test_a_message_ends_with_a_dot_between_whole_line_ends(post: Post, endpoint: Endpoint) -> None:
    post.verify("from@example.com", "to@example.com")
    with endpoint.client() as client:
        client.mail("from@example.com")
        client.rcpt("to@example.com")
        assert client.docmd("DATA")[0] == 354
        body = b"\n.\nMAIL FROM:<x@example.com>\n.\r\nRCPT TO:<x@example.com>\r.\r\n..\r\n"
        client.send(HELLO.replace(b".dot", b"..dot") + body)
        client.send(b".\r\nNOOP\r\n")
        code, said = client.getreply()
        assert (code, said[:5]) == (250, b"Ok 01")
        assert client.getreply() == (250, b"Ok")
        letter = post.letters("to@example.com")[0].body
        assert "RCPT TO:<x@example.com>" in letter
        assert letter.endswith((".\n", "."))


def test_order_and_limits(jar: TestJar, endpoint: Endpoint) -> None:
    with endpoint.client() as client:
        assert client.docmd("RCPT", "TO:<a@example.com>")[0] == 503
        assert client.docmd("DATA")[0] == 503
        assert client.docmd("MAIL", "FROM:<>") == (501, b"Invalid MAIL FROM address provided")
        assert client.docmd("MAIL", "FROM:<a@example.com> SIZE=99999999") == (552, b"Message is too long.")
        assert client.docmd("MAIL", "FROM:<a@example.com> SMTPUTF8")[0] == 555
        assert client.docmd("MAIL", "FROM:<a@example.com> BODY=8BITMIME")[0] == 250
        assert client.docmd("MAIL", "FROM:<a@example.com>")[0] == 503
        assert client.docmd("RCPT", "TO:a") == (501, b"Invalid RCPT TO address provided")
        for n in range(50):
            assert client.rcpt(f"a{n}@example.com")[0] == 250
        assert client.rcpt("one@more.example")[0] == 452
        assert client.docmd("DATA")[0] == 354
        for _ in range(11):
            client.send(b"x" * 1022 * 1024 + b"\r\n")
        assert client.docmd(".") == (552, b"Message is too long.")
        assert client.noop()[0] == 250
        assert client.rset()[0] == 250


def test_garbage_costs_its_sender_the_connection_and_nobody_else(jar: TestJar, endpoint: Endpoint) -> None:
    for said in (b"\x16\x03\x01\x00\xff" * 99, b"\0" * 20_000, b"\xff\r\n" * 30, b"GET / HTTP/1.1\r\n" * 30):
        with endpoint.wire() as wire:
            wire.say(said)
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.file.read().startswith(b"220 ")
    with endpoint.wire() as wire:
        wire.say(b"STARTTLS\r\n")
        assert [wire.heard()[:3] for _ in range(2)] == ["220", "220"]
        wire.say(b"this is not TLS, whatever it is\r\n")
        wire.file.read()
    with endpoint.client() as client:
        assert client.noop()[0] == 250


def test_who_is_silent_is_sent_away(jar: TestJar) -> None:
    endpoint = Endpoint(jar, patience=0.05)
    with endpoint.wire() as wire:
        said = wire.file.read().decode().splitlines()
    assert said == [
        "220 email-smtp.amazonaws.com ESMTP SimpleEmailService", "451 4.4.2 Timeout waiting for data from client."
    ]  # fmt: skip
    endpoint.close()


def test_only_so_many_come_in(jar: TestJar) -> None:
    endpoint = Endpoint(jar, most=1)
    with endpoint.wire() as first, endpoint.wire() as second:
        assert first.heard().startswith("220")
        assert second.file.read().endswith(b"421 Too many concurrent SMTP connections\r\n")
        first.say(b"QUIT\r\n")
        assert first.heard() == "221 Bye"
    endpoint.close()


def test_two_jars_on_one_host(jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Endpoint(jar), Counter(jar)
    monkeypatch.setattr("cloudjar.gateway.smtp_door.PORT", first.port)
    jar.on_loop(second.listen("127.0.0.1", None))
    assert second.url == ""  # who did not ask for the port goes without
    with pytest.raises(OSError, match="in use"):
        jar.on_loop(second.listen("127.0.0.1", first.port))
    jar.on_loop(second.listen("127.0.0.1", -1))
    assert second.url == ""
    first.close()


def test_a_port_that_somebody_else_has_is_not_opened_to_guests(steady_jar: TestJar) -> None:
    door, loop = steady_jar.jar.guests_smtp, steady_jar.jar._loop
    assert loop is not None
    with socket.create_server(("127.0.0.1", 0)) as others:
        ports = (free_port(), others.getsockname()[1])
        heard = asyncio.run_coroutine_threadsafe(door.listen_to_guests("127.0.0.1", ports), loop).result(60)
        assert heard == ports[:1]
        try:
            with smtplib.SMTP("127.0.0.1", ports[0], timeout=60) as client:
                assert client.noop()[0] == 250
        finally:
            asyncio.run_coroutine_threadsafe(door.close(), loop).result(60)
