"""Sending by both APIs: the sandbox, quotas, permissions, what arrives, what it costs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.kit.quantities import Quantities
from tests.jar import ACCOUNT, TestJar, running
from tests.services.ses.conftest import Post, refused

HI: dict[str, Any] = {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Grüße"}, "Html": {"Data": "<b>x</b>"}}}
TO = {"ToAddresses": ["to@example.com"]}


def test_in_the_sandbox_everybody_must_be_verified(post: Post) -> None:
    asked = {"Source": "Me <from@example.com>", "Destination": TO, "Message": HI}
    front = "Email address is not verified. The following identities failed the check in region EU-WEST-3: "
    assert refused(post.v1.send_email, **asked) == ("MessageRejected", front + "from@example.com, to@example.com")
    post.verify("from@example.com")
    assert refused(post.v1.send_email, **asked) == ("MessageRejected", front + "to@example.com")
    post.verify("to@example.com")
    message = post.v1.send_email(**asked)["MessageId"]
    assert message.startswith("01")
    assert message.endswith("-000000")
    letter = post.letters("to@example.com")[0]
    assert (letter.sender, letter.subject, letter.body) == ("Me <from@example.com>", "Hi", "Grüße")
    assert post.v1.get_send_quota()["SentLast24Hours"] == 1.0
    [quarter] = post.v1.get_send_statistics()["SendDataPoints"]
    assert (quarter["DeliveryAttempts"], quarter["Bounces"]) == (1, 0)


def test_a_raw_letter_goes_to_whom_its_headers_name(post: Post) -> None:
    post.verify("from@example.com", "to@example.com", "secret@example.com")
    raw = b"From: from@example.com\r\nTo: to@example.com\r\nBcc: secret@example.com\r\nSubject: Raw\r\n\r\nHello\r\n"
    post.v1.send_raw_email(RawMessage={"Data": raw})
    assert post.letters("to@example.com")[0].body == "Hello"
    assert post.letters("secret@example.com")[0].subject == "Raw"
    post.v1.send_raw_email(RawMessage={"Data": raw}, Destinations=["secret@example.com"])
    assert len(post.letters("to@example.com")) == 2  # and the letter that asked for verification
    post.v2.send_email(Content={"Raw": {"Data": raw}})
    assert len(post.letters("to@example.com")) == 3
    assert refused(post.v1.send_raw_email, RawMessage={"Data": b"To: to@example.com\r\n\r\nx"}) == (
        "InvalidParameterValue", "Missing required header 'From'."
    )  # fmt: skip


def test_production_access_is_granted_after_a_day(post: Post) -> None:
    post.verify("from@example.com")
    assert post.v2.get_account()["ProductionAccessEnabled"] is False
    asked = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://example.com", "ProductionAccessEnabled": True}
    post.v2.put_account_details(**asked)
    assert post.v2.get_account()["Details"]["ReviewDetails"] == {"Status": "PENDING"}
    assert refused(post.v2.put_account_details, **asked)[0] == "ConflictException"
    with pytest.raises(ClientError, match="not verified"):
        post.simple("anybody@example.org")
    post.jar.advance(hours=25)
    shown = post.v2.get_account()
    assert (shown["ProductionAccessEnabled"], shown["SendQuota"]["Max24HourSend"]) == (True, 50000.0)
    post.simple("anybody@example.org")
    assert post.letters("anybody@example.org")[0].body == "Hello"


def test_two_hundred_a_day(post: Post) -> None:
    post.verify("from@example.com", "to@example.com")
    many = {"ToAddresses": [f"to+{n}@example.com" for n in range(50)]}
    for _ in range(4):
        post.v1.send_email(Source="from@example.com", Destination=many, Message=HI)
    asked = {"Source": "from@example.com", "Destination": TO, "Message": HI}
    assert refused(post.v1.send_email, **asked) == ("Throttling", "Daily message quota exceeded.")
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        post.simple()
    post.jar.advance(hours=25)
    post.v1.send_email(**asked)
    too_many = {"ToAddresses": [f"to+{n}@example.com" for n in range(51)]}
    assert refused(post.v1.send_email, **{**asked, "Destination": too_many}) == (
        "InvalidParameterValue", "Recipient count exceeds 50."
    )  # fmt: skip
    counted: Quantities = post.jar.jar.world.ports["quantities"]
    found = counted.rows(post.jar.clock.now() - timedelta(days=9), post.jar.clock.now() + timedelta(hours=1))
    assert sum(one.amount for one in found if one.tally.service == "AmazonSES") == 201


def test_sending_can_be_paused(post: Post) -> None:
    post.verify("from@example.com", "to@example.com")
    post.v1.update_account_sending_enabled(Enabled=False)
    assert post.v1.get_account_sending_enabled()["Enabled"] is False
    asked = {"Source": "from@example.com", "Destination": TO, "Message": HI}
    assert refused(post.v1.send_email, **asked)[0] == "AccountSendingPausedException"
    with pytest.raises(ClientError, match="SendingPausedException"):
        post.simple()
    post.v2.put_account_sending_attributes(SendingEnabled=True)
    post.simple()


def test_who_may_send_as_whom(post: Post, iam: Any) -> None:
    post.verify("from@example.com", "to@example.com")
    iam.create_user(UserName="clerk")
    key = iam.create_access_key(UserName="clerk")["AccessKey"]
    v2 = post.jar.client("sesv2", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    content = {"Simple": HI}
    asked = {"FromEmailAddress": "from@example.com", "Destination": TO, "Content": content}
    arn = f"arn:aws:ses:eu-west-3:{ACCOUNT}:identity/from@example.com"
    code, message = refused(v2.send_email, **asked)
    assert code == "AccessDeniedException"
    assert f"ses:SendEmail on resource: {arn}" in message
    only = {"StringEquals": {"ses:FromAddress": "from@example.com"}}
    statement = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": arn, "Condition": only}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="clerk", PolicyName="send", PolicyDocument=document)
    v2.send_email(**asked)
    raw = b"From: from@example.com\r\nTo: to@example.com\r\n\r\nx"
    assert refused(v2.send_email, Content={"Raw": {"Data": raw}})[0] == "AccessDeniedException"


def test_one_a_second(tmp_path: Any) -> None:
    with running(tmp_path, throttle=True) as jar:
        post = Post(jar)
        post.verify("from@example.com")
        jar.advance(seconds=5)
        post.verify("to@example.com")
        _hold(jar)
        post.simple()
        with pytest.raises(ClientError, match="Maximum sending rate exceeded"):
            post.simple()
        jar.advance(seconds=2)
        post.simple()


def _hold(jar: TestJar) -> None:
    jar.advance(seconds=60)
