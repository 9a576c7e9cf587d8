"""What becomes of letters, and who is told: the mailbox simulator, suppression, sets, topics, policies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT
from tests.services.ses.conftest import Post, refused
from tests.services.sqs.conftest import Box

FROM, TO = "from@example.com", "to@example.com"


class Topic:
    """A topic that SES may publish to, and a queue that hears it."""

    def __init__(self, post: Post, name: str = "feedback") -> None:
        sns = post.jar.client("sns")
        self.post = post
        self.arn = str(sns.create_topic(Name=name)["TopicArn"])
        statement = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sns:Publish",
                     "Resource": self.arn, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}  # fmt: skip
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sns.set_topic_attributes(TopicArn=self.arn, AttributeName="Policy", AttributeValue=document)
        self.box = Box(post.jar, post.jar.client("sqs"), name)
        lets = {**statement, "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                "Resource": self.box.arn}  # fmt: skip
        del lets["Condition"]
        self.box.set(Policy=json.dumps({"Version": "2012-10-17", "Statement": [lets]}))
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=self.box.arn, Attributes=raw)

    def heard(self) -> list[dict[str, Any]]:
        """Everything that came, and is now taken."""
        self.post.jar.settle()
        client, url, found = self.post.jar.client("sqs"), self.box.url, []
        while got := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for one in got:
                client.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
                found.append(json.loads(one["Body"]))
        return found


@pytest.fixture
def ready(post: Post) -> Post:
    """Two verified addresses and a set."""
    post.verify(FROM, TO)
    post.v2.create_configuration_set(ConfigurationSetName="main")
    return post


def test_the_simulator_bounces_and_complains_and_the_identitys_topic_is_told(ready: Post) -> None:
    topic = Topic(ready)
    for kind in ("Bounce", "Complaint"):
        ready.v1.set_identity_notification_topic(Identity=FROM, NotificationType=kind, SnsTopic=topic.arn)
    ready.simple("bounce+label1@simulator.amazonses.com")
    ready.simple("complaint@simulator.amazonses.com")
    ready.simple("success@simulator.amazonses.com")
    told = {one["notificationType"]: one for one in topic.heard()}
    assert set(told) == {"Bounce", "Complaint"}
    bounce = told["Bounce"]["bounce"]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Permanent", "General")
    assert bounce["bouncedRecipients"][0]["emailAddress"] == "bounce+label1@simulator.amazonses.com"
    assert told["Bounce"]["mail"]["sourceArn"] == f"arn:aws:ses:eu-west-3:{ACCOUNT}:identity/{FROM}"
    assert "headers" not in told["Bounce"]["mail"]
    assert told["Complaint"]["complaint"]["complaintFeedbackType"] == "abuse"
    assert ready.letters("bounce+label1@simulator.amazonses.com") == []
    assert [one.subject for one in ready.letters(FROM)[:2]] == ["Complaint notification: Hi", "Bounce notification: Hi"]
    [quarter] = ready.v1.get_send_statistics()["SendDataPoints"]
    assert (quarter["DeliveryAttempts"], quarter["Bounces"], quarter["Complaints"]) == (3, 1, 1)
    ready.v1.set_identity_feedback_forwarding_enabled(Identity=FROM, ForwardingEnabled=False)
    shown = ready.v1.get_identity_notification_attributes(Identities=[FROM])["NotificationAttributes"][FROM]
    assert (shown["BounceTopic"], shown["ForwardingEnabled"]) == (topic.arn, False)


def test_a_sets_destinations_are_told_of_what_they_ask_for(ready: Post) -> None:
    topic = Topic(ready)
    aimed = {"Enabled": True, "MatchingEventTypes": ["SEND", "DELIVERY"], "SnsDestination": {"TopicArn": topic.arn}}
    asked = {"ConfigurationSetName": "main", "EventDestinationName": "topic", "EventDestination": aimed}
    ready.v2.create_configuration_set_event_destination(**asked)
    assert refused(ready.v2.create_configuration_set_event_destination, **asked)[0] == "AlreadyExistsException"
    ready.simple(ConfigurationSetName="main", EmailTags=[{"Name": "campaign", "Value": "one"}])
    told = {one["eventType"]: one for one in topic.heard()}
    assert set(told) == {"Send", "Delivery"}
    assert told["Delivery"]["delivery"]["recipients"] == [TO]
    tags = told["Send"]["mail"]["tags"]
    assert (tags["campaign"], tags["ses:configuration-set"]) == (["one"], ["main"])
    raw = b"From: from@example.com\r\nTo: to@example.com\r\nX-SES-CONFIGURATION-SET: main\r\n\r\nx"
    ready.v1.send_raw_email(RawMessage={"Data": raw})
    assert len(topic.heard()) == 2
    shown = ready.v1.describe_configuration_set(
        ConfigurationSetName="main", ConfigurationSetAttributeNames=["eventDestinations"]
    )["EventDestinations"]
    assert shown == [{
        "Name": "topic", "Enabled": True, "MatchingEventTypes": ["send", "delivery"],
        "SNSDestination": {"TopicARN": topic.arn},
    }]  # fmt: skip
    ready.v1.delete_configuration_set_event_destination(ConfigurationSetName="main", EventDestinationName="topic")
    ready.simple(ConfigurationSetName="main")
    assert topic.heard() == []


def test_metrics_by_tag_and_events_on_the_default_bus(ready: Post) -> None:
    dimension = {"DimensionName": "campaign", "DimensionValueSource": "MESSAGE_TAG", "DefaultDimensionValue": "none"}
    places: dict[str, Any] = {
        "watch": {"CloudWatchDestination": {"DimensionConfigurations": [dimension]}},
        "bus": {"EventBridgeDestination": {"EventBusArn": f"arn:aws:events:eu-west-3:{ACCOUNT}:event-bus/default"}},
    }
    for name, place in places.items():
        ready.v2.create_configuration_set_event_destination(
            ConfigurationSetName="main", EventDestinationName=name,
            EventDestination={"Enabled": True, "MatchingEventTypes": ["SEND", "RENDERING_FAILURE"], **place},
        )  # fmt: skip
    ready.simple(ConfigurationSetName="main", EmailTags=[{"Name": "campaign", "Value": "one"}])
    template = {"Template": {"TemplateContent": {"Subject": "{{x}}", "Text": "x"}, "TemplateData": "{}"}}
    ready.simple(ConfigurationSetName="main", Content=template)
    found = [one for one in ready.jar.jar.events.since(0) if one.source == "aws.ses"]
    assert [one.detail_type for one in found] == ["Email Sent", "Email Rendering Failed"]
    assert "Attribute 'x' is not present" in found[1].detail["failure"]["errorMessage"]
    listed = ready.jar.client("cloudwatch").list_metrics(Namespace="AWS/SES")["Metrics"]
    named = {(one["MetricName"], one["Dimensions"][0]["Value"]) for one in listed if one["Dimensions"]}
    assert named == {("Send", "one"), ("RenderingFailure", "none")}


def test_bounces_go_where_they_are_wanted(ready: Post) -> None:
    ready.simple("bounce@simulator.amazonses.com", FeedbackForwardingEmailAddress=TO)
    assert ready.letters(TO)[0].subject == "Bounce notification: Hi"
    assert ready.letters(FROM)[0].sender == "no-reply-aws@amazon.com"
    message = {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "x"}}}
    asked = {"Source": FROM, "Destination": {"ToAddresses": [TO]}, "Message": message}
    code, text = refused(ready.v1.send_email, **asked, ReturnPath="nobody@example.com")
    assert (code, text.rpartition(": ")[2]) == ("MessageRejected", "nobody@example.com")


def test_sets_refuse(ready: Post) -> None:
    code = refused(ready.v1.create_configuration_set, ConfigurationSet={"Name": "main"})
    assert code == ("ConfigurationSetAlreadyExists", "Configuration set <main> already exists.")
    with pytest.raises(ClientError, match=r"NotFoundException.*Configuration set <none> does not exist."):
        ready.simple(ConfigurationSetName="none")
    ready.v1.update_configuration_set_sending_enabled(ConfigurationSetName="main", Enabled=False)
    with pytest.raises(ClientError, match="SendingPausedException"):
        ready.simple(ConfigurationSetName="main")
    assert ready.v2.list_configuration_sets()["ConfigurationSets"] == ["main"]
    assert ready.v2.get_configuration_set(ConfigurationSetName="main")["SendingOptions"] == {"SendingEnabled": False}
    ready.v2.delete_configuration_set(ConfigurationSetName="main")
    assert ready.v1.list_configuration_sets()["ConfigurationSets"] == []


def test_who_is_suppressed_gets_nothing(ready: Post) -> None:
    ready.v2.put_suppressed_destination(EmailAddress="To@example.com", Reason="BOUNCE")
    before = len(ready.letters(TO))
    ready.simple()
    assert len(ready.letters(TO)) == before
    assert ready.letters(FROM)[0].subject == "Bounce notification: Hi"
    shown = ready.v2.list_suppressed_destinations(Reasons=["BOUNCE"])["SuppressedDestinationSummaries"]
    assert [one["EmailAddress"] for one in shown] == [TO]
    ready.v2.put_account_suppression_attributes(SuppressedReasons=["COMPLAINT"])
    ready.simple()
    assert len(ready.letters(TO)) == before + 1
    ready.v2.delete_suppressed_destination(EmailAddress=TO)
    assert refused(ready.v2.get_suppressed_destination, EmailAddress=TO) == (
        "NotFoundException", f"Email address {TO} does not exist on your suppression list."
    )  # fmt: skip


def test_an_identitys_policy_lets_others_send(ready: Post, iam: Any) -> None:
    iam.create_user(UserName="guest")
    key = iam.create_access_key(UserName="guest")["AccessKey"]
    guest = ready.jar.client("ses", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    message = {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "x"}}}
    asked = {"Source": FROM, "Destination": {"ToAddresses": [TO]}, "Message": message}
    assert refused(guest.send_email, **asked)[0] == "AccessDenied"
    arn = f"arn:aws:ses:eu-west-3:{ACCOUNT}:identity/{FROM}"
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/guest"},
                 "Action": "ses:SendEmail", "Resource": arn}  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ready.v1.put_identity_policy(Identity=FROM, PolicyName="guests", Policy=document)
    guest.send_email(**asked)
    assert ready.v2.get_email_identity_policies(EmailIdentity=FROM)["Policies"] == {"guests": document}
    assert refused(ready.v2.create_email_identity_policy, EmailIdentity=FROM, PolicyName="x", Policy="{")[0] == (
        "BadRequestException"
    )
    ready.v2.delete_email_identity_policy(EmailIdentity=FROM, PolicyName="guests")
    assert ready.v1.list_identity_policies(Identity=FROM)["PolicyNames"] == []
    assert refused(guest.send_email, **asked)[0] == "AccessDenied"
