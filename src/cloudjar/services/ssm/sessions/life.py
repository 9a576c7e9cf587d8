"""Sessions end: when asked, when idle, when they last too long, with their instance, and with the server."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.services.ssm.nodes import agent
from cloudjar.services.ssm.sessions.records import ACTIVE, CONNECTED, CONNECTING, TERMINATED, Session
from cloudjar.services.ssm.sessions.talk import Talk, talks

_KEPT = timedelta(days=30)
_OPENED_WITHIN = timedelta(minutes=5)
"""How long a session waits for its client."""


@reconciler(Session)
def converge(step: Step, session: Session | None) -> None:
    """End what is over, and look again when it could be."""
    if session is None:
        return
    talk = talks(step.world).get(session.id)
    if session.status not in ACTIVE:
        if talk is not None:
            talk.soon(talk.end)
        _forget(step, session)
        return
    now = step.world.clock.now()
    over, why = _deadline(session, talk)
    vm = agent.instance(step.ctx, session.target)
    if vm is None or vm.state not in ("running", "pending"):
        _end(step, "The instance has been stopped.")
    elif now >= over:
        _end(step, why)
    else:
        step.again("deadline", over)


def _deadline(session: Session, talk: Talk | None) -> tuple[datetime, str]:
    if talk is None:
        return session.began + _OPENED_WITHIN, "No client has connected."
    idle = talk.active + timedelta(minutes=session.idle_minutes), "Session timed out due to inactivity."
    if not session.most_minutes:
        return idle
    most = session.began + timedelta(minutes=session.most_minutes), "Session reached its maximum duration."
    return min(idle, most)


def _end(step: Step, why: str) -> None:
    # The change wakes this reconciler again, which then ends the talk.
    step.change(
        Session,
        lambda now: replace(now, status=TERMINATED, ended=step.world.clock.now(), details=why)
        if now.status in ACTIVE
        else None,
    )


def _forget(step: Step, session: Session) -> None:
    gone = (session.ended or session.began) + _KEPT
    if step.world.clock.now() < gone:
        step.again("forget", gone)
        return
    with step.world.state.database.transaction():
        now = step.db[Session].get(session.id)
        if now is not None and now.status not in ACTIVE:
            step.db[Session].drop(now)


@on_boot("ssm")
def at_start(world: World) -> None:
    """What was talked about before the server went cannot be taken up again; what nobody had begun can."""
    everywhere = Ctx(world, "", "", service_caller("ssm.amazonaws.com", "")).db.everywhere(Session)
    for session in everywhere:
        if session.status == CONNECTED and session.id not in talks(world):
            ctx = Ctx(world, session.account, session.region, service_caller("ssm.amazonaws.com", session.account))
            ended = replace(session, status=TERMINATED, ended=world.clock.now(), details="The jar was stopped.")
            with world.state.database.transaction():
                ctx.db[Session].put(ended)
        elif session.status == CONNECTING:
            world.state.wakes.wake("ssm/session", session.account, session.region, session.id)
