"""The audit event of a call, as it becomes known on the way through the pipeline.

A call on another account's resource is recorded in both accounts: the owner learns who it was by account and id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.auth.authorize import Decided, Denied
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.gateway.calls import GLOBAL_SERVICES, REDACTED, Call
from cloudjar.kit.audit import INTERNAL, Audit, DataCall
from cloudjar.kit.audit_event import AuditEvent, Besides, SessionFacts
from cloudjar.kit.context import Ctx
from cloudjar.wire.message import Request

_GLOBAL = GLOBAL_SERVICES - {"sts"}
"""Recorded in us-east-1 wherever they were asked. STS has an endpoint in every region, and is recorded there."""

_HOME = "us-east-1"
"""Also of calls without a signature, which name no Region."""

_ANSWERS = frozenset(
    ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetFederationToken", "GetSessionToken")
)
"""Operations that change nothing and whose answers are recorded all the same."""


_CONTENTS = frozenset(("MessageBody", "MessageAttributes", "MessageSystemAttributes", "Message", "Subject"))
_PLAIN = (str, int, float, bool, dict, list, datetime)


class Trail:
    """The event of one call: `decided` is filled in by who authorises it, `record` keeps it."""

    __slots__ = ("call", "ctx", "decided", "req")

    def __init__(self, ctx: Ctx, call: Call, req: dict[str, Any]) -> None:
        self.ctx = ctx
        self.call = call
        self.req = req
        self.decided: Decided | None = None

    def record(self, audit: Audit, result: dict[str, Any] | None, error: AwsError | None = None) -> None:
        """Keep the event of the call as it ended; a call that succeeded is told to the owners of what it touched."""
        operation = self.call.operation
        data = operation is not None and operation.data
        if data and not isinstance(error, Denied) and not self._is_wanted(audit):
            return
        if isinstance(error, Denied):
            self.decided = error.decided
        event = self._event(result, error)
        if data:
            besides = event.besides or Besides()
            besides.data = True
            event = replace(event, besides=besides)
        decided = self.decided
        if error is not None or decided is None or not decided.owners:
            audit.record(event)
            return
        besides = event.besides or Besides()
        shared = ids.uuid4()
        audit.record(replace(event, besides=replace(besides, shared=shared)))
        for owner in sorted(decided.owners):
            theirs = replace(besides, shared=shared, other=event.account)
            audit.record(replace(event, id=ids.uuid4(), account=owner, besides=theirs))

    def _is_wanted(self, audit: Audit) -> bool:
        """Whether somebody keeps data events of what was touched."""
        decided = self.decided
        if audit.wanted is None or decided is None:
            return False
        accounts = (self.ctx.account, *decided.owners)
        return audit.wanted(DataCall(self.call.service.name, self.ctx.region, accounts, decided.resources))

    def _event(self, result: dict[str, Any] | None, error: AwsError | None) -> AuditEvent:
        ctx, call, decided = self.ctx, self.call, self.decided
        request, caller, noted = ctx.request, ctx.caller, ctx.noted
        name = call.model.name
        reads = call.operation is not None and not call.operation.writes
        data = call.operation is not None and call.operation.data
        answer = None
        if result is not None and not data and (not reads or name in _ANSWERS):
            answer = _redacted(call.redact_output, result)
        origin = _inside(caller) if request is None else ""
        return AuditEvent(
            id=ids.uuid4(),
            time=ctx.now.timestamp(),
            account=noted.get("account", ctx.account) if noted is not None else ctx.account,
            region=_HOME if call.service.name in _GLOBAL else ctx.region or _HOME,
            service=call.service.name,
            operation=name,
            reads=reads,
            caller_kind=caller.kind,
            caller_arn=caller.arn,
            caller_id=caller.unique_id,
            caller_name=caller.name,
            access_key_id=caller.access_key_id,
            source_ip=request.peer if request is not None else origin,
            agent=request.headers.get("user-agent", "") if request is not None else origin,
            request_id=ctx.request_id,
            error_code=error.code if error is not None else "",
            error_message=error.message if error is not None else "",
            params=_redacted(call.redact_input, _without_contents(self.req) if data else self.req),
            answer=answer,
            resources=decided.resources if decided is not None else (),
            decision=decided.text if decided is not None else "",
            besides=_besides(caller, request, noted),
        )


def _inside(caller: Caller) -> str:
    """Where a call from inside came from: the service that made it, for its caller or by itself."""
    return caller.called_via[-1] if caller.called_via else caller.service or INTERNAL


def _besides(caller: Caller, request: Request | None, noted: dict[str, Any] | None) -> Besides | None:
    """What this call has that most have not; None for most."""
    issued, via = caller.token_issued, caller.called_via
    tls = None if request is None else request.tls
    through = request.vpce if request is not None else ""
    if issued is None and tls is None and noted is None and not via and not through:
        return None
    made = Besides(via=via[-1] if via else "", endpoint=through)
    if issued is not None:
        made.session = SessionFacts(
            issuer=caller.role_arn,
            created=issued.timestamp(),
            mfa=caller.mfa_at is not None,
            source_identity=caller.source_identity,
            provider=caller.federated_provider,
        )
    if tls is not None and request is not None:
        made.tls = (*tls.agreed(), request.headers.get("host", ""))
    if noted is not None:
        made.identity, made.additional = noted.get("identity"), noted.get("additional")
    return made


def _without_contents(value: Any) -> Any:
    """A request without what it carries: bytes and streams are left out, messages are hidden."""
    if isinstance(value, dict):
        return {
            name: REDACTED if name in _CONTENTS else _without_contents(item)
            for name, item in value.items()
            if isinstance(item, _PLAIN)
        }
    return [_without_contents(item) for item in value] if isinstance(value, list) else value


def _redacted(redact: Any, value: Any) -> Any:
    return value if redact is None else redact(value)
