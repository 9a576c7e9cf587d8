"""Who comes into which engine: the cluster that a request names, and the user of its secret."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.planes.database.sessions import Login, SessionsPort, sessions
from cloudjar.services.rds_data import errors

_AURORA = "aurora-postgresql"


class _Secret(msgspec.Struct):
    username: str
    password: str


def port(world: World) -> SessionsPort:
    """Who comes into engines here."""
    found: SessionsPort = world.ports.setdefault("database sessions", sessions(world.ports["compute"]))
    return found


def cluster(ctx: Ctx, arn: str) -> Any:
    """The cluster that a request is about, which has the Data API. Raises what AWS raises."""
    named = arns.parse(arn)
    if named is None or named.service != "rds" or named.type != "cluster":
        raise errors.bad(f"Invalid cluster arn: {arn}")
    here = (named.region, named.account) == (ctx.region, ctx.account)
    found: Any = ctx.find("rds", "cluster", named.name) if here else None
    if found is None:
        raise errors.bad(f"DB cluster {arn} is not found")
    if found.engine != _AURORA or not found.http:
        raise errors.not_enabled(arn)
    return found


def login(ctx: Ctx, req: dict[str, Any], found: Any) -> Login:
    """The writer's engine, and the user whose secret the caller may read."""
    if req.get("schema"):
        raise errors.bad("The schema parameter isn't supported.")
    if any("\0" in (req.get(member) or "") for member in ("sql", "database")):
        raise errors.bad("A statement and the name of a database cannot have the character zero.")
    secret = _secret(ctx, req["secretArn"])
    if why := port(ctx.world).lacks():
        raise AwsError("UnsupportedOperation", f"rds-data: {why}", 501)
    if not found.writer:
        raise AwsError("DatabaseNotFoundException", "The DB cluster doesn't have a DB instance.", 404)
    writer: Any = ctx.find("rds", "db", found.writer)
    if writer is None or not writer.answering or found.state in ("stopping", "stopped", "starting"):
        raise errors.no_writer()
    return Login(
        machine=writer.machine, port=writer.port, user=secret.username, password=secret.password,
        database=req.get("database") or secret.username,
    )  # fmt: skip


def _secret(ctx: Ctx, arn: str) -> _Secret:
    """User and password, as the caller may read them."""
    try:
        got = ctx.call("secretsmanager", "GetSecretValue", {"SecretId": arn})
    except AwsError as refused:
        if refused.code in ("ResourceNotFoundException", "InvalidRequestException", "DecryptionFailure"):
            raise AwsError("SecretsErrorException", f"Error fetching secret {arn}: {refused.message}", 400) from refused
        raise
    try:
        held = msgspec.json.decode(got.get("SecretString") or "", type=_Secret)
        if "\0" in held.username + held.password:
            raise msgspec.ValidationError("no name has the character zero")
        return held
    except msgspec.DecodeError as wrong:
        raise AwsError(
            "InvalidSecretException", f"The secret {arn} has no username and password of a database user.", 400
        ) from wrong
