"""Topics that are told of events."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import TestJar
from tests.services.rds.site import Site, refused


def _topic(jar: TestJar) -> tuple[str, str]:
    """(topic, queue that hears it)."""
    sns, sqs = jar.client("sns"), jar.client("sqs")
    topic = str(sns.create_topic(Name="told")["TopicArn"])
    queue = str(sqs.create_queue(QueueName="heard")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    ]}  # fmt: skip
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return topic, queue


def _heard(jar: TestJar, queue: str) -> list[dict[str, Any]]:
    jar.settle()
    sqs, found = jar.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            found.append(json.loads(one["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return found


def test_a_topic_is_told_what_it_wants_to_know(jar: TestJar) -> None:
    site = Site(jar)
    topic, queue = _topic(jar)
    site.available(BackupRetentionPeriod=0)
    made = site.rds.create_event_subscription(
        SubscriptionName="Ours", SnsTopicArn=topic, SourceType="db-instance", SourceIds=["shop"],
        EventCategories=["availability", "deletion"],
    )["EventSubscription"]  # fmt: skip
    assert (made["CustSubscriptionId"], made["Status"], made["SourceIdsList"]) == ("ours", "active", ["shop"])
    site.create("other", BackupRetentionPeriod=0)
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    (heard,) = _heard(jar, queue)
    assert (heard["Source ID"], heard["Event Message"]) == ("shop", "DB instance restarted")
    assert heard["Event ID"].endswith("#RDS-EVENT-0006")
    assert heard["Source ARN"] == site.show()["DBInstanceArn"]
    site.rds.modify_event_subscription(SubscriptionName="ours", Enabled=False)
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    assert _heard(jar, queue) == []
    site.rds.modify_event_subscription(SubscriptionName="ours", Enabled=True, EventCategories=[])
    site.rds.add_source_identifier_to_subscription(SubscriptionName="ours", SourceIdentifier="other")
    site.rds.stop_db_instance(DBInstanceIdentifier="other")
    assert [one["Source ID"] for one in _heard(jar, queue)] == ["other"]
    site.rds.remove_source_identifier_from_subscription(SubscriptionName="ours", SourceIdentifier="other")
    (shown,) = site.rds.describe_event_subscriptions()["EventSubscriptionsList"]
    assert (shown["SourceIdsList"], shown["EventCategoriesList"]) == (["shop"], [])
    site.rds.delete_event_subscription(SubscriptionName="ours")
    with refused("SubscriptionNotFound"):
        site.rds.describe_event_subscriptions(SubscriptionName="ours")


def test_a_subscription_names_what_is_there(jar: TestJar) -> None:
    site = Site(jar)
    topic, _ = _topic(jar)
    asked = {"SubscriptionName": "ours", "SnsTopicArn": topic}
    with refused("SNSTopicArnNotFound"):
        site.rds.create_event_subscription(**{**asked, "SnsTopicArn": f"{topic}-gone"})
    with refused("SNSInvalidTopic"):
        site.rds.create_event_subscription(**{**asked, "SnsTopicArn": "told"})
    with refused("SubscriptionCategoryNotFound"):
        site.rds.create_event_subscription(**asked, SourceType="db-snapshot", EventCategories=["failover"])
    with refused("SourceNotFound"):
        site.rds.create_event_subscription(**asked, SourceType="db-instance", SourceIds=["gone"])
    with refused("InvalidParameterCombination", "SourceType must be specified"):
        site.rds.create_event_subscription(**asked, SourceIds=["shop"])
    site.rds.create_event_subscription(**asked)
    with refused("SubscriptionAlreadyExist"):
        site.rds.create_event_subscription(**asked)
    (found,) = site.rds.describe_event_categories(SourceType="db-snapshot")["EventCategoriesMapList"]
    assert "restoration" in found["EventCategories"]
    with refused("UnsupportedOperation", "db-proxy"):
        site.rds.describe_event_categories(SourceType="db-proxy")
