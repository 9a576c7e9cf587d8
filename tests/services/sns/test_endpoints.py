"""Topics that send over HTTP, by e-mail and to telephones: asked first, tried again, ended by a link."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cloudjar.kit import mailbox
from tests.jar import TestJar
from tests.services.ec2.asking import refused
from tests.services.sns.conftest import News, lets_in
from tests.services.sqs.conftest import Box

pytestmark = pytest.mark.timeout(120)


class Hook:
    """An HTTP endpoint that remembers what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], str]] = []
        self.came = threading.Condition()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                with hook.came:
                    hook.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    hook.came.notify_all()
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 http.server's own signature
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int) -> list[tuple[dict[str, str], str]]:
        """The requests so far, when there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.got) >= count, 60), f"{len(self.got)} of {count} came"
            return list(self.got)


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def news(steady_jar: TestJar) -> News:
    return News(steady_jar, steady_jar.client("sns"))


def until(jar: TestJar, holds: Callable[[], bool]) -> None:
    """Let the jar come to rest until something holds."""
    pause = threading.Event()
    for _ in range(6000):
        jar.settle()
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("it does not come to that")


def on_its_way(jar: TestJar) -> int:
    """Attempts that are still to be made."""
    found: int = jar.jar.database.query("SELECT count(*) FROM sns_delivery")[0][0]
    return found


def follow(url: str) -> str:
    """Open a link."""
    with urllib.request.urlopen(url) as answer:
        text: str = answer.read().decode()
        return text


def test_an_endpoint_confirms_and_then_gets_signed_messages(news: News, hook: Hook) -> None:
    arn = news.subscribe("http", hook.url)
    [(headers, body)] = hook.wait(1)
    asked = json.loads(body)
    assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    assert (asked["Type"], asked["TopicArn"]) == ("SubscriptionConfirmation", news.arn)
    news.publish("before")  # nobody has confirmed yet
    assert arn in follow(asked["SubscribeURL"])
    until(news.jar, lambda: on_its_way(news.jar) == 0)
    news.publish("after")
    [_, (headers, body)] = hook.wait(2)
    told = json.loads(body)
    assert (told["Message"], headers["x-amz-sns-subscription-arn"]) == ("after", arn)
    assert "PRIVATE" not in follow(told["SigningCertURL"])
    follow(told["UnsubscribeURL"])
    assert news.client.list_subscriptions()["Subscriptions"] == []


def confirmed(news: News, hook: Hook, **attributes: str) -> str:
    """A confirmed subscription."""
    before = len(hook.got)
    arn = news.subscribe("http", hook.url, **attributes)
    body = hook.wait(before + 1)[before][1]
    follow(json.loads(body)["SubscribeURL"])
    until(news.jar, lambda: on_its_way(news.jar) == 0)
    return arn


def test_a_failing_endpoint_is_tried_again_and_then_given_up(news: News, hook: Hook) -> None:
    dead = Box(news.jar, news.jar.client("sqs"), "dead")
    dead.set(Policy=lets_in(news.arn, dead.arn))
    confirmed(news, hook, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}), RawMessageDelivery="true")
    hook.status = 503
    news.publish("again and again")
    for attempts in range(2, 6):  # one, and three more
        got = hook.wait(attempts)
        assert got[-1][1] == "again and again"
        assert got[-1][0]["x-amz-sns-rawdelivery"] == "true"
        until(news.jar, lambda: "sns.flying" in news.jar.jar.world.ports and not news.jar.jar.world.ports["sns.flying"])
        news.jar.advance(seconds=20)
    until(news.jar, lambda: on_its_way(news.jar) == 0)
    assert dead.bodies() == ["again and again"]
    hook.status = 404
    news.publish("never")
    hook.wait(6)
    until(news.jar, lambda: on_its_way(news.jar) == 0)
    assert dead.bodies() == ["never"]


def test_an_endpoint_that_comes_back_gets_what_it_missed(news: News, hook: Hook) -> None:
    retries = {"minDelayTarget": 5, "maxDelayTarget": 5, "numRetries": 50}
    policy = json.dumps({"healthyRetryPolicy": retries})
    confirmed(news, hook, RawMessageDelivery="true", DeliveryPolicy=policy)
    hook.status = 500
    news.publish("one")
    hook.wait(2)
    until(news.jar, lambda: not news.jar.jar.world.ports["sns.flying"])
    news.jar.crash()
    hook.status = 200
    news.jar.advance(seconds=5)
    hook.wait(3)
    until(news.jar, lambda: on_its_way(news.jar) == 0)
    assert hook.got[-1][1] == "one"


def test_mail_lands_in_the_mailbox_with_links_that_work(news: News) -> None:
    arn = news.subscribe("email", "me@example.com")
    world = news.jar.jar.world
    [letter] = mailbox.letters(world)
    assert (letter.mail.recipient, letter.mail.kind) == ("me@example.com", "email")
    assert news.client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "true"
    follow(letter.mail.link)
    news.publish("hello", Subject="greeting")
    letter = mailbox.letters(world, recipient="me@example.com")[0]
    assert letter.mail.subject == "greeting"
    assert letter.mail.body.startswith("hello\n")
    follow(letter.mail.body.rpartition("visit:\n")[2].strip())
    assert news.client.list_subscriptions()["Subscriptions"] == []
    news.publish("gone")
    assert len(mailbox.letters(world)) == 2


def test_mail_as_json_and_texts_to_telephones(news: News) -> None:
    world = news.jar.jar.world
    news.subscribe("email-json", "me@example.com")
    follow(mailbox.letters(world)[0].mail.link)
    news.subscribe("sms", "+33612345678")
    news.publish("hello")
    found = {letter.mail.kind: letter.mail for letter in mailbox.letters(world, limit=2)}
    assert json.loads(found["email"].body)["Message"] == "hello"
    assert (found["sms"].recipient, found["sms"].body) == ("+33612345678", "hello")
    news.client.publish(PhoneNumber="+33611111111", Message="direct")
    assert mailbox.letters(world)[0].mail.body == "direct"
    assert refused(news.client.publish, PhoneNumber="12", Message="x")[0] == "InvalidParameter"


def test_who_does_not_confirm_in_two_days_is_forgotten(news: News) -> None:
    news.subscribe("email", "me@example.com")
    link = mailbox.letters(news.jar.jar.world)[0].mail.link
    news.jar.advance(days=2, seconds=1)
    assert news.client.list_subscriptions()["Subscriptions"] == []
    with pytest.raises(urllib.error.HTTPError):
        follow(link)


def test_who_confirms_with_a_signature_may_keep_others_from_ending_it(news: News) -> None:
    news.subscribe("email", "me@example.com")
    link = mailbox.letters(news.jar.jar.world)[0].mail.link
    token = link.rpartition("Token=")[2]
    answer = news.client.confirm_subscription(TopicArn=news.arn, Token=token, AuthenticateOnUnsubscribe="true")
    arn = answer["SubscriptionArn"]
    with pytest.raises(urllib.error.HTTPError):
        follow(f"{news.jar.endpoint}/?Action=Unsubscribe&SubscriptionArn={arn}")
    news.client.unsubscribe(SubscriptionArn=arn)
    assert refused(news.client.confirm_subscription, TopicArn=news.arn, Token="x") == (
        "InvalidParameter", "Invalid parameter: Token",
    )  # fmt: skip
