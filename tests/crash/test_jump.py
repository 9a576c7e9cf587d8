"""A clock that is killed on its way: it comes back no later than it was, and what was metered and what was due is as if
nobody had killed anything."""

from __future__ import annotations

import http.client
import json
import random
import threading
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.crash.server import ServerProcess, until

DAYS, SIZE = 13, 20
KILLS = 4
TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": ["events.amazonaws.com", "scheduler.amazonaws.com"]},
        }
    ],
})  # fmt: skip
ALLOWED = json.dumps({
    "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}],
})  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "home")
    process.start()
    yield process
    process.kill()


def admin(server: ServerProcess, method: str, path: str) -> Any:
    """What the admin API answers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    try:
        token = (server.home / "admin-token").read_text()
        connection.request(method, f"/_cloudjar/{path}", headers={"x-cloudjar-token": token})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return json.loads(body)
    finally:
        connection.close()


def now(server: ServerProcess) -> datetime:
    return datetime.fromisoformat(admin(server, "GET", "clock")["now"])


def client(server: ServerProcess, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name="eu-west-3", aws_access_key_id="test",
        aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 5}),
    )  # fmt: skip


def move(server: ServerProcess, target: datetime, kill_after: float | None) -> None:
    """Move the clock to an instant, or as far as it comes until the server is killed."""
    seconds = (target - now(server)).total_seconds()
    reaper = threading.Timer(kill_after, server.kill) if kill_after is not None else None
    if reaper is not None:
        reaper.start()
    try:
        admin(server, "POST", f"clock?seconds={seconds!r}")
    except (OSError, http.client.HTTPException):
        assert kill_after is not None
    if reaper is not None:
        reaper.join()
    if server.dead:
        server.start()


def hours_of(server: ServerProcess, usage_type: str, start: datetime, end: datetime) -> Decimal:
    """How much was metered over all months, in units times hours."""
    found, month = Decimal(0), start.replace(day=1)
    while month < end:
        lines = admin(server, "GET", f"bill?at={month.timestamp()}")["lines"]
        hours = monthrange(month.year, month.month)[1] * 24
        found += sum(Decimal(line["quantity"]) for line in lines if line["usage_type"] == usage_type) * hours
        month = (month.replace(day=28) + timedelta(days=4)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return found


def messages(sqs: Any, url: str) -> int:
    """How many are in a queue."""
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def test_a_jump_that_is_killed_and_gone_on_with_changes_neither_bill_nor_schedule(server: ServerProcess) -> None:
    admin(server, "POST", "clock-speed?speed=0")
    start = now(server)
    iam, sqs = client(server, "iam"), client(server, "sqs")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=ALLOWED)
    kept = {"MessageRetentionPeriod": "1209600"}
    url, ruled = (sqs.create_queue(QueueName=name, Attributes=kept)["QueueUrl"] for name in ("q", "ruled"))
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events = client(server, "events")
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[{"Id": "q", "Arn": arn.replace(":q", ":ruled"), "RoleArn": role}])
    client(server, "scheduler").create_schedule(
        Name="s", FlexibleTimeWindow={"Mode": "OFF"}, ScheduleExpression="rate(1 hour)",
        Target={"Arn": arn, "RoleArn": role, "Input": "{}"},
    )  # fmt: skip
    until(lambda: messages(sqs, url) == 1, "the first invocation, which is at once")
    ec2 = client(server, "ec2")
    volume = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=SIZE, VolumeType="gp3")["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    draw, seen, target = random.Random(7), start, start + timedelta(days=DAYS, minutes=1)
    for _ in range(KILLS):
        move(server, target, draw.uniform(0.01, 0.4))
        assert seen <= now(server) <= target
        seen = now(server)
    move(server, target, None)
    assert now(server) == target
    metered = hours_of(server, "EBS:VolumeUsage.gp3", start, target)
    assert abs(metered - SIZE * Decimal(str((target - start).total_seconds())) / 3600) < Decimal("1e-6")
    assert messages(sqs, url) == 1 + DAYS * 24
    assert messages(sqs, ruled) == DAYS * 24
    assert datetime.now(UTC) < target
