"""Start, resume, end and list sessions.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import meta
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.documents import finding, schema
from cloudjar.services.ssm.documents.managed import PREFERENCES
from cloudjar.services.ssm.documents.records import SESSION
from cloudjar.services.ssm.nodes import agent
from cloudjar.services.ssm.sessions import tokens
from cloudjar.services.ssm.sessions.access import starting
from cloudjar.services.ssm.sessions.door import PATH
from cloudjar.services.ssm.sessions.records import ACTIVE, TERMINATED, Session

_SHELL = "Standard_Stream"
_RUN_AS_TAG = "SSMSessionRunAs"


@op("StartSession", access=starting)
def start_session(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A session that a client may now connect to."""
    target = req["Target"]
    vm = agent.instance(ctx, target)
    if vm is None or not agent.connects(ctx, vm):
        raise AwsError("TargetNotConnected", f"{target} is not connected.")
    wishes = finding.preferences(ctx)
    _refuse_recording(wishes)
    kind, properties = _plan(ctx, req)
    session = ctx.db[Session].add(
        Session(
            id=f"{_who(ctx)}-{ids.resource_id('s')[2:]}",
            target=target,
            began=ctx.now,
            document=req.get("DocumentName") or PREFERENCES,
            kind=kind,
            properties=properties,
            owner=ctx.caller.arn,
            owner_id=ctx.caller.unique_id,
            run_as=_run_as(ctx, wishes),
            profile=str((wishes.get("shellProfile") or {}).get("linux") or "") if kind == _SHELL else "",
            reason=req.get("Reason") or "",
            idle_minutes=_minutes(wishes.get("idleSessionTimeout")) or 20,
            most_minutes=_minutes(wishes.get("maxSessionDuration")),
        )
    )
    return _opened(ctx, session)


def _plan(ctx: Ctx, req: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The type of a session and its properties, filled in."""
    name = req.get("DocumentName")
    given = req.get("Parameters") or {}
    if not name or name == PREFERENCES:
        if given:
            raise schema.bad_parameters(f"The document {PREFERENCES} takes no parameters.")
        return _SHELL, {}
    found = finding.read(ctx, name)
    if found.kind != SESSION:
        raise AwsError("InvalidDocument", f"Document type {found.kind} is not supported for sessions.")
    content = found.content
    values = schema.filled(content, given)
    return content["sessionType"], schema.replaced(content.get("properties") or {}, values)


def _refuse_recording(wishes: dict[str, Any]) -> None:
    """What an account asks for and nobody would do is refused: a session that is not recorded must not be."""
    for name in ("kmsKeyId", "s3BucketName", "cloudWatchLogGroupName"):
        if wishes.get(name):
            raise errors.not_built(f"The preference {name} of sessions")


def _run_as(ctx: Ctx, wishes: dict[str, Any]) -> str:
    if str(wishes.get("runAsEnabled")).lower() != "true":
        return ""
    user = ctx.caller.tags.get(_RUN_AS_TAG) or str(wishes.get("runAsDefaultUser") or "")
    if not user:
        raise AwsError("ValidationException", "Run As is enabled, and no operating system user is set for this caller.")
    return user


def _who(ctx: Ctx) -> str:
    caller = ctx.caller
    return caller.user_name or caller.session_name or "root"


def _minutes(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isdigit() else 0


def _opened(ctx: Ctx, session: Session) -> dict[str, Any]:
    request = ctx.request
    secure = request is not None and request.secure
    host = request.headers.get("host", "") if request is not None else ""
    place = f"{'wss' if secure else 'ws'}://{host or f'ssmmessages.{ctx.region}.amazonaws.com'}"
    url = f"{place}{PATH}{quote(session.id, safe='')}?role=publish_subscribe"
    return {"SessionId": session.id, "TokenValue": tokens.issue(ctx, session), "StreamUrl": url}


@op("ResumeSession")
def resume_session(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new token for a session whose client has lost its connection."""
    session = ctx.db[Session].need(req["SessionId"])
    if session.status not in ACTIVE:
        raise meta(Session).not_found(session.id)
    return _opened(ctx, ctx.db[Session].put(replace(session, ticket=session.ticket + 1)))


@op("TerminateSession")
def terminate_session(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The end of a session; ended ones are no error."""
    session = ctx.db[Session].get(req["SessionId"])
    if session is not None and session.status in ACTIVE:
        ctx.db[Session].put(replace(session, status=TERMINATED, ended=ctx.now))
    return {"SessionId": req["SessionId"]}


_FILTERS: dict[str, Callable[[Session], str]] = {
    "Target": lambda session: session.target,
    "Owner": lambda session: session.owner,
    "Status": lambda session: session.status,
    "SessionId": lambda session: session.id,
    "AccessType": lambda session: "Standard",
}


@op("DescribeSessions")
def describe_sessions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Sessions that are active, or that were."""
    active = req["State"] == "Active"
    found = [one for one in ctx.db[Session].all() if (one.status in ACTIVE) is active]
    for wanted in req.get("Filters") or ():
        found = [one for one in found if _admits(wanted["key"], wanted["value"], one)]
    found.sort(key=lambda one: (one.began, one.id), reverse=True)
    return {"Sessions": [_show(one) for one in found]}


def _admits(key: str, value: str, session: Session) -> bool:
    if key in ("InvokedAfter", "InvokedBefore"):
        began = session.began.strftime("%Y-%m-%dT%H:%M:%SZ")
        return began >= value if key == "InvokedAfter" else began <= value
    return _FILTERS[key](session) == value


def _show(session: Session) -> dict[str, Any]:
    return {
        "SessionId": session.id,
        "Target": session.target,
        "Status": session.status,
        "StartDate": session.began,
        "EndDate": session.ended,
        "DocumentName": session.document,
        "Owner": session.owner,
        "Reason": session.reason or None,
        "Details": session.details or None,
        "OutputUrl": {},
        "MaxSessionDuration": str(session.most_minutes) if session.most_minutes else None,
        "AccessType": "Standard",
    }
