"""`cloudjar mail`: somebody subscribes by e-mail, confirms from the terminal, and gets the news."""

from __future__ import annotations

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
