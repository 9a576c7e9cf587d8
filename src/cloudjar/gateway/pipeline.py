"""One request, in AWS's order.

receive -> route -> authenticate -> parse -> validate -> locate -> authorize -> throttle -> execute
-> serialize -> record

Everything up to `execute` leaves no trace but the audit event; `execute` runs in the one transaction of a call that
writes, in which the audit event, meters and wake-ups commit too. The answer is sent when the commit is on disk.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from functools import cache
from typing import Any

from cloudjar.auth.authenticate import Authenticator
from cloudjar.auth.authorize import Authorizer, Decided, Denied
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.gateway.calls import GLOBAL_SERVICES, Call, Calls
from cloudjar.gateway.locate import locate
from cloudjar.kit import pages
from cloudjar.kit.audit import Audit, AuditEvent
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.operation import Operation, Services
from cloudjar.kit.retry_tokens import RetryTokens
from cloudjar.kit.throttle import Throttle
from cloudjar.spec import models, regions
from cloudjar.wire.faults import fault
from cloudjar.wire.message import Request, Response
from cloudjar.wire.route import Route, detect, family

log = logging.getLogger("cloudjar.pipeline")


class Pipeline:
    """Requests in, responses out. A response that must wait for the disk is an awaitable made by `durably`."""

    def __init__(
        self,
        world: World,
        services: Services,
        authenticator: Authenticator,
        authorizer: Authorizer,
        audit: Audit,
        durably: Any,
        throttle: Throttle | None,
    ) -> None:
        self._world = world
        self._services = services
        self._calls = Calls(services)
        self._authenticate = authenticator
        self._authorize = authorizer
        self._audit = audit
        self._durably = durably
        self._throttle = throttle
        self._tokens = RetryTokens(world.state.database)
        world.invoke = self.invoke

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request; never raises."""
        request_id = ids.request_id()
        changes = self._world.state.database.changes
        route: Route | None = None
        try:
            route = detect(request)
            response = self._serve(request, route, request_id)
        except AwsError as error:
            response = _fault(route, request, error, request_id)
        except Exception:
            log.exception("request %s %s failed", request_id, route or request.path)
            response = _fault(route, request, _internal(request_id), request_id)
        if self._world.state.database.changes == changes:
            return response
        return self._durably(response)  # type: ignore[no-any-return]  # the server's own awaitable

    def refuse(self, request: Request, error: AwsError) -> Response:
        """The answer to a request that failed before it could be routed (its body, its chunks)."""
        try:
            route = detect(request)
        except AwsError:
            route = None
        return _fault(route, request, error, ids.request_id())

    def _serve(self, request: Request, route: Route, request_id: str) -> Response:
        described = models.service(route.service).operations.get(route.operation)
        caller, region = self._authenticate(request, route.service, described)
        if region not in _region_names() and region:
            raise AwsError("UnrecognizedClientException", f"{region} is not a region of this partition", 403)
        call = self._calls.get(route.service, route.operation, route.protocol)
        req = call.codec.parse(request, route.uri_params)
        ctx = Ctx(self._world, caller.account, region, caller, request_id, request)
        result = self.run(ctx, call, req)
        return call.codec.respond(result, request_id)

    def invoke(
        self, service: str, operation: str, params: Mapping[str, Any], caller: Caller, region: str
    ) -> dict[str, Any]:
        """A call from inside: the same stages from `validate` on, under the given principal."""
        call = self._calls.get(service, operation, models.service(service).protocols[0])
        ctx = Ctx(self._world, caller.account, region, caller, ids.request_id())
        return self.run(ctx, call, dict(params))

    def run(self, ctx: Ctx, call: Call, req: dict[str, Any]) -> dict[str, Any]:
        """validate ... record, for a parsed request."""
        trail = _Trail(ctx, call, req)
        try:
            operation = call.handler()
            call.validate(req)
            if operation.writes:
                with self._world.state.database.transaction():
                    result = self._execute(ctx, call, operation, req, trail)
                    self._audit.record(trail.event(result))
            else:
                result = self._execute(ctx, call, operation, req, trail)
                self._audit.record(trail.event(result))
        except AwsError as error:
            self._audit.record(trail.failed(error))
            raise
        return result

    def _execute(
        self, ctx: Ctx, call: Call, operation: Operation, req: dict[str, Any], trail: _Trail
    ) -> dict[str, Any]:
        trail.decided = self._authorize(ctx, call.service.name, locate(ctx, call, operation, req))
        if self._throttle is not None:
            self._throttle.admit(ctx.account, ctx.region, call.service.name, operation.name, req)
        if req.get("DryRun") and call.service.name == "ec2":
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        token = req.get(call.token_member) if call.token_member and operation.writes else None
        if token:
            name = f"{call.service.name}.{operation.name}"
            known = self._tokens.remembered(ctx, name, token, req)
            if known is not None:
                return known
        result = operation.handler(ctx, req)
        if operation.pages and call.model.paginator is not None:
            result = pages.cut(call.model.paginator, call.service.name, operation.name, req, result)
        if token:
            self._tokens.remember(ctx, name, token, req, result)
        return result


class _Trail:
    """The audit event of one call, as it becomes known."""

    __slots__ = ("call", "ctx", "decided", "req")

    def __init__(self, ctx: Ctx, call: Call, req: dict[str, Any]) -> None:
        self.ctx = ctx
        self.call = call
        self.req = req
        self.decided: Decided | None = None

    def event(self, result: dict[str, Any] | None, error: AwsError | None = None) -> AuditEvent:
        ctx, call = self.ctx, self.call
        request = ctx.request
        reads = call.operation is not None and not call.operation.writes
        answer = None if reads or result is None else _redacted(call.redact_output, result)
        decided = error.decided if isinstance(error, Denied) else self.decided
        return AuditEvent(
            id=ids.uuid4(),
            time=ctx.now.timestamp(),
            account=ctx.account,
            region="us-east-1" if call.service.name in GLOBAL_SERVICES else ctx.region,
            service=call.service.name,
            operation=call.model.name,
            reads=reads,
            caller_kind=ctx.caller.kind,
            caller_arn=ctx.caller.arn,
            caller_id=ctx.caller.unique_id,
            caller_name=ctx.caller.name,
            access_key_id=ctx.caller.access_key_id,
            source_ip=request.peer if request is not None else "internal",
            agent=request.headers.get("user-agent", "") if request is not None else "internal",
            request_id=ctx.request_id,
            error_code=error.code if error is not None else "",
            error_message=error.message if error is not None else "",
            params=_redacted(call.redact_input, self.req),
            answer=answer,
            resources=decided.resources if decided is not None else (),
            decision=decided.text if decided is not None else "",
        )

    def failed(self, error: AwsError) -> AuditEvent:
        return self.event(None, error)


@cache
def _region_names() -> frozenset[str]:
    return frozenset(region.name for region in regions.regions())


def _redacted(redact: Any, value: Any) -> Any:
    return value if redact is None else redact(value)


def _internal(request_id: str) -> AwsError:
    return AwsError("InternalFailure", f"An internal error has occurred (request {request_id}).", 500)


def _fault(route: Route | None, request: Request, error: AwsError, request_id: str) -> Response:
    if route is None:
        service, protocol = family(request)
        return fault(service, None, protocol, error, request_id)
    described = models.service(route.service)
    return fault(described, described.operations.get(route.operation), route.protocol, error, request_id)
