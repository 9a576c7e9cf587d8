"""API destinations: an event becomes a call over HTTP, made on a thread; the rule hears how it ended.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Any

from cloudjar.auth.authorize import Authorizer
from cloudjar.base import arn as arns
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import event_inputs, event_paths
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.operation import Grant
from cloudjar.kit.record import arn_of
from cloudjar.services.events import arriving, authorizing, concluding, connecting, sending
from cloudjar.services.events.concluding import Failure
from cloudjar.services.events.connecting import AUTHORIZED, OAUTH, Call
from cloudjar.services.events.outbox import Delivery, Kept
from cloudjar.services.events.records import Connection, Destination, Rule
from cloudjar.services.events.sending import Sent

_FLYING, _COUNTED = "events.flying", "events.calls"
_Flight = tuple[str, str, int]
LOOK_AGAIN, SOON = timedelta(seconds=60), timedelta(seconds=1)
_NOT_AUTHORIZED = (401, 407)
_AGAIN = (*_NOT_AUTHORIZED, 409, 429)
_TRIMMED = re.compile(r"^\$")


def start(ctx: Ctx, sent: Sent, delivery: Delivery) -> bool:
    """Make the call, unless it is being made; True when it waits for a token or its turn. Raises `AwsError`."""
    flying: set[_Flight] = ctx.world.ports.setdefault(_FLYING, set())
    if delivery[:3] in flying:
        return False
    destination, connection = _found(ctx, sent)
    _admit(ctx, sent)
    if connection.kind == OAUTH and connection.expires and connection.expires <= ctx.now.timestamp():
        with ctx.world.state.database.transaction():
            authorizing.again(ctx, connection)
        return True
    if connection.state == connecting.AUTHORIZING:
        return True
    if connection.state != AUTHORIZED:
        raise AwsError("ERROR_FROM_TARGET", f"The connection {connection.name} is not authorized.", 400)
    if not _has_room(ctx, destination):
        return True
    call = connecting.authorized(ctx.world, connection, _call(destination, sent))
    flying.add(delivery[:3])
    heard = partial(_heard, ctx.world, sent.rule, sent.target, sent.kept, delivery, connection)
    ctx.world.ports["post"].ask(call.url, call.headers, call.body, heard, method=call.method)
    return False


def _has_room(ctx: Ctx, destination: Destination) -> bool:
    """Whether a destination may be called once more in this second."""
    counted: dict[str, tuple[int, int]] = ctx.world.ports.setdefault(_COUNTED, {})
    second = int(ctx.now.timestamp())
    last, calls = counted.get(destination.id, (second, 0))
    calls = calls if last == second else 0
    if calls >= destination.rate:
        return False
    counted[destination.id] = (second, calls + 1)
    return True


def _found(ctx: Ctx, sent: Sent) -> tuple[Destination, Connection]:
    name = sent.arn.name.partition("/")[0]
    destination = ctx.db[Destination].get(name)
    if destination is None or arn_of(destination) != str(sent.arn):
        raise AwsError("ResourceNotFoundException", f"API destination {name} does not exist.", 400)
    connection = connection_at(ctx, destination.connection)
    if connection is None:
        raise AwsError("ResourceNotFoundException", f"The connection of {name} does not exist.", 400)
    return destination, connection


def connection_at(ctx: Ctx, text: str) -> Connection | None:
    """A connection by its ARN."""
    arn = arns.parse(text)
    found = ctx.db[Connection].get(arn.name.partition("/")[0]) if arn is not None else None
    return found if found is not None and arn_of(found) == text else None


def _admit(ctx: Ctx, sent: Sent) -> None:
    """The target's role must be allowed to call the destination; there is no operation that would ask."""
    who = sending.acting(ctx, sent.rule, sent.target["RoleArn"])
    ports = ctx.world.ports
    decide = Authorizer(ports["identity"], ctx.world.sealer, ports["organization"])
    asking = Ctx(ctx.world, sent.rule.account, sent.rule.region, who)
    decide(asking, "events", [Grant("events:InvokeApiDestination", str(sent.arn), {}, "", sent.rule.account)])


def _call(destination: Destination, sent: Sent) -> Call:
    """The call without what says who calls."""
    given = sent.target.get("HttpParameters") or {}

    def filled(text: str) -> str:
        """A parameter may be a JSON path into the event."""
        if not _TRIMMED.match(text):
            return text
        try:
            found = event_paths.at(sent.event, text)
        except event_paths.PathError:
            return text
        if found is event_paths.ABSENT:
            return ""
        return found if isinstance(found, str) else event_inputs.dumped(found)

    url = destination.endpoint
    for value in given.get("PathParameterValues") or ():
        url = url.replace("*", filled(value), 1)
    url = connecting.with_query(
        url, [(name, filled(value)) for name, value in (given.get("QueryStringParameters") or {}).items()]
    )
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Amazon/EventBridge/ApiDestinations"}
    headers.update({name: filled(value) for name, value in (given.get("HeaderParameters") or {}).items()})
    body = b"" if destination.method in ("GET", "HEAD") else sent.body.encode()
    return Call(destination.method, url, headers, body)


def _heard(
    world: World,
    rule: Rule,
    target: dict[str, Any],
    kept: Kept,
    delivery: Delivery,
    connection: Connection,
    status: int,
    _: bytes,
) -> None:
    """The address has answered (0: it has not); on the thread that asked."""
    ctx = Ctx(world, rule.account, rule.region, service_caller(sending.PRINCIPAL, rule.account))
    with world.state.database.transaction():
        world.ports[_FLYING].discard(delivery[:3])
        now = ctx.db[Rule].get(rule.path)
        if now is None:
            return
        if 200 <= status < 300:
            concluding.succeeded(ctx, now, delivery)
        else:
            if status in _NOT_AUTHORIZED and connection.kind == OAUTH:
                authorizing.again(ctx, connection)
            concluding.failed(ctx, now, target, kept, delivery, judged(status))
        ctx.wake(now, purpose=arriving.DELIVER)


def judged(status: int) -> Failure:
    """What an answer that is no success means; 0 is none."""
    if not status:
        return Failure("CONNECTION_FAILURE", "The endpoint did not answer.", True)
    again = status in _AGAIN or status >= 500
    code = "THROTTLING" if status == 429 else "ERROR_FROM_TARGET"
    return Failure(code, f"The endpoint answered with the status {status}.", again)
