"""Notification configurations and messages, as data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.notifications import messages
from cloudjar.services.s3.notifications.config import checked, listeners_of
from cloudjar.services.s3.notifications.messages import Told
from cloudjar.services.s3.objects.rows import Version

QUEUE = "arn:aws:sqs:eu-west-3:000000000000:q"
OTHER = "arn:aws:sqs:eu-west-3:000000000000:other"
NOW = datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=UTC)


def queue(*events: str, arn: str = QUEUE, **rules: str) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in rules.items()]
    return {"QueueArn": arn, "Events": list(events), **({"Filter": {"Key": {"FilterRules": listed}}} if rules else {})}


def bucket(**more: Any) -> Bucket:
    return Bucket(name="b", location="eu-west-3", created=NOW, account="000000000000", **more)


def test_wildcards_prefixes_and_suffixes() -> None:
    held = bucket(
        notification=checked({"QueueConfigurations": [queue("s3:ObjectCreated:*", prefix="in/", suffix=".jpg")]})
    )
    (listener,) = listeners_of(held)
    assert listener.hears("ObjectCreated:Put", "in/a.jpg")
    assert not listener.hears("ObjectRemoved:Delete", "in/a.jpg")
    assert not listener.hears("ObjectCreated:Put", "out/a.jpg")
    assert not listener.hears("ObjectCreated:Put", "in/a.png")
    assert len(listener.id) == 48


REFUSED = [
    ([queue("s3:ObjectCreated:*"), queue("s3:ObjectCreated:Put", arn=OTHER)], "Configuration is ambiguously defined"),
    (
        [queue("s3:ObjectCreated:*", suffix=".jpg"), queue("s3:ObjectCreated:Put", prefix="a", suffix="g")],
        "Configuration is ambiguously defined",
    ),
    ([queue("s3:ObjectCreated:*", middle="x")], "filter rule name must be either prefix or suffix"),
    ([queue("s3:ObjectCreated:*", arn="arn:aws:sns:eu-west-3:000000000000:t")], "The ARN is not well formed"),
    ([queue("s3:ObjectCreated:*", arn=QUEUE + ".fifo")], "Unable to validate the following destination"),
]


@pytest.mark.parametrize(("configurations", "words"), REFUSED)
def test_refused(configurations: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(AwsError, match=words) as caught:
        checked({"QueueConfigurations": configurations})
    assert caught.value.code == "InvalidArgument"


def test_two_may_hear_of_keys_that_do_not_overlap() -> None:
    kept = checked(
        {
            "QueueConfigurations": [
                queue("s3:ObjectCreated:*", suffix=".jpg"),
                queue("s3:ObjectCreated:*", suffix=".png", arn=OTHER),
            ],
            "EventBridgeConfiguration": {},
        }
    )
    assert len(kept["QueueConfigurations"]) == 2
    assert kept["EventBridgeConfiguration"] == {}


def test_the_message() -> None:
    version = Version(bucket="b", key="a b/ü", seq=5, id="v", size=3, etag="abc", modified=0)
    told = Told("ObjectCreated:Put", NOW, "AWS:AIDA1", "000000000000", "10.0.0.1", "REQ", "PutObject")
    said = messages.record(bucket(), version, told, "conf")
    assert said["eventVersion"] == "2.1"
    assert said["eventTime"] == "2026-01-15T12:00:00.123Z"
    assert said["s3"]["object"] == {
        "key": "a+b/%C3%BC",
        "size": 3,
        "eTag": "abc",
        "versionId": "v",
        "sequencer": "000000000000000005",
    }
    assert said["s3"]["configurationId"] == "conf"
    assert said["s3"]["bucket"]["arn"] == "arn:aws:s3:::b"
    assert messages.version_of("LifecycleTransition") == "2.3"
    assert messages.version_of("Replication:OperationFailedReplication") == "2.2"


def test_the_detail_for_the_event_bus() -> None:
    marker = Version(bucket="b", key="k", seq=5, id="v", marker=True)
    told = Told("ObjectRemoved:DeleteMarkerCreated", NOW, "AWS:AIDA1", "1", "10.0.0.1", "REQ", "DeleteObject")
    assert messages.detail(bucket(), marker, told) == {
        "version": "0",
        "bucket": {"name": "b"},
        "object": {
            "key": "k",
            "etag": "d41d8cd98f00b204e9800998ecf8427e",
            "version-id": "v",
            "sequencer": "000000000000000005",
        },
        "request-id": "REQ",
        "requester": "1",
        "source-ip-address": "10.0.0.1",
        "reason": "DeleteObject",
        "deletion-type": "Delete Marker Created",
    }
