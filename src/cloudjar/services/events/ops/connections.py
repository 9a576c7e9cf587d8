"""Connections.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import connecting, errors, views
from cloudjar.services.events.connecting import AUTHORIZED, AUTHORIZING, DEAUTHORIZED, OAUTH
from cloudjar.services.events.records import Connection


def _connection(ctx: Ctx, name: str) -> Connection:
    found = ctx.db[Connection].get(name)
    if found is None:
        raise errors.not_found(f"Connection '{name}' does not exist.")
    return found


def _refuse_rest(req: dict[str, Any]) -> None:
    if req.get("InvocationConnectivityParameters"):
        raise errors.not_built("Private connectivity of connections")
    if req.get("KmsKeyIdentifier"):
        raise errors.not_built("KmsKeyIdentifier of connections")


def _answer(ctx: Ctx, held: Connection) -> dict[str, Any]:
    return {
        "ConnectionArn": ctx.arn(held),
        "ConnectionState": held.state,
        "CreationTime": views.when(held.made),
        "LastModifiedTime": views.when(held.changed),
        "LastAuthorizedTime": views.when(held.authorized),
    }


def _show(ctx: Ctx, held: Connection) -> dict[str, Any]:
    more = {"Name": held.name, "StateReason": held.reason or None, "AuthorizationType": held.kind}
    return {**_answer(ctx, held), **more}


@op("CreateConnection")
def create_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep how calls say who calls; with OAuth, a token is asked for at once."""
    _refuse_rest(req)
    name, kind = req["Name"], req["AuthorizationType"]
    if ctx.db[Connection].get(name) is not None:
        raise errors.exists(f"Connection {name} already exists.")
    given = connecting.checked(kind, req["AuthParameters"])
    now = ctx.now.timestamp()
    held = ctx.db[Connection].add(
        Connection(
            name=name,
            id=ids.uuid4(),
            kind=kind,
            sealed=connecting.sealed(ctx.world, given),
            description=req.get("Description") or "",
            state=AUTHORIZING if kind == OAUTH else AUTHORIZED,
            made=now,
            changed=now,
            authorized=0.0 if kind == OAUTH else now,
        )
    )
    return _answer(ctx, held)


@op("UpdateConnection")
def update_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change some of a connection; it is authorized anew."""
    _refuse_rest(req)
    held = _connection(ctx, req["Name"])
    kind, before = req.get("AuthorizationType") or held.kind, connecting.parameters(ctx.world, held)
    given = req.get("AuthParameters") or {}
    if kind != held.kind:
        before = {name: value for name, value in before.items() if name == "InvocationHttpParameters"}
    after = connecting.checked(kind, connecting.updated(before, given))
    description = held.description if req.get("Description") is None else req["Description"]
    now = ctx.now.timestamp()
    changed = replace(
        held,
        kind=kind,
        sealed=connecting.sealed(ctx.world, after),
        description=description,
        state=AUTHORIZING if kind == OAUTH else AUTHORIZED,
        reason="",
        token=b"",
        changed=now,
        authorized=held.authorized if kind == OAUTH else now,
    )
    return _answer(ctx, ctx.db[Connection].put(changed))


@op("DescribeConnection")
def describe_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One connection, without its secrets."""
    held = _connection(ctx, req["Name"])
    shown = connecting.shown(connecting.parameters(ctx.world, held))
    return {**_show(ctx, held), "Description": held.description or None, "AuthParameters": shown}


@op("ListConnections")
def list_connections(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Connections by name and state."""
    prefix, state = req.get("NamePrefix") or "", req.get("ConnectionState")
    found = [
        _show(ctx, held)
        for held in ctx.db[Connection].all()
        if held.name.startswith(prefix) and state in (None, held.state)
    ]
    return views.page(req, "Connections", found)


@op("DeauthorizeConnection")
def deauthorize_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget what a connection authorizes with, until it is updated."""
    held = _connection(ctx, req["Name"])
    after = replace(held, state=DEAUTHORIZED, token=b"", changed=ctx.now.timestamp())
    return _answer(ctx, ctx.db[Connection].put(after))


@op("DeleteConnection")
def delete_connection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a connection; destinations that use it are inactive from then on."""
    held = _connection(ctx, req["Name"])
    ctx.db[Connection].drop(held)
    return {**_answer(ctx, held), "ConnectionState": "DELETING"}
