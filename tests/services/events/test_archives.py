"""Archives keep what their bus gets, and give it back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.events.conftest import Bus, events_in, lets_in
from tests.services.events.test_rules import refused, taken

MINE = {"source": ["my.app"]}


def archive(bus: Bus, name: str = "all", **more: Any) -> str:
    """CreateArchive; its ARN."""
    made = bus.client.create_archive(ArchiveName=name, EventSourceArn=bus.arn, **more)
    assert made["State"] == "ENABLED"
    return str(made["ArchiveArn"])


def replay(jar: TestJar, bus: Bus, source: str, name: str = "again", **more: Any) -> dict[str, Any]:
    """StartReplay of everything, to its end."""
    now = jar.clock.now()
    bus.client.start_replay(
        ReplayName=name,
        EventSourceArn=source,
        EventStartTime=now - timedelta(days=9),
        EventEndTime=now + timedelta(seconds=1),
        Destination={"Arn": bus.arn, **more},
    )
    jar.settle()
    found: dict[str, Any] = bus.client.describe_replay(ReplayName=name)
    return found


def test_what_is_archived_comes_again(jar: TestJar, orders: Bus) -> None:
    arn = archive(orders, EventPattern='{"detail": {"n": [{"numeric": [">", 1]}]}}')
    orders.rule(pattern=MINE)
    box = orders.queue()
    ids = [orders.put({"n": n}) for n in (1, 2, 3)]
    assert len(taken(box)) == 3
    found = orders.client.describe_archive(ArchiveName="all")
    assert (found["EventCount"], found["ArchiveArn"], found["EventSourceArn"]) == (2, arn, orders.arn)
    assert found["SizeBytes"] > 300
    done = replay(jar, orders, arn)
    assert done["State"] == "COMPLETED"
    assert done["Destination"] == {"Arn": orders.arn}
    again = events_in(box)
    assert [(event["id"], event["replay-name"]) for event in again] == [(ids[1], "again"), (ids[2], "again")]
    assert orders.client.describe_archive(ArchiveName="all")["EventCount"] == 2


def test_only_some_rules_get_a_replay(jar: TestJar, orders: Bus) -> None:
    arn = archive(orders)
    one = orders.rule("one", MINE)
    orders.rule("two", MINE)
    orders.put()
    first, second = orders.queue("q1", "one"), orders.queue("q2", "two")
    replay(jar, orders, arn, FilterArns=[one])
    assert (len(first.bodies()), second.bodies()) == (1, [])


def test_a_replay_goes_on_after_a_crash_and_can_be_cancelled(jar: TestJar, orders: Bus) -> None:
    arn = archive(orders)
    for n in range(0, 120, 10):
        entries = [
            {"Source": "my.app", "DetailType": "x", "Detail": f'{{"n": {n + m}}}', "EventBusName": "orders"}
            for m in range(10)
        ]
        orders.client.put_events(Entries=entries)
    orders.rule(pattern=MINE)
    box = orders.queue()
    now = jar.clock.now()
    asked = {"EventSourceArn": arn, "EventStartTime": now - timedelta(1), "EventEndTime": now + timedelta(1)}
    orders.client.start_replay(ReplayName="a", Destination={"Arn": orders.arn}, **asked)
    jar.crash()
    jar.settle()
    assert box.depth()[0] == 120
    orders.client.start_replay(ReplayName="b", Destination={"Arn": orders.arn}, **asked)
    assert orders.client.cancel_replay(ReplayName="b")["State"] == "CANCELLING"
    jar.settle()
    assert orders.client.describe_replay(ReplayName="b")["State"] == "CANCELLED"
    assert box.depth()[0] == 120
    assert refused(orders.client.cancel_replay, ReplayName="b")[0] == "IllegalStatusException"
    assert [one["ReplayName"] for one in orders.client.list_replays(State="COMPLETED")["Replays"]] == ["a"]


def test_what_was_kept_long_enough_goes(jar: TestJar, bus: Bus) -> None:
    archive(bus, RetentionDays=2)
    bus.put({"x": "y" * 1000})
    jar.advance(days=1)
    assert bus.client.describe_archive(ArchiveName="all")["EventCount"] == 1
    assert jar.usage("Archive-TimedStorage") > timedelta(hours=20)
    jar.advance(days=1, hours=2)
    assert bus.client.describe_archive(ArchiveName="all")["EventCount"] == 0


def test_the_rule_of_an_archive_is_not_the_users(jar: TestJar, bus: Bus) -> None:
    archive(bus)
    [rule] = bus.client.list_rules()["Rules"]
    assert rule["Name"] == "Events-Archive-all"
    assert rule["ManagedBy"] == "prod.vhs.events.aws.internal"
    assert rule["EventPattern"] == '{"replay-name":[{"exists":false}]}'
    assert refused(bus.client.disable_rule, Name=rule["Name"])[0] == "ManagedRuleException"
    assert refused(bus.client.delete_rule, Name=rule["Name"])[0] == "ManagedRuleException"
    bus.client.update_archive(ArchiveName="all", EventPattern='{"source":["a"]}')
    pattern = bus.client.describe_rule(Name=rule["Name"])["EventPattern"]
    assert pattern == '{"source":["a"],"replay-name":[{"exists":false}]}'
    bus.client.delete_archive(ArchiveName="all")
    assert bus.client.list_rules()["Rules"] == []


def test_what_is_refused(jar: TestJar, bus: Bus, orders: Bus) -> None:
    arn = archive(bus)
    client, now = bus.client, jar.clock.now()
    again = refused(client.create_archive, ArchiveName="all", EventSourceArn=bus.arn)
    assert again == ("ResourceAlreadyExistsException", "Archive all already exists.")
    assert refused(client.describe_archive, ArchiveName="x")[1] == "Archive x does not exist."
    asked: dict[str, Any] = {"ReplayName": "r", "EventSourceArn": arn, "EventStartTime": now, "EventEndTime": now}
    asked["Destination"] = {"Arn": orders.arn}
    reason = "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted."
    assert refused(client.start_replay, **asked)[1] == reason
    asked["Destination"] = {"Arn": bus.arn}
    assert "EventStartTime must be before EventEndTime." in refused(client.start_replay, **asked)[1]
    asked["EventSourceArn"] = bus.arn
    assert "Must contain an archive ARN." in refused(client.start_replay, **asked)[1]
    assert refused(client.describe_replay, ReplayName="r")[1] == "Replay r does not exist."


def test_under_a_key(jar: TestJar, orders: Bus) -> None:
    kms = jar.client("kms")
    policy = json.loads(lets_in("*", action="kms:*"))
    root = {"Effect": "Allow", "Principal": {"AWS": orders.arn.split(":")[4]}, "Action": "kms:*", "Resource": "*"}
    policy["Statement"].append(root)
    key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]
    arn = archive(orders, KmsKeyIdentifier=key["KeyId"])
    assert orders.client.describe_archive(ArchiveName="all")["KmsKeyIdentifier"] == key["Arn"]
    orders.rule(pattern=MINE)
    box = orders.queue()
    orders.put({"n": 1})
    assert len(taken(box)) == 1
    assert replay(jar, orders, arn)["State"] == "COMPLETED"
    assert [event["detail"] for event in events_in(box)] == [{"n": 1}]
    kms.disable_key(KeyId=key["KeyId"])
    orders.put({"n": 2})
    assert orders.client.describe_archive(ArchiveName="all")["EventCount"] == 1
    failed = replay(jar, orders, arn, "never")
    assert failed["State"] == "FAILED"
    assert "disabled" in failed["StateReason"]
    nobody = refused(orders.client.update_archive, ArchiveName="all", KmsKeyIdentifier="alias/none")
    assert nobody[0] == "ValidationException"
