"""Event history: what was called, by whom, and that denied calls are there too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar


@pytest.fixture
def trail(jar: TestJar) -> Any:
    return jar.client("cloudtrail")


def test_every_call_is_in_the_history(jar: TestJar, trail: Any) -> None:
    trail.lookup_events(MaxResults=1)
    events = trail.lookup_events()["Events"]
    assert [e["EventName"] for e in events] == ["LookupEvents"]
    event = events[0]
    assert event["EventSource"] == "cloudtrail.amazonaws.com"
    assert (event["ReadOnly"], event["Username"], event["AccessKeyId"]) == ("true", "root", "test")
    record = json.loads(event["CloudTrailEvent"])
    assert record["userIdentity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert record["requestParameters"] == {"maxResults": 1}
    assert record["awsRegion"] == "eu-west-3"


def test_history_is_regional(jar: TestJar, trail: Any) -> None:
    trail.lookup_events()
    assert jar.client("cloudtrail", region="us-west-2").lookup_events()["Events"] == []
