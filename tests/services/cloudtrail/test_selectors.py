"""Which events a trail gets: management, data events of chosen objects alone, without what was excluded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.cloudtrail.trails import Scene

OBJECTS = "AWS::S3::Object"


def asked(**fields: Any) -> dict[str, Any]:
    """An advanced selector: ``eventCategory=["Data"]`` means Equals, other operators are given whole."""
    found = []
    for name, given in fields.items():
        operators = given if isinstance(given, dict) else {"Equals": given}
        found.append({"Field": name.replace("__", "."), **operators})
    return {"FieldSelectors": found}


def objects(scene: Scene) -> None:
    """Calls on two buckets."""
    for bucket in ("watched", "other"):
        scene.s3.create_bucket(Bucket=bucket)
        for key in ("in/a", "out/b"):
            scene.s3.put_object(Bucket=bucket, Key=key, Body=b"secret contents")
            scene.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    scene.s3.list_objects_v2(Bucket="watched")


def test_a_new_trail_gets_management_events_alone(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging(IsMultiRegionTrail=True)
    assert scene.trail.get_event_selectors(TrailName="main")["EventSelectors"] == [
        {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
         "ExcludeManagementEventSources": []}
    ]  # fmt: skip
    objects(scene)
    jar.advance(minutes=5)
    found = scene.names()
    assert found.count("CreateBucket") == 2
    assert not {"PutObject", "GetObject", "ListObjectsV2", "ListObjects"} & set(found)
    assert jar.jar.database.query("SELECT count(*) FROM audit WHERE operation='PutObject'") == [(0,)]


def test_data_events_of_a_prefix(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging(IsMultiRegionTrail=True)
    scene.trail.put_event_selectors(
        TrailName="main",
        EventSelectors=[
            {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": False,
             "DataResources": [{"Type": OBJECTS, "Values": ["arn:aws:s3:::watched/in/"]}]}
        ],
    )  # fmt: skip
    assert scene.trail.get_trail(Name="main")["Trail"]["HasCustomEventSelectors"] is True
    jar.advance(minutes=10)
    before = len(scene.records())
    objects(scene)
    jar.advance(minutes=5)
    [record] = scene.records()[before:]
    assert (record["eventName"], record["eventCategory"], record["managementEvent"]) == ("PutObject", "Data", False)
    params = record["requestParameters"]
    assert (params["bucketName"], params["key"], params["x-amz-sdk-checksum-algorithm"]) == ("watched", "in/a", "CRC32")
    assert "Content-Length" not in params
    assert record["resources"] == [
        {"type": OBJECTS, "ARN": "arn:aws:s3:::watched/in/a"},
        {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::watched"},
    ]
    assert "secret contents" not in json.dumps(record)
    history = jar.client("cloudtrail", region="us-east-1").lookup_events()["Events"]
    assert "PutObject" not in [event["EventName"] for event in history]


def test_data_events_of_a_bucket_by_advanced_selectors(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging(IsMultiRegionTrail=True)
    chosen = [
        asked(eventCategory=["Management"], readOnly=["false"]),
        asked(eventCategory=["Data"], resources__type=[OBJECTS],
              resources__ARN={"StartsWith": ["arn:aws:s3:::watched/"]}, eventName={"NotEquals": ["GetObject"]}),
    ]  # fmt: skip
    answer = scene.trail.put_event_selectors(TrailName="main", AdvancedEventSelectors=chosen)
    assert answer["AdvancedEventSelectors"] == chosen
    assert scene.trail.get_event_selectors(TrailName="main")["AdvancedEventSelectors"] == chosen
    jar.advance(minutes=10)
    before = len(scene.records())
    objects(scene)
    jar.client("sqs").list_queues()
    jar.advance(minutes=5)
    found = sorted(record["eventName"] for record in scene.records()[before:])
    assert found == ["CreateBucket", "CreateBucket", "ListObjectsV2", "PutObject", "PutObject"]


def test_messages_are_data_and_stay_hidden(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging()
    chosen = [asked(eventCategory=["Data"], resources__type=[kind]) for kind in ("AWS::SQS::Queue", "AWS::SNS::Topic")]
    scene.trail.put_event_selectors(TrailName="main", AdvancedEventSelectors=chosen)
    jar.advance(minutes=10)
    before = len(scene.records())
    sqs, sns = jar.client("sqs"), jar.client("sns")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="secret words")
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "a", "MessageBody": "secret words"}])
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.publish(TopicArn=topic, Message="secret words", Subject="secret words")
    jar.advance(minutes=5)
    records = {record["eventName"]: record for record in scene.records()[before:]}
    assert set(records) == {"SendMessage", "SendMessageBatch", "Publish"}
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert records["SendMessage"]["requestParameters"] == {"queueUrl": queue, "messageBody": hidden}
    assert records["SendMessageBatch"]["requestParameters"]["entries"] == [{"id": "a", "messageBody": hidden}]
    assert records["Publish"]["requestParameters"] == {"topicArn": topic, "message": hidden, "subject": hidden}
    assert records["SendMessage"]["resources"] == [
        {"accountId": ACCOUNT, "type": "AWS::SQS::Queue", "ARN": f"arn:aws:sqs:eu-west-3:{ACCOUNT}:q"}
    ]
    kept = jar.jar.database.query("SELECT data FROM audit")
    assert not any(b"secret words" in data for (data,) in kept)


def test_strangers_are_seen_in_the_owners_trail(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging(IsMultiRegionTrail=True)
    everything = [{"ReadWriteType": "All", "IncludeManagementEvents": False,
                   "DataResources": [{"Type": OBJECTS, "Values": ["arn:aws:s3"]}]}]  # fmt: skip
    scene.trail.put_event_selectors(TrailName="main", EventSelectors=everything)
    scene.trail.update_trail(Name="main", RecursiveLogging=False)
    jar.advance(minutes=10)
    scene.s3.create_bucket(Bucket="shared")
    allowed = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "s3:*",
               "Resource": "arn:aws:s3:::shared/*"}  # fmt: skip
    scene.s3.put_bucket_policy(
        Bucket="shared", Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    )
    jar.client("s3", region="us-east-1", key="111111111111").put_object(Bucket="shared", Key="k", Body=b"x")
    before = len(scene.records())
    jar.advance(minutes=5)
    records = [record for record in scene.records()[before:] if record["eventName"] == "PutObject"]
    assert [record["userIdentity"]["accountId"] for record in records] == ["111111111111"]
    assert records[0]["recipientAccountId"] == ACCOUNT
    # Nobody delivers what his deliveries did, and a quiet jar comes to rest.
    jar.advance(hours=1)
    assert "cloudtrail.amazonaws.com" not in {r["userIdentity"].get("invokedBy") for r in scene.records()}


def test_keys_can_be_left_out(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging()
    scene.trail.put_event_selectors(
        TrailName="main", EventSelectors=[{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]
    )
    jar.client("kms").create_key()
    jar.client("sqs").list_queues()
    jar.advance(minutes=5)
    assert "ListQueues" in scene.names()
    assert "CreateKey" not in scene.names()


BASIC: list[tuple[Any, str]] = [
    ([{"IncludeManagementEvents": False}], "includeManagementEvents is false, DataResources must not be empty"),
    ([{"DataResources": [{"Type": OBJECTS, "Values": ["arn:aws:s3:::*"]}]}],
     "Value arn:aws:s3:::* for DataResources.Values is invalid."),
    ([{"DataResources": [{"Type": OBJECTS, "Values": ["arn:aws:s3:::bucket"]}]}], "DataResources.Values"),
    ([{"DataResources": [{"Type": "AWS::SQS::Queue", "Values": []}]}], "DataResources.Type"),
    ([{"ExcludeManagementEventSources": ["s3.amazonaws.com"]}], "ExcludeManagementEventSources"),
    ([{}] * 6, "between 1 and 5"),
]  # fmt: skip
ADVANCED = [
    (asked(readOnly=["true"]), "InvalidEventSelectorsException"),
    (asked(eventCategory=["Data"]), "InvalidEventSelectorsException"),
    (asked(eventCategory=["Management"], resources__ARN=["x"]), "InvalidEventSelectorsException"),
    (asked(eventCategory={"StartsWith": ["Data"]}), "InvalidEventSelectorsException"),
    (asked(eventCategory=["Management"], readOnly=["yes"]), "InvalidEventSelectorsException"),
    (asked(eventCategory=["Data"], resources__type=["AWS::Kinesis::Stream"]), "UnsupportedOperationException"),
    (asked(eventCategory=["NetworkActivity"]), "UnsupportedOperationException"),
]


def test_selectors_that_cannot_be(steady_jar: TestJar) -> None:
    scene = Scene(steady_jar)
    scene.logging()
    put = scene.trail.put_event_selectors
    for given, said in BASIC:
        with pytest.raises(ClientError, match="InvalidEventSelectorsException") as refused:
            put(TrailName="main", EventSelectors=given)
        assert said in str(refused.value)
    for selector, code in ADVANCED:
        with pytest.raises(ClientError, match=code):
            put(TrailName="main", AdvancedEventSelectors=[selector])
    assert scene.trail.get_trail(Name="main")["Trail"]["HasCustomEventSelectors"] is False
