"""What users, roles and root users did last, by service and action: kept small beside the audit trail.

The trail is followed from where it was left: a report reads the events since the last one, never all of them. So calls
cost nothing for it. AWS reports at least 400 days, so do we.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

from cloudjar.kit.audit import Audit, AuditEvent
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.kit.record import Record, record
from cloudjar.spec import iam

TRACKED = timedelta(days=400)
_BATCH = 2000
_TRAIL = "trail"


@record("iam-use", "access", key="place", index=("principal",), regional=False)
class Access(Record, frozen=True, kw_only=True):
    """The last attempt of a principal at an action; `place` is ``PRINCIPAL/SERVICE/ACTION``.

    `principal` is a unique id (``AIDA...``, ``AROA...``) or, for root, the account; `service` is the action's prefix.
    """

    place: str
    principal: str
    service: str
    action: str
    at: datetime
    used_in: str


@record("iam-use", "followed", key="name", regional=False)
class Followed(Record, frozen=True, kw_only=True):
    """How far the trail was followed: the number of the last event."""

    name: str
    number: int


def follow(ctx: Ctx) -> None:
    """Take in what the trail has gained. Not within a transaction: the trail's journal is moved by its own."""
    audit: Audit = ctx.world.ports["audit"]
    database = ctx.world.state.database
    nowhere = ctx.db.at("", "")[Followed]
    while True:
        done = nowhere.get(_TRAIL)
        batch = audit.after(done.number if done is not None else 0, _BATCH)
        if not batch:
            return
        with database.transaction():
            for event in _newest(event for _, event in batch):
                _keep(ctx.db, event)
            nowhere.add(Followed(name=_TRAIL, number=batch[-1][0]))  # in place of the one before


def _newest(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """One event for each principal and operation: the last."""
    found: dict[tuple[str, str, str], AuditEvent] = {}
    for event in events:
        if event.caller_kind in ("user", "role", "root") and event.counts:
            found[event.caller_id, event.service, event.operation] = event
    return list(found.values())


def _keep(db: Db, event: AuditEvent) -> None:
    principal, action = event.caller_id.partition(":")[0], _action(event.service, event.operation)
    service, _, name = action.partition(":")
    place = f"{principal}/{service}/{name}"
    at = datetime.fromtimestamp(event.time, UTC).replace(microsecond=0)
    kept = Access(place=place, principal=principal, service=service, action=name, at=at, used_in=event.region)
    table = db.at(_account(event), "")[Access]
    known = table.get(place)
    if known is None or known.at <= at:
        table.add(kept)  # in place of the one before


def _account(event: AuditEvent) -> str:
    """The caller's account; it is in the ARN, whosever trail the event lies in."""
    return event.caller_arn.split(":")[4]


@cache
def _action(service: str, operation: str) -> str:
    """The IAM action that an operation is authorised as; its own name where it needs no permission."""
    try:
        entries = iam.authorization(service, operation)
    except iam.UnknownAction:
        entries = ()
    return entries[0].action if entries else f"{iam.prefix_of(service)}:{operation}"


def of(ctx: Ctx, account: str, principal: str) -> list[Access]:
    """What a principal did last, of each action, within the tracked time; `follow` first."""
    since = ctx.now - TRACKED
    return [access for access in ctx.db.at(account, "")[Access].all(principal=principal) if access.at >= since]
