"""Scheduled actions, by AWS's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.application_autoscaling.scheduling import following
from tests.services.application_autoscaling.conftest import SHOP, Shops
from tests.services.ec2.asking import refused


def put(shops: Shops, schedule: str, name: str = "plan", **more: Any) -> None:
    given: dict[str, Any] = {"ScalableTargetAction": {"MinCapacity": 5}, **more}
    shops.api.put_scheduled_action(**SHOP, ScheduledActionName=name, Schedule=schedule, **given)


def shown(shops: Shops) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shops.api.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
    return found


def test_once(shops: Shops) -> None:
    shops.register(1, 3)
    soon = shops.jar.clock.now() + timedelta(hours=1)
    put(shops, f"at({soon:%Y-%m-%dT%H:%M:%S})")
    (action,) = shown(shops)
    assert action["ScheduledActionARN"].endswith(":resource/ecs/service/shop/web:scheduledActionName/plan")
    assert action["ScalableTargetAction"] == {"MinCapacity": 5}
    shops.jar.advance(minutes=59)
    assert shops.copies == 2
    shops.jar.advance(minutes=2)
    assert shops.copies == 5
    (target,) = shops.api.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (5, 5)
    assert shops.activities()[0]["Cause"] == (
        "scheduled action name plan was triggered: minimum capacity was set to 5"
    )
    assert shown(shops) == []


def test_time_and_again_until_its_end(shops: Shops) -> None:
    shops.register(1, 9)
    put(shops, "rate(1 hour)", EndTime=shops.jar.clock.now() + timedelta(hours=2, minutes=30))
    shops.jar.advance(minutes=61)
    assert shops.copies == 5
    shops.counts["service/shop/web"] = 2
    shops.jar.advance(minutes=60)
    assert shops.copies == 5
    assert shown(shops) == []


def test_it_can_be_suspended_and_deleted(shops: Shops) -> None:
    shops.register(1, 9, SuspendedState={"ScheduledScalingSuspended": True})
    put(shops, "rate(1 hour)")
    shops.jar.advance(hours=2)
    assert shops.copies == 2
    named = {**SHOP, "ScheduledActionName": "plan"}
    shops.api.delete_scheduled_action(**named)
    assert refused(shops.api.delete_scheduled_action, **named)[0] == "ObjectNotFoundException"


def test_what_cannot_be_planned_is_refused(shops: Shops) -> None:
    assert refused(lambda **_: put(shops, "rate(1 hour)"))[0] == "ObjectNotFoundException"
    shops.register()
    for schedule in ("rate(1 hours)", "rate(0 hours)", "cron(0 9 * * *)", "at(2020-01-01T00:00:00)", "tomorrow"):
        assert refused(lambda schedule=schedule, **_: put(shops, schedule))[0] == "ValidationException"
    assert refused(lambda **_: put(shops, "rate(1 hour)", ScalableTargetAction={}))[0] == "ValidationException"
    assert refused(lambda **_: put(shops, "cron(0 9 * * ? *)", Timezone="Mars"))[0] == "ValidationException"


@pytest.mark.parametrize(
    ("schedule", "zone", "due"),
    [
        ("at(2026-03-01T09:00:00)", "Europe/Paris", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("rate(5 minutes)", "", datetime(2026, 1, 15, 12, 35, tzinfo=UTC)),
        ("cron(0 9 * * ? *)", "Europe/Paris", datetime(2026, 1, 16, 8, tzinfo=UTC)),
        ("cron(30 12 ? * FRI *)", "", datetime(2026, 1, 16, 12, 30, tzinfo=UTC)),
    ],
)
def test_when(schedule: str, zone: str, due: datetime) -> None:
    assert following(schedule, zone, datetime(2026, 1, 15, 12, 30, tzinfo=UTC), None) == due


def test_a_rate_begins_at_its_start() -> None:
    now, start = datetime(2026, 1, 15, 12, 30, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC)
    assert following("rate(1 day)", "", now, start) == start
    assert following("rate(1 day)", "", start, start) == start + timedelta(days=1)
    with pytest.raises(AwsError):
        following("at(soon)", "", now, None)
