"""A trail under kill -9: every call that was answered is in one file, once."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.client import Client, Crashed
from tests.crash.server import ServerProcess
from tests.services.cloudtrail.trails import BUCKET, bucket_policy

ROUNDS, CALLS = 6, 8


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path / "home")
    process.start()
    yield process
    process.kill()


def advance(server: ServerProcess) -> None:
    """Six minutes pass; whether anybody is left to say so does not matter."""
    token = {"x-cloudjar-token": (server.home / "admin-token").read_text()}
    url = f"{server.endpoint}/_cloudjar/clock?seconds=360"
    asked = urllib.request.Request(url, method="POST", headers=token)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            answer.read()
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException):
        return  # killed meanwhile


def records(client: Client) -> list[dict[str, Any]]:
    """All that was delivered."""
    found = []
    for item in client.call("s3", "list_objects_v2", Bucket=BUCKET).get("Contents", []):
        with client.call("s3", "get_object", Bucket=BUCKET, Key=item["Key"])["Body"] as body:
            found += json.loads(gzip.decompress(body.read()))["Records"]
    return found


def test_every_answered_call_is_delivered_once(server: ServerProcess) -> None:
    client, chance = Client(server), random.Random(11)
    place = {"LocationConstraint": "eu-west-3"}
    client.call("s3", "create_bucket", Bucket=BUCKET, CreateBucketConfiguration=place)
    client.call("s3", "put_bucket_policy", Bucket=BUCKET, Policy=json.dumps(bucket_policy()))
    client.call("cloudtrail", "create_trail", Name="main", S3BucketName=BUCKET)
    client.call("cloudtrail", "start_logging", Name="main")
    client.acknowledged.clear()
    for _ in range(ROUNDS):
        try:
            for number in range(CALLS):
                client.call("sqs", "create_queue", QueueName=f"q{number}")
                client.call("sqs", "list_queues")
        except Crashed:
            server.start()
        killer = threading.Timer(chance.uniform(0.0, 0.08), server.kill)
        killer.start()
        advance(server)
        killer.join()
        server.start()
    owed = {request for request, _ in client.acknowledged}
    advance(server)
    advance(server)
    seen = Counter(record["requestID"] for record in records(client) if "requestID" in record)
    assert owed <= set(seen)
    assert max(seen.values()) == 1
