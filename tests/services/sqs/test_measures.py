"""What CloudWatch sees of a queue, and what the bill says of it."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from cloudjar.kit import quantities
from tests.jar import ACCOUNT, TestJar
from tests.services.sqs.conftest import Box


def values(jar: TestJar, queue: str, name: str, statistic: str = "Sum", minutes: int = 30) -> list[float]:
    """A metric by the minute, oldest first, up to now."""
    now = jar.clock.now()
    found = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS", MetricName=name, Dimensions=[{"Name": "QueueName", "Value": queue}], Period=60,
        StartTime=now - timedelta(minutes=minutes), EndTime=now, Statistics=[statistic],
    )["Datapoints"]  # fmt: skip
    return [point[statistic] for point in sorted(found, key=lambda point: point["Timestamp"])]


def test_a_queue_is_measured_by_the_minute(jar: TestJar, box: Box) -> None:
    box.send("x" * 100)
    box.send("x" * 300)
    jar.advance(seconds=60)
    [message] = box.receive(1)
    jar.advance(seconds=60)
    box.delete(message)
    box.client.receive_message(QueueUrl=box.url, MaxNumberOfMessages=10, VisibilityTimeout=300)
    box.receive()
    jar.advance(seconds=120)
    assert values(jar, "orders", "NumberOfMessagesSent") == [2, 0, 0, 0]
    assert values(jar, "orders", "NumberOfMessagesReceived") == [0, 1, 1, 0]
    assert values(jar, "orders", "NumberOfMessagesDeleted") == [0, 0, 1, 0]
    assert values(jar, "orders", "NumberOfEmptyReceives") == [0, 0, 1, 0]
    assert values(jar, "orders", "SentMessageSize", "Average") == [200]
    assert values(jar, "orders", "SentMessageSize", "Maximum") == [300]
    assert values(jar, "orders", "ApproximateNumberOfMessagesVisible", "Maximum") == [2, 2, 0, 0]
    assert values(jar, "orders", "ApproximateNumberOfMessagesNotVisible", "Maximum") == [0, 0, 1, 1]
    assert values(jar, "orders", "ApproximateAgeOfOldestMessage", "Maximum") == [60, 120, 180, 240]
    listed = jar.client("cloudwatch").list_metrics(Namespace="AWS/SQS")["Metrics"]
    assert {"NumberOfMessagesSent", "ApproximateAgeOfOldestMessage"} <= {metric["MetricName"] for metric in listed}


def test_an_alarm_on_depth_goes_off(jar: TestJar, box: Box) -> None:
    cloudwatch = jar.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="deep", Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Period=60,
        Dimensions=[{"Name": "QueueName", "Value": "orders"}], EvaluationPeriods=1, Threshold=1, Statistic="Maximum",
        ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip

    def state() -> str:
        found: str = cloudwatch.describe_alarms(AlarmNames=["deep"])["MetricAlarms"][0]["StateValue"]
        return found

    box.send()
    jar.advance(minutes=3)
    assert state() == "OK"
    box.send()
    jar.advance(minutes=3)
    assert state() == "ALARM"


def requests(jar: TestJar, usage_type: str) -> Decimal:
    """Requests on the bill so far."""
    quantities.collect(jar.jar.world)
    now = jar.clock.now()
    found = jar.jar.quantities.rows(now - timedelta(days=40), now + timedelta(seconds=1), ACCOUNT)
    return sum((one.units for one in found if one.tally.usage_type == usage_type), Decimal(0))


def test_a_request_is_begun_sixty_four_kilobytes(jar: TestJar, sqs: Any, box: Box) -> None:
    box.send("x")
    assert requests(jar, "Requests-Tier1") == 1
    box.send("x" * (64 << 10))
    box.send("x" * ((64 << 10) + 1))
    assert requests(jar, "Requests-Tier1") == 4
    jar.advance(minutes=5)
    [first, *_] = box.receive(1)
    box.delete(first)
    fifo = Box(jar, sqs, "a.fifo", ContentBasedDeduplication="true")
    fifo.send("x", MessageGroupId="g")
    assert requests(jar, "Requests-Tier1") == 6
    assert requests(jar, "Requests-FIFO-Tier1") == 1
    sqs.delete_queue(QueueUrl=fifo.url)
    assert requests(jar, "Requests-FIFO-Tier1") == 1


def test_requests_are_of_the_hour_in_which_they_came(jar: TestJar, box: Box) -> None:
    now = jar.clock.now()
    midnight = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    jar.advance(seconds=(midnight - now).total_seconds() - 90)
    for _ in range(3):
        box.send("x")
    jar.advance(hours=2)
    box.send("x")
    quantities.collect(jar.jar.world)
    rows = jar.jar.quantities.rows
    before = [one.units for one in rows(midnight - timedelta(hours=1), midnight, ACCOUNT)
              if one.tally.usage_type == "Requests-Tier1" and one.tally.service == "AWSQueueService"]  # fmt: skip
    assert sum(before) == 3
    assert requests(jar, "Requests-Tier1") == 4


def test_quiet_groups_are_measured_beside_noisy_ones(jar: TestJar, box: Box) -> None:
    box.send("alone")
    assert "ApproximateNumberOfNoisyGroups" not in listed(jar)
    jar.advance(seconds=60)
    crowd(box, "a", 40)
    box.receive(1, VisibilityTimeout=3600)
    for _ in range(4):
        assert len(box.receive(VisibilityTimeout=3600)) == 10
    jar.advance(seconds=60)
    crowd(box, "a", 20)
    for group in ("b", "c"):
        box.send("quiet", MessageGroupId=group)
    box.send("later", MessageGroupId="b", DelaySeconds=600)
    jar.advance(seconds=60)
    box.receive(1, VisibilityTimeout=3600)
    jar.advance(seconds=60)
    quiet = "InQuietGroups"
    assert "ApproximateNumberOfNoisyGroups" in listed(jar)
    assert values(jar, "orders", "ApproximateNumberOfNoisyGroups", "Maximum") == [1, 1, 1]
    assert values(jar, "orders", f"ApproximateNumberOfMessagesVisible{quiet}", "Maximum") == [0, 2, 1]
    assert values(jar, "orders", f"ApproximateNumberOfMessagesNotVisible{quiet}", "Maximum") == [1, 1, 2]
    assert values(jar, "orders", f"ApproximateNumberOfMessagesDelayed{quiet}", "Maximum") == [0, 1, 1]
    assert values(jar, "orders", f"ApproximateAgeOfOldestMessage{quiet}", "Maximum") == [120, 180, 240]
    assert values(jar, "orders", "ApproximateNumberOfMessagesVisible", "Maximum") == [1, 0, 22, 21]


def listed(jar: TestJar) -> set[str]:
    """The names of the metrics there are."""
    found = jar.client("cloudwatch").list_metrics(Namespace="AWS/SQS")["Metrics"]
    return {metric["MetricName"] for metric in found}


def crowd(box: Box, group: str, count: int) -> None:
    """So many messages of a tenant."""
    for first in range(0, count, 10):
        entries = [{"Id": str(n), "MessageBody": group, "MessageGroupId": group} for n in range(first, first + 10)]
        box.client.send_message_batch(QueueUrl=box.url, Entries=entries)


def test_of_noisy_tenants_the_one_with_the_fewest_in_flight_is_served_first(box: Box) -> None:
    crowd(box, "a", 70)
    for _ in range(5):
        box.receive(VisibilityTimeout=3600)
    crowd(box, "b", 40)
    for _ in range(3):
        assert box.bodies(VisibilityTimeout=3600) == ["b"] * 10
    box.jar.advance(seconds=1)
    assert box.bodies(VisibilityTimeout=3600) == ["b"] * 10
    assert box.bodies(VisibilityTimeout=3600) == ["a"] * 10


def test_noisy_tenants_wait_behind_quiet_ones(box: Box) -> None:
    for first in range(0, 60, 10):
        entries = [{"Id": str(n), "MessageBody": "noisy", "MessageGroupId": "a"} for n in range(first, first + 10)]
        box.client.send_message_batch(QueueUrl=box.url, Entries=entries)
    for _ in range(3):
        assert len(box.receive(VisibilityTimeout=3600)) == 10
    for group in ("b", "c"):
        box.send("quiet", MessageGroupId=group)
    box.send("alone")
    box.jar.advance(seconds=1)
    found = box.receive(4, VisibilityTimeout=3600)
    assert [message["Body"] for message in found] == ["quiet", "quiet", "alone", "noisy"]
    assert found[0]["Attributes"]["MessageGroupId"] == "b"
    assert json.dumps(box.depth()) == "[29, 34, 0]"
