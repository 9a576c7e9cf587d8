"""What trails deliver: every event once, five minutes later, in files that are named as AWS names them."""

from __future__ import annotations

import re

from tests.jar import ACCOUNT, TestJar
from tests.services.cloudtrail.trails import BUCKET, Scene


def test_calls_arrive_in_a_file_five_minutes_later(jar: TestJar) -> None:
    scene = Scene(jar)
    jar.advance(minutes=1)
    scene.logging()
    sqs = jar.client("sqs")
    sqs.create_queue(QueueName="q")
    sqs.list_queues()
    assert scene.keys() == []
    jar.advance(minutes=5)
    [key] = scene.keys()
    assert re.fullmatch(
        rf"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-3/2026/01/15/"
        rf"{ACCOUNT}_CloudTrail_eu-west-3_20260115T1205Z_[A-Za-z0-9]{{16}}\.json\.gz",
        key,
    )
    found = scene.names()
    assert found.count("CreateQueue") == found.count("ListQueues") == 1
    assert found[0] == "StartLogging"
    assert "CreateBucket" not in found
    status = scene.trail.get_trail_status(Name="main")
    assert status["IsLogging"] is True
    assert status["LatestDeliveryTime"].isoformat() == "2026-01-15T12:05:00+00:00"
    assert status["LatestDeliveryAttemptSucceeded"] == "2026-01-15T12:05:00Z"
    assert "LatestDeliveryError" not in status


def test_nothing_is_lost_or_comes_twice(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging()
    sqs = jar.client("sqs")
    for number in range(12):
        sqs.create_queue(QueueName=f"q{number}")
        sqs.list_queues(QueueNamePrefix=f"q{number}")
        jar.advance(minutes=2)
        if number % 5 == 0:
            jar.crash()
    jar.advance(minutes=5)
    records = scene.records()
    made = [r["requestParameters"]["queueName"] for r in records if r["eventName"] == "CreateQueue"]
    seen = [r["requestParameters"]["queueNamePrefix"] for r in records if r["eventName"] == "ListQueues"]
    assert sorted(made) == sorted(seen) == sorted(f"q{number}" for number in range(12))
    assert len({r["eventID"] for r in records}) == len(records)
    assert len(scene.keys()) > 3


def test_what_a_bucket_refuses_is_tried_again(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging()
    policy = scene.s3.get_bucket_policy(Bucket=BUCKET)["Policy"]
    scene.s3.delete_bucket_policy(Bucket=BUCKET)
    jar.client("sqs").create_queue(QueueName="early")
    jar.advance(minutes=5)
    assert scene.keys() == []
    assert scene.trail.get_trail_status(Name="main")["LatestDeliveryError"] == "AccessDenied"
    jar.client("sqs").create_queue(QueueName="later")
    scene.s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    jar.advance(minutes=10)
    assert "LatestDeliveryError" not in scene.trail.get_trail_status(Name="main")
    jar.advance(minutes=10)
    records = scene.records()
    made = [r["requestParameters"]["queueName"] for r in records if r["eventName"] == "CreateQueue"]
    assert sorted(made) == ["early", "later"]
    assert len({r["eventID"] for r in records}) == len(records)


def test_a_trail_that_stops_delivers_up_to_its_stop(jar: TestJar) -> None:
    scene = Scene(jar)
    scene.logging()
    jar.client("sqs").create_queue(QueueName="before")
    jar.advance(seconds=10)
    scene.trail.stop_logging(Name="main")
    jar.advance(seconds=10)
    jar.client("sqs").create_queue(QueueName="after")
    jar.advance(minutes=10)
    found = scene.names()
    assert found.count("CreateQueue") == found.count("StopLogging") == 1
    status = scene.trail.get_trail_status(Name="main")
    assert (status["IsLogging"], status["TimeLoggingStopped"]) == (False, "2026-01-15T12:00:10Z")
    scene.trail.start_logging(Name="main")
    jar.client("sqs").create_queue(QueueName="again")
    scene.trail.delete_trail(Name="main")
    jar.advance(minutes=5)
    assert scene.names().count("CreateQueue") == 2
    assert "DeleteTrail" in scene.names()
    assert jar.jar.database.query("SELECT count(*) FROM wake WHERE tbl='cloudtrail/run'") == [(0,)]
