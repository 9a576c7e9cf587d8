"""Who may: users by their policies, other accounts and services by the queue's; what is asked of KMS."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.iam.people import allow, policy, user
from tests.services.sqs.conftest import Box

TOPIC = f"arn:aws:sns:eu-west-3:{ACCOUNT}:news"


def statement(arn: str, principal: Any, action: str = "sqs:SendMessage", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn, **more}


def test_users_may_what_their_policies_say(jar: TestJar, box: Box) -> None:
    person = user(jar, "sender", allow("sqs:SendMessage", on=box.arn))
    sqs = person.client("sqs")
    sqs.send_message(QueueUrl=box.url, MessageBody="x")
    sqs.send_message_batch(QueueUrl=box.url, Entries=[{"Id": "a", "MessageBody": "y"}])
    kind, message = refused(sqs.receive_message, QueueUrl=box.url)
    assert kind == "AccessDeniedException"
    assert f"sqs:ReceiveMessage on resource: {box.arn}" in message
    assert code(sqs.receive_message, QueueUrl=f"{box.url}x") == "AccessDeniedException"
    events = jar.client("cloudtrail").lookup_events(LookupAttributes=[])["Events"]
    assert "CreateQueue" in {event["EventName"] for event in events}
    assert not {"SendMessage", "ReceiveMessage"} & {event["EventName"] for event in events}


def test_what_was_allowed_once_is_decided_anew_when_anything_has_changed(jar: TestJar, box: Box) -> None:
    person = user(jar, "sender", allow("sqs:*", on=box.arn))
    sqs, iam = person.client("sqs"), jar.client("iam")

    def sends() -> str:
        for _ in range(2):  # the second time it is known
            try:
                sqs.send_message(QueueUrl=box.url, MessageBody="x")
            except sqs.exceptions.ClientError as error:
                return str(error.response["Error"]["Code"])
        return "sent"

    assert sends() == "sent"
    box.set(Policy=policy({"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": box.arn}))
    assert sends() == "AccessDeniedException"
    box.set(Policy="")
    assert sends() == "sent"
    denied = {"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "*"}
    iam.put_user_policy(UserName="sender", PolicyName="no", PolicyDocument=policy(denied))
    jar.advance(minutes=1)
    assert sends() == "AccessDeniedException"
    after = (jar.clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    later = {**denied, "Condition": {"DateGreaterThan": {"aws:CurrentTime": after}}}
    iam.put_user_policy(UserName="sender", PolicyName="no", PolicyDocument=policy(later))
    jar.advance(minutes=1)
    assert sends() == "sent"
    jar.advance(hours=2)
    assert sends() == "AccessDeniedException"


def test_a_service_may_send_when_the_policy_lets_its_resource(jar: TestJar, box: Box) -> None:
    def publish(source: str = TOPIC) -> None:
        who = callers.service("sns.amazonaws.com", ACCOUNT, source)
        jar.jar.world.invoke("sqs", "SendMessage", {"QueueUrl": box.url, "MessageBody": "n"}, who, "eu-west-3")  # type: ignore[misc]  # a running jar has it

    with pytest.raises(AwsError, match="AccessDenied"):
        publish()
    condition = {"ArnEquals": {"aws:SourceArn": TOPIC}}
    box.set(Policy=policy(statement(box.arn, {"Service": "sns.amazonaws.com"}, Condition=condition)))
    publish()
    with pytest.raises(AwsError, match="AccessDenied"):
        publish(f"{TOPIC}-other")
    assert box.bodies() == ["n"]


def test_a_queue_is_encrypted_under_a_key_that_decides_too(jar: TestJar, box: Box) -> None:
    kms = jar.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    box.set(KmsMasterKeyId=key)
    assert (box.attribute("KmsMasterKeyId"), box.attribute("SqsManagedSseEnabled")) == (key, "false")
    box.send("secret")
    raw = jar.jar.database.query("SELECT data FROM sqs_message")[0][0]
    assert raw[:1] == b"\2"
    assert b"secret" not in raw
    person = user(jar, "reader", allow("sqs:*")).client("sqs")
    assert code(person.receive_message, QueueUrl=box.url) == "KmsAccessDenied"
    assert box.depth() == (1, 0, 0)
    iam = jar.client("iam")
    iam.put_user_policy(UserName="reader", PolicyName="k", PolicyDocument=policy(allow("kms:Decrypt", on=key)))
    [message] = person.receive_message(QueueUrl=box.url)["Messages"]
    assert message["Body"] == "secret"
    assert code(person.send_message, QueueUrl=box.url, MessageBody="x") == "KmsAccessDenied"
    kms.disable_key(KeyId=key)
    jar.advance(seconds=301)
    assert code(box.send) == "KmsDisabled"
    box.set(SqsManagedSseEnabled="true")
    assert box.attribute("KmsMasterKeyId") == ""
    box.send("sealed")
    box.set(SqsManagedSseEnabled="false")
    box.send("plain")
    kinds = [row[0][:1] for row in jar.jar.database.query("SELECT data FROM sqs_message ORDER BY id")]
    assert kinds == [b"\2", b"\1", b"\0"]


def test_the_managed_key_is_made_when_it_is_first_needed(jar: TestJar, sqs: Any) -> None:
    box = Box(jar, sqs, "managed", KmsMasterKeyId="alias/aws/sqs")
    box.send("hello")
    assert box.bodies() == ["hello"]
    aliases = jar.client("kms").list_aliases()["Aliases"]
    assert "alias/aws/sqs" in {alias["AliasName"] for alias in aliases}


def test_policies_are_kept_as_they_were_given(box: Box) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement(box.arn, "*", "sqs:*")]}, indent=1)
    box.set(Policy=text)
    assert box.attribute("Policy") == text
    wrong = policy(statement(box.arn, "*", "ec2:RunInstances"))
    assert code(box.set, Policy=wrong) == "InvalidAttributeValue"
