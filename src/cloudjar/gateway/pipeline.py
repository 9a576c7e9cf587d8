"""One request, in AWS's order.

receive -> route -> authenticate -> parse -> validate -> locate -> authorize -> throttle -> execute
-> serialize -> record

Everything up to `execute` leaves no trace but the audit event; `execute` runs in the one transaction of a call that
writes, in which the audit event, meters and wake-ups commit too. The answer is sent when the commit is on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from cloudjar.auth.authenticate import Authenticator
from cloudjar.auth.authorize import Authorizer
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.gateway.calls import Call, Calls
from cloudjar.gateway.locate import locate
from cloudjar.gateway.trail import Trail
from cloudjar.kit import pages
from cloudjar.kit.apart import Apart
from cloudjar.kit.audit import Audit
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.observing import Seen, observer
from cloudjar.kit.operation import Operation, Services
from cloudjar.kit.retry_tokens import RetryTokens
from cloudjar.kit.throttle import Throttle
from cloudjar.kit.waiting import Held
from cloudjar.spec import models, regions
from cloudjar.wire import host
from cloudjar.wire.faults import fault
from cloudjar.wire.message import Request, Response
from cloudjar.wire.route import Route, detect, family

log = logging.getLogger("cloudjar.pipeline")

_FETCHERS = 8
"""How many calls may wait for others at once; further ones wait for these."""


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
        self._fetchers: ThreadPoolExecutor | None = None
        self._tokens = RetryTokens(world.state.database)
        world.invoke = self.invoke
        world.ports["authorize"] = authorizer
        world.ports["authenticate"] = authenticator

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request; never raises."""
        request_id = ids.request_id()
        changes = self._world.state.database.changes
        route: Route | None = None
        parsed: tuple[Call, Ctx, dict[str, Any]] | None = None
        code, began, apart = "", monotonic(), False
        try:
            route = detect(request)
            self._authorize.admit(request, route.service)
            parsed = call, ctx, req = self._read(request, route, request_id)
            if call.operation is not None and call.operation.prepare is not None:
                return self._run_prepared(request, route, call, ctx, req)
            result = self._run_from_outside(ctx, call, req)
            if type(result) is Held:
                return self._hold(request, route, call, ctx, req, result)
            apart = type(result) is Apart
            response = call.codec.respond(result, request_id)
        except AwsError as error:
            response, code = _fault(route, request, error, request_id), error.code
        except Exception:
            log.exception("request %s %s failed", request_id, route or request.path)
            response, code = _fault(route, request, _internal(request_id), request_id), "InternalError"
        if parsed is not None:
            _show(*parsed, response, code, began)
        return self.sent(response, changes, apart=apart)

    def _run_from_outside(self, ctx: Ctx, call: Call, req: dict[str, Any]) -> dict[str, Any]:
        """`run`, for who waits for the disk before he answers."""
        database = self._world.state.database
        operation, request = call.operation, ctx.request
        if operation is not None and operation.joins and (request is None or type(request.body) is bytes):
            return database.joined(self.run, ctx, call, req)
        database.commit_joined()
        return self.run(ctx, call, req)

    def sent(self, response: Response, changes: int, *, apart: bool = False) -> Response | Awaitable[Response]:
        """The answer, held back until what was committed since `changes` is on disk."""
        if self._world.state.database.changes == changes:
            if not apart:
                self._world.state.database.commit_joined()  # it may have seen what others did in this turn
            return response
        return self._durably(response)  # type: ignore[no-any-return]  # the server's own awaitable

    async def _hold(
        self, request: Request, route: Route, call: Call, ctx: Ctx, req: dict[str, Any], result: dict[str, Any]
    ) -> Response:
        """An answer that is held back until there is more to say: the call runs again whenever there may be."""
        database, waits = self._world.state.database, self._world.waits
        changes = database.changes
        until = monotonic() + (result.seconds if isinstance(result, Held) else 0.0)
        try:
            while isinstance(result, Held):
                woken = await waits.wait(result, max(until - monotonic(), 0.0))
                changes = database.changes
                ctx = ctx.at(ctx.account, ctx.region)
                ctx.again, ctx.final = True, not woken
                result = self._run_from_outside(ctx, call, req)
            response = call.codec.respond(result, ctx.request_id)
        except AwsError as error:
            response = _fault(route, request, error, ctx.request_id)
        except Exception:
            log.exception("request %s %s failed", ctx.request_id, route)
            response = _fault(route, request, _internal(ctx.request_id), ctx.request_id)
        sent = self.sent(response, changes)
        return sent if isinstance(sent, Response) else await sent

    async def _run_prepared(
        self, request: Request, route: Route, call: Call, ctx: Ctx, req: dict[str, Any]
    ) -> Response:
        """A call that needs something fetched first; the fetching blocks a thread, never the event loop."""
        changes = self._world.state.database.changes
        code, began = "", monotonic()
        try:
            ctx = await self._prepare(call, ctx, req)
            changes = self._world.state.database.changes
            response = call.codec.respond(self.run(ctx, call, req), ctx.request_id)
        except AwsError as error:
            response, code = _fault(route, request, error, ctx.request_id), error.code
        except Exception:
            log.exception("request %s %s failed", ctx.request_id, route)
            response, code = _fault(route, request, _internal(ctx.request_id), ctx.request_id), "InternalError"
        _show(call, ctx, req, response, code, began)
        sent = self.sent(response, changes)
        return sent if isinstance(sent, Response) else await sent

    async def _prepare(self, call: Call, ctx: Ctx, req: dict[str, Any]) -> Ctx:
        """Have fetched what the call needs, for nobody who may not make it; a failure is audited like any other."""
        operation = call.handler()
        assert operation.prepare is not None
        trail = Trail(ctx, call, req)
        try:
            call.validate(req)
            if call.model.auth_type != "none":
                trail.decided = self._authorize(ctx, call.service.name, locate(ctx, call, operation, req))
            if self._fetchers is None:
                self._fetchers = ThreadPoolExecutor(_FETCHERS, "fetch")
            return await asyncio.get_running_loop().run_in_executor(self._fetchers, operation.prepare, ctx, req)
        except AwsError as error:
            trail.record(self._audit, None, error)
            raise

    def refuse(self, request: Request, error: AwsError) -> Response:
        """The answer to a request that failed before it could be routed (its body, its chunks)."""
        try:
            route = detect(request)
        except AwsError:
            route = None
        return _fault(route, request, error, ids.request_id())

    def admit(self, request: Request, route: Route) -> None:
        """Refuse an upload by its headers, before its body is read; a refusal is audited like any other. Who is let in
        is asked again when everything is there."""
        self._authorize.admit(request, route.service)
        call, ctx, req = self._read(request, route, ids.request_id(), body_read=False)
        trail = Trail(ctx, call, req)
        try:
            operation = call.handler()
            call.validate(req)
            trail.decided = self._authorize(ctx, call.service.name, locate(ctx, call, operation, req))
        except AwsError as error:
            trail.record(self._audit, None, error)
            raise

    def _read(
        self, request: Request, route: Route, request_id: str, *, body_read: bool = True
    ) -> tuple[Call, Ctx, dict[str, Any]]:
        """route ... parse: the call, who makes it, and what he says."""
        described = models.service(route.service).operations.get(route.operation)
        caller, region = self._authenticate(request, route.service, described, body_read=body_read)
        if region not in _region_names() and region:
            raise AwsError("UnrecognizedClientException", f"{region} is not a region of this partition", 403)
        call = self._calls.get(route.service, route.operation, route.protocol)
        req = call.codec.parse(request, route.uri_params)
        if not region and call.model.auth_type == "none":  # nothing was signed: the address says where, or nothing does
            region = host.region(request.headers.get("host", "")) or self._world.settings["region"]
        ctx = Ctx(self._world, caller.account, region, caller, request_id, request)
        return call, ctx, req

    def invoke(
        self,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        caller: Caller,
        region: str,
        request: Request | None = None,
    ) -> dict[str, Any]:
        """A call from inside, or by another door (`request` then says from where): the same stages from `validate` on,
        under the given principal."""
        call = self._calls.get(service, operation, models.service(service).protocols[0])
        ctx, req = Ctx(self._world, caller.account, region, caller, ids.request_id(), request), dict(params)
        if call.operation is not None and call.operation.prepare is not None:
            if self._world.state.database.in_transaction:
                raise RuntimeError(f"{service}:{operation} waits for others: it cannot be a part of another call")
            ctx = self._prepare_here(call, ctx, req)
        return self.run(ctx, call, req)

    def _prepare_here(self, call: Call, ctx: Ctx, req: dict[str, Any]) -> Ctx:
        """What `_prepare` does, for a reconciler: it has a thread of its own, which may block."""
        operation = call.handler()
        assert operation.prepare is not None
        trail = Trail(ctx, call, req)
        try:
            call.validate(req)
            trail.decided = self._authorize(ctx, call.service.name, locate(ctx, call, operation, req))
            return operation.prepare(ctx, req)
        except AwsError as error:
            trail.record(self._audit, None, error)
            raise

    def run(self, ctx: Ctx, call: Call, req: dict[str, Any]) -> dict[str, Any]:
        """validate ... record, for a parsed request."""
        trail = Trail(ctx, call, req)
        try:
            operation = call.handler()
            call.validate(req)
            if operation.writes and not operation.own:
                with self._world.state.database.transaction():
                    result = self._execute(ctx, call, operation, req, trail)
                    trail.record(self._audit, result)
            else:
                result = self._execute(ctx, call, operation, req, trail)
                trail.record(self._audit, result)
        except AwsError as error:
            trail.record(self._audit, None, error)
            raise
        return result

    def _execute(
        self, ctx: Ctx, call: Call, operation: Operation, req: dict[str, Any], trail: Trail
    ) -> dict[str, Any]:
        asked = req
        if operation.completes is not None:
            req = operation.completes(ctx, req)
        trail.decided = self._authorize(ctx, call.service.name, locate(ctx, call, operation, req))
        if ctx.world.faults.strikes:
            ctx.world.faults.strike(ctx.caller, call.service.name, operation.name)
        if self._throttle is not None:
            self._slow_down(self._throttle, ctx, call, asked)
        if req.get("DryRun") and call.service.name == "ec2":
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        token = req.get(call.token_member) if call.token_member and operation.writes else None
        if token:
            name = f"{call.service.name}.{operation.name}"
            known = self._tokens.remembered(ctx, name, token, asked)
            if known is not None:
                return known
        result = operation.handler(ctx, req)
        if operation.pages and call.model.paginator is not None:
            result = pages.cut(call.model.paginator, call.service.name, operation.name, req, result)
        if token:
            self._tokens.remember(ctx, name, token, asked, result)
        return result


    def _slow_down(self, throttle: Throttle, ctx: Ctx, call: Call, req: dict[str, Any]) -> None:
        """Refuse what comes too often. What a service calls does not count against quotas of calls: it would try again
        until it is let in."""
        if call.throttled:
            throttle.admit(ctx.account, ctx.region, call.service.name, call.model.name, req)
        if call.rate is not None and ctx.request is not None:
            throttle.draw(ctx.account, ctx.region, call.service.name, call.rate)


@cache
def _region_names() -> frozenset[str]:
    return frozenset(region.name for region in regions.regions())


def _show(call: Call, ctx: Ctx, req: dict[str, Any], response: Response, code: str, began: float) -> None:
    """Show an answer to the service that wants to see its own."""
    observe = observer(call.service.name)
    if observe is None:
        return
    try:
        observe(Seen(ctx, call.model.name, req, response, code, monotonic() - began))
    except Exception:
        log.exception("the answer to %s was not noted", ctx.request_id)


def _internal(request_id: str) -> AwsError:
    return AwsError("InternalFailure", f"An internal error has occurred (request {request_id}).", 500)


def _fault(route: Route | None, request: Request, error: AwsError, request_id: str) -> Response:
    if route is None:
        service, protocol = family(request)
        return fault(service, None, protocol, error, request_id)
    described = models.service(route.service)
    return fault(described, described.operations.get(route.operation), route.protocol, error, request_id)
