"""Archives: the rule that fills one, and what it does by itself.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive-event.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from cloudjar.kit import envelope
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.envelope import Envelope
from cloudjar.kit.event_inputs import dumped
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of, meta
from cloudjar.services.events import bill
from cloudjar.services.events.archived import archived
from cloudjar.services.events.records import Archive, Rule, path_of

log = logging.getLogger("cloudjar.events")

_PRINCIPAL = "events.amazonaws.com"
_MANAGER = "prod.vhs.events.aws.internal"
_HOUR = timedelta(hours=1)
_TEND = "tend"


def rule_of(archive: Archive) -> Rule:
    """The managed rule that fills an archive; events that are replayed are not archived again."""
    pattern: dict[str, Any] = json.loads(archive.pattern) if archive.pattern else {}
    pattern["replay-name"] = [{"exists": False}]
    bus = archive.bus.partition("event-bus/")[2]
    name = f"Events-Archive-{archive.name}"
    template = (
        f'{{"archive-arn":"{arn_of(archive)}","event":<aws.events.event.json>,'
        '"ingestion-time":<aws.events.event.ingestion-time>}'
    )
    target = {
        "Id": name,
        "Arn": f"arn:aws:events:{archive.region}:::",
        "InputTransformer": {"InputPathsMap": {}, "InputTemplate": template},
    }
    return Rule(
        path=path_of(bus, name),
        name=name,
        bus=bus,
        pattern=dumped(pattern),
        managed_by=_MANAGER,
        archive=archive.name,
        targets=[target],
        account=archive.account,
        region=archive.region,
    )


def keep_rule(ctx: Ctx, archive: Archive) -> None:
    """Make an archive's rule as it should be."""
    wanted, table = rule_of(archive), ctx.db[Rule]
    if table.get(wanted.path) is None:
        table.add(wanted)
    else:
        table.put(wanted)


def drop(ctx: Ctx, archive: Archive) -> None:
    """Remove an archive with its rule and its events."""
    rule = ctx.db[Rule].get(rule_of(archive).path)
    if rule is not None:
        ctx.db[Rule].drop(rule)
    archived(ctx.world).erase(archive.place)
    ctx.db[Archive].drop(archive)


def add(world: World, rule: Rule, event: Mapping[str, Any]) -> None:
    """Keep an event in the archive that a rule fills."""
    text, now = dumped(event), world.clock.now()
    archive = Db(world.state, rule.account, rule.region)[Archive].get(rule.archive)
    if archive is None:
        return
    sealed = None
    if archive.kms_key:
        ctx, bound = sealing(world, archive)
        try:
            sealed = envelope.seal(ctx, archive.kms_key, text.encode(), bound, via=_PRINCIPAL)
        except AwsError as error:
            log.info("archive %s: %s", archive.name, error)  # as on AWS, what its key does not take is not archived
            return
    archived(world).add(archive.place, text, happened(event, now), now.timestamp(), sealed)
    bill.archived(world, rule.account, rule.region, rule.archive, len(text.encode()))
    hour = datetime.fromtimestamp((now.timestamp() // 3600 + 1) * 3600, UTC)
    world.state.wakes.wake(meta(Archive).spec.name, rule.account, rule.region, rule.archive, purpose=_TEND, due=hour)


def sealing(world: World, archive: Archive) -> tuple[Ctx, dict[str, str]]:
    """Who asks KMS for an archive, and what its envelopes are bound to."""
    who = callers.service(_PRINCIPAL, archive.account, arn_of(archive))
    return Ctx(world, archive.account, archive.region, who), {"aws:events:event-bus:arn": archive.bus}


def opened(world: World, archive: Archive, data: bytes | Envelope) -> dict[str, Any]:
    """An archived event; raises what KMS answers."""
    if isinstance(data, Envelope):
        ctx, bound = sealing(world, archive)
        data = envelope.unseal(ctx, data, bound, via=_PRINCIPAL)
    event: dict[str, Any] = json.loads(data)
    return event


def tend_soon(ctx: Ctx, archive: Archive) -> None:
    """Something was changed: what is kept too long by now goes."""
    ctx.wake(archive, purpose=_TEND)


def happened(event: Mapping[str, Any], now: datetime) -> float:
    """When an event says that it happened, in Unix seconds."""
    try:
        return datetime.strptime(str(event.get("time")), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return now.timestamp()


@reconciler(Archive)
def tend(step: Step, archive: Archive | None) -> None:
    """Measure what is kept, and drop what was kept long enough; hourly while something is new or ages."""
    if archive is None or step.wake.purpose != _TEND:
        return
    with step.world.state.database.transaction():
        now, box = step.world.clock.now(), archived(step.world)
        if archive.days:
            box.expire(archive.place, (now - timedelta(days=archive.days)).timestamp())
        held = box.held(archive.place)
        table = step.db[Archive]
        table.put(replace(table.need(archive.name), billed=held.size))
    if archive.days and held.oldest is not None:
        oldest = datetime.fromtimestamp(held.oldest, UTC)
        step.again(_TEND, max(oldest + timedelta(days=archive.days), now + _HOUR))


def name_of(text: str) -> str:
    """The archive's name in its ARN; "" when it is none."""
    arn = arns.parse(text)
    return arn.name if arn is not None and arn.service == "events" and arn.type == "archive" else ""
