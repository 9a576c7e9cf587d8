"""What copies bring along, how long they take, and what is told of that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.services.s3.conftest import REGION, Bucket, create
from tests.services.s3.notifications.test_delivery import Queue, listen
from tests.services.s3.objects.test_encryption import KEY
from tests.services.s3.replication.test_replication import (
    SOURCE_ACTIONS,
    TARGET_ACTIONS,
    allow,
    copy_by,
    role,
    rule,
    target,
)

CUSTOMER: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
TIMED = {"ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
         "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}}  # fmt: skip


def test_under_a_clients_own_key_the_copy_is_read_with_the_same(versioned: Bucket) -> None:
    copies = target(versioned.jar)
    role(versioned.jar, allow(SOURCE_ACTIONS, "jam"), allow(TARGET_ACTIONS, "copies"))
    copy_by(versioned, rule("copies"))
    versioned.put("k", b"secret", **CUSTOMER)
    versioned.jar.settle()
    assert versioned.head("k", **CUSTOMER)["ReplicationStatus"] == "COMPLETED"
    assert copies.read("k", **CUSTOMER) == b"secret"
    assert copies.head("k", **CUSTOMER)["ReplicationStatus"] == "REPLICA"
    # Copied on within its bucket it is sealed anew, and still opens.
    source = {f"CopySource{name}": value for name, value in CUSTOMER.items()}
    copies.s3.copy_object(Bucket="copies", Key="l", CopySource="copies/k", **source)
    assert copies.read("l") == b"secret"


def acl_of(bucket: Bucket) -> list[str]:
    grants = bucket.s3.get_object_acl(Bucket=bucket.name, Key="k")["Grants"]
    return sorted(grant["Permission"] for grant in grants)


def test_acls_are_copied_where_they_count(versioned: Bucket) -> None:
    jar = versioned.jar
    jam = create(jar, "open", ObjectOwnership="ObjectWriter")
    jam.versioning("Enabled")
    copies = target(jar)
    own = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    copies.s3.put_bucket_ownership_controls(Bucket="copies", OwnershipControls=own)
    closed = target(jar, "closed")
    both = ("copies", "closed")
    role(jar, allow(SOURCE_ACTIONS, "open"), allow(TARGET_ACTIONS, *both))
    copy_by(jam, rule("copies"), rule("closed", Priority=2))
    for bucket in (jam, copies):
        bucket.s3.delete_public_access_block(Bucket=bucket.name)
    jam.put("k", b"1", ACL="authenticated-read")
    jar.settle()
    assert jam.head("k")["ReplicationStatus"] == "COMPLETED"
    assert (acl_of(copies), acl_of(closed)) == (["FULL_CONTROL", "READ"], ["FULL_CONTROL"])
    jam.s3.put_object_acl(Bucket="open", Key="k", ACL="public-read-write")
    jar.settle()
    assert acl_of(copies) == ["FULL_CONTROL", "READ", "WRITE"]


def event_names(queue: Queue) -> list[dict[str, Any]]:
    return [record for message in queue.take() for record in message.get("Records", ())]


def test_a_copy_that_is_late_is_told_and_measured(versioned: Bucket) -> None:
    jar = versioned.jar
    target(jar)
    role(jar, allow(SOURCE_ACTIONS, "jam"), allow(TARGET_ACTIONS, "copies"))
    copy_by(versioned, rule("copies", Destination=TIMED))
    queue = Queue(versioned)
    listen(versioned, "s3:Replication:*")
    versioned.put("k", b"12345")
    jar.clock.advance(timedelta(minutes=20))  # nobody was there to make it
    jar.settle()
    assert versioned.head("k")["ReplicationStatus"] == "COMPLETED"
    told = event_names(queue)
    assert sorted(record["eventName"] for record in told) == [
        "Replication:OperationMissedThreshold",
        "Replication:OperationReplicatedAfterThreshold",
    ]
    late = next(record for record in told if record["eventName"].endswith("AfterThreshold"))
    assert late["replicationEventData"]["replicationTime"] == 20
    assert late["replicationEventData"]["destinationBucket"] == "arn:aws:s3:::copies"
    jar.advance(minutes=5)
    found = measured(versioned, "ReplicationLatency", "Maximum")
    assert found == [1200.0]
    assert measured(versioned, "BytesPendingReplication", "Maximum") == [5.0, 0.0]


def measured(bucket: Bucket, name: str, statistic: str) -> list[float]:
    now = bucket.jar.clock.now()
    rows = bucket.jar.client("cloudwatch", REGION).get_metric_statistics(
        Namespace="AWS/S3",
        MetricName=name,
        Dimensions=[{"Name": "SourceBucket", "Value": "jam"}, {"Name": "DestinationBucket", "Value": "copies"},
                    {"Name": "RuleId", "Value": "copies"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )["Datapoints"]  # fmt: skip
    return [row[statistic] for row in sorted(rows, key=lambda row: row["Timestamp"])]


def test_failures_are_told_where_metrics_are_on(versioned: Bucket) -> None:
    target(versioned.jar)
    role(versioned.jar, allow(SOURCE_ACTIONS, "jam"))
    copy_by(versioned, rule("copies", Destination={"Metrics": {"Status": "Enabled"}}))
    queue = Queue(versioned)
    listen(versioned, "s3:Replication:OperationFailedReplication")
    versioned.put("k", b"1")
    versioned.jar.settle()
    assert versioned.head("k")["ReplicationStatus"] == "FAILED"
    (told,) = event_names(queue)
    assert told["replicationEventData"]["failureReason"] == "DstPutObjectNotPermitted"
    versioned.jar.advance(minutes=2)
    assert measured(versioned, "OperationsFailedReplication", "Sum") == [1.0]
