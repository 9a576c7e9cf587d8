"""Who listens to the audit: trails that log. An event that one of them wants sets the alarm of its next delivery, so
that a quiet jar does nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.audit import Audit, DataCall
from cloudjar.kit.audit_event import AuditEvent
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import on_boot
from cloudjar.services.cloudtrail import views
from cloudjar.services.cloudtrail.selectors import match
from cloudjar.services.cloudtrail.trails import finding
from cloudjar.services.cloudtrail.trails.destinations import PRINCIPAL
from cloudjar.services.cloudtrail.trails.records import Run, Trail
from cloudjar.spec import regions

DELIVER = "deliver"
_EVERY = timedelta(minutes=5)
_PORT = "cloudtrail.listener"
_NEVER = frozenset((("logs", "PutLogEvents"),))
"""What CloudTrail does not record."""


def audit(world: World) -> Audit:
    """The jar's audit."""
    found: Audit = world.ports["audit"]
    return found


def mark(now: datetime) -> datetime:
    """When the next delivery is: every five minutes of the clock."""
    seconds = _EVERY.total_seconds()
    return datetime.fromtimestamp((now.timestamp() // seconds + 1) * seconds, UTC)


def concerns(ctx: Ctx, trail: Trail, event: AuditEvent) -> bool:
    """Whether an event is delivered to a trail: in its accounts and Regions, and wanted."""
    return _in_scope(ctx, trail, event.account, event.region) and _is_told(trail, event) and match.wants(trail, event)


def _in_scope(ctx: Ctx, trail: Trail, account: str, region: str) -> bool:
    if region != trail.region and not trail.multi_region:
        return False
    if account == trail.account:
        return True
    return bool(trail.organization) and finding.organization_of(ctx, account) == trail.organization


def _is_told(trail: Trail, event: AuditEvent) -> bool:
    if (event.service, event.operation) in _NEVER:
        return False
    if not trail.global_events and event.service in regions.WITHOUT_REGIONS:
        return False
    return trail.recursive or not _is_own(event)


def _is_own(event: AuditEvent) -> bool:
    """Whether CloudTrail did it itself."""
    via = event.besides.via if event.besides is not None else ""
    return (event.caller_kind == "service" and event.caller_name == PRINCIPAL) or via == PRINCIPAL


class Listener:
    """What a running jar knows of its trails that log."""

    def __init__(self, world: World) -> None:
        self._ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
        self._armed: set[str] = set()
        self._logging: list[Trail] | None = None
        world.state.watchers.setdefault("cloudtrail", []).append(self._forget)
        audit(world).heard = self.hear
        audit(world).wanted = self.wants

    def _forget(self) -> None:
        self._logging = None

    def trails(self) -> list[Trail]:
        """The trails that log, oldest first."""
        found = self._logging
        if found is None:
            found = [trail for trail in self._ctx.db.everywhere(Trail) if trail.run]
            found.sort(key=lambda trail: (trail.created, trail.account, trail.region, trail.name))
            self._logging = found
        return found

    def hear(self, event: AuditEvent) -> None:
        """Set the alarm of whoever wants the event and has none yet; EventBridge is told of what any trail gets."""
        told = self._ctx.world.events.recorded
        wanted = False
        for trail in self.trails():
            armed = trail.run in self._armed
            if (not armed or (told and not wanted)) and concerns(self._ctx, trail, event):
                wanted = True
                if not armed:
                    self.arm(trail.account, trail.region, trail.run)
        for tell in told if wanted else ():
            tell(event, views.source_of(event.service), lambda: views.record(event))

    def wants(self, call: DataCall) -> bool:
        """Whether a trail that logs wants a data event."""
        return call.service in match.SERVICES and any(
            match.has_data(trail)
            and match.wants_data_of(trail, call.resources)
            and any(_in_scope(self._ctx, trail, account, call.region) for account in call.accounts)
            for trail in self.trails()
        )

    def arm(self, account: str, region: str, run: str) -> None:
        """Deliver at the next mark."""
        database = self._ctx.world.state.database
        with database.transaction():
            self._armed.add(run)
            database.on_rollback(lambda: self._armed.discard(run))
            due = mark(self._ctx.world.clock.now())
            self._ctx.world.state.wakes.wake("cloudtrail/run", account, region, run, purpose=DELIVER, due=due)

    def wake_all(self) -> None:
        """Have every run look whether it has something to deliver."""
        with self._ctx.world.state.database.transaction():
            for run in self._ctx.db.everywhere(Run):
                self._ctx.wake(run)

    def disarm(self, run: str) -> None:
        """A delivery begins: what is recorded from here on sets an alarm anew. What was recorded before is committed
        once the lock is had, so the delivery sees it."""
        with self._ctx.world.state.database.lock:
            self._armed.discard(run)

    def is_first(self, trail: Trail, account: str, region: str) -> bool:
        """Whether a trail's is the first copy of the management events of an account and Region."""
        for other in self.trails():
            if match.has_management(other) and _in_scope(self._ctx, other, account, region):
                return (other.account, other.region, other.name) == (trail.account, trail.region, trail.name)
        return True


def listener(world: World) -> Listener:
    """The listener of a running jar; it begins to listen when it is first asked for."""
    found = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = Listener(world)
    assert isinstance(found, Listener)
    return found


@on_boot("cloudtrail")
def resume(world: World) -> None:
    """Listen again, and look at what was recorded and not delivered."""
    listener(world).wake_all()
