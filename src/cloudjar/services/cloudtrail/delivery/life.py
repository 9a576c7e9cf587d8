"""A run's deliveries: every five minutes what was recorded since, hourly the digests, at the end the rest.

What was delivered and how far the audit was read commit together: nothing is lost, and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit.audit_event import AuditEvent
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.cloudtrail import bill
from cloudjar.services.cloudtrail.delivery import listening, putting
from cloudjar.services.cloudtrail.delivery.files import File, file_of
from cloudjar.services.cloudtrail.delivery.listening import DELIVER
from cloudjar.services.cloudtrail.digests import keys, making
from cloudjar.services.cloudtrail.trails.records import Run, Stretch, Trail

_BATCH = 2000
_RETRY, _DIGEST = "retry", "digest"
_HOUR = timedelta(hours=1)
_KEPT = timedelta(days=30)
"""For how long a delivery that failed is tried again."""
_QUICK = 12
"""Failures after which it is tried hourly."""

Numbered = tuple[int, AuditEvent]
Sorted = dict[str, list[AuditEvent]]
"""Events by ``ACCOUNT/REGION``."""


@reconciler(Run)
def follow(step: Step, run: Run | None) -> None:
    """Deliver when it is time, and see to it that it will be."""
    if run is None:
        return
    trail = _trail(step, run)
    if trail is None:
        with step.world.state.database.transaction():
            step.db[Run].drop(run)
        return
    if step.wake.purpose in (DELIVER, _RETRY):
        _deliver(step, trail)
    elif step.wake.purpose == _DIGEST:
        _digest(step, trail)
    else:
        _arrange(step, run, trail)


def _trail(step: Step, run: Run) -> Trail | None:
    """What the run delivers for: as it is now, or as it was when it was deleted."""
    return run.last or step.db[Trail].get(run.name)


def _arrange(step: Step, run: Run, trail: Trail) -> None:
    """Set the alarms that are missing."""
    world = step.world
    listener = listening.listener(world)
    waits = world.state.wakes.expects(step.wake, DELIVER)
    if not waits and (run.until or listening.audit(world).after(run.cursor, 1)):
        if run.until:
            step.again(DELIVER, listening.mark(world.clock.now()))
        else:
            listener.arm(run.account, run.region, run.id)
    if run.until:
        return
    if trail.validation and run.digested is None:
        keys.current(step.ctx)  # made now, it can be asked for before the first digest
        begun = step.change(Run, lambda now: replace(now, digested=world.clock.now()))
        if begun is not None:
            step.again(_DIGEST, world.clock.now() + _HOUR)
    elif not trail.validation and run.digested is not None:
        step.change(Run, making.forgotten)


# -- files
def _deliver(step: Step, trail: Trail) -> None:
    listening.listener(step.world).disarm(step.key)
    run = step.db[Run].need(step.key)
    for place in run.stretches:
        _catch_up(step, trail, place)
    run = _read_on(step, trail)
    behind = [stretch for stretch in run.stretches.values() if stretch.behind is not None]
    if behind:
        now = step.world.clock.now()
        tried = max(stretch.failures for stretch in behind)
        step.again(_RETRY, listening.mark(now) if tried < _QUICK else now + _HOUR)
    if run.until and (not behind or _is_given_up(step, run)):
        _end(step, run, trail)


def _read_on(step: Step, trail: Trail) -> Run:
    """Deliver what was recorded until now, batch by batch."""
    audit = listening.audit(step.world)
    run = step.db[Run].need(step.key)
    audit.ingest()
    newest = audit.newest()  # what the deliveries themselves leave behind is for the next one
    while found := [(n, event) for n, event in audit.after(run.cursor, _BATCH) if n <= newest]:
        if run.until and not run.end:
            run = replace(run, end=next((n for n, event in found if event.request_id == run.until), 0))
        run = _hand_over(step, run, trail, _chosen(step, run, trail, found), found[-1][0])
    return run


def _chosen(step: Step, run: Run, trail: Trail, found: Iterable[Numbered]) -> Sorted:
    """The events that the trail gets."""
    chosen: Sorted = {}
    for number, event in found:
        if _is_of_run(run, number, event) and listening.concerns(step.ctx, trail, event):
            chosen.setdefault(f"{event.account}/{event.region}", []).append(event)
    return chosen


def _is_of_run(run: Run, number: int, event: AuditEvent) -> bool:
    """Whether an event happened while the run went on. Reads get their number when they are moved, which may be after
    that of the call that ended the run: then the time tells."""
    if event.time < run.began.timestamp():
        return False
    return not run.end or number <= run.end or (run.stopped is not None and event.time < run.stopped.timestamp())


def _hand_over(step: Step, run: Run, trail: Trail, chosen: Sorted, cursor: int) -> Run:
    """Deliver a batch; what a bucket does not take stays behind."""
    files = {place: file_of(events) for place, events in chosen.items()}
    with step.world.state.database.transaction():
        stretches = dict(step.db[Run].need(run.id).stretches)
        for place, events in chosen.items():
            account, region = place.split("/")
            if trail.group:
                putting.log_events(step.ctx, trail, account, region, events)
            held = stretches.get(place) or Stretch()
            if held.behind is None:
                done = _put(step, trail, place, held, files[place], events)
                stretches[place] = done or replace(held, behind=run.cursor, failures=1)
        changes = {"cursor": cursor, "stretches": stretches, "end": run.end}
        return step.db[Run].put(replace(step.db[Run].need(run.id), **changes))


def _put(
    step: Step, trail: Trail, place: str, held: Stretch, file: File, events: list[AuditEvent]
) -> Stretch | None:
    """The stretch after a file was delivered; None when the bucket did not take it."""
    account, region = place.split("/")
    done = putting.log_file(step.ctx, trail, account, region, file)
    if isinstance(done, str):
        return None
    first = listening.listener(step.world).is_first(trail, account, region)
    bill.delivered(step.ctx, trail, region, events, first=first)
    return replace(held, files=[*held.files, done] if trail.validation else [])


def _catch_up(step: Step, trail: Trail, place: str) -> None:
    """Try again what a bucket did not take."""
    oldest = (step.world.clock.now() - _KEPT).timestamp()
    while True:
        run = step.db[Run].need(step.key)
        held = run.stretches[place]
        if held.behind is None:
            return
        numbered = listening.audit(step.world).after(held.behind, _BATCH)
        found = [(n, event) for n, event in numbered if n <= run.cursor]
        events = _chosen(step, run, trail, [(n, e) for n, e in found if e.time >= oldest]).get(place, [])
        file = file_of(events) if events else None
        with step.world.state.database.transaction():
            done = held if file is None else _put(step, trail, place, held, file, events)
            if done is None:
                after = replace(held, failures=held.failures + 1)
            elif not found:
                after = replace(done, behind=None, failures=0)
            else:
                after = replace(done, behind=found[-1][0], failures=0)
            now = step.db[Run].need(run.id)
            step.db[Run].put(replace(now, stretches={**now.stretches, place: after}))
        if done is None:
            return


# -- digests and the end
def _digest(step: Step, trail: Trail) -> None:
    run = step.db[Run].need(step.key)
    if run.until or not trail.validation or run.digested is None:
        return
    making.make(step, run, trail, run.digested + _HOUR)
    step.again(_DIGEST, run.digested + 2 * _HOUR)


def _is_given_up(step: Step, run: Run) -> bool:
    return run.stopped is not None and step.world.clock.now() - run.stopped > _KEPT


def _end(step: Step, run: Run, trail: Trail) -> None:
    """The last digest; then there is nothing left of the run."""
    if trail.validation and run.digested is not None:
        making.make(step, run, trail, step.world.clock.now())
    with step.world.state.database.transaction():
        step.db[Run].drop(step.db[Run].need(run.id))
