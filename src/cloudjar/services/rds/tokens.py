"""IAM database authentication: who comes with a token instead of a password, and whether he may.

A token is a request, signed for the service ``rds-db``, that is never sent: it names the endpoint, its port and the
user, and holds for fifteen minutes. Whoever signed it must be allowed ``rds-db:connect`` as that user.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import PurePath
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from cloudjar.auth.authorize import Authorizer
from cloudjar.base import arn as arns
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step
from cloudjar.kit.operation import Grant
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database import tokens
from cloudjar.planes.database.doors import DoorPort
from cloudjar.planes.database.doors import doors as chosen
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.rds import errors, naming
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases
from cloudjar.wire.message import Request

log = logging.getLogger("cloudjar.databases")

MEMBER = "EnableIAMDatabaseAuthentication"
_SECONDS = 900
_MOST = 8 << 10


class Endpoint(NamedTuple):
    """What a token is for. `resource` is what policies call it: ``db-...`` or ``prx-...``."""

    account: str
    region: str
    name: str
    port: int
    resource: str


def asked(req: dict[str, Any], engine: str, version: str) -> bool:
    """Whether a request wants a new instance to take tokens."""
    wanted = bool(req.get(MEMBER))
    if wanted:
        refuse_ignorant(engine, version)
    return wanted


def understood(engine: str, version: str) -> bool:
    """Whether an engine's build here knows PAM, by which tokens come."""
    return tokens.understood(engine, databases.release(engine, version))


def refuse_ignorant(engine: str, version: str) -> None:
    """Refuse what cannot be told to ask for tokens."""
    if not understood(engine, version):
        raise errors.not_built(
            f"IAM database authentication of {engine} {version} (whose build here has no PAM; PostgreSQL 15 and 17 as "
            "Debian has them do)"
        )


# -- the door of an instance's machine
def doors(world: World) -> DoorPort:
    """Who hears what engines ask."""
    found: DoorPort | None = world.ports.get("database doors")
    if found is None:
        found = world.ports["database doors"] = chosen(world.ports["compute"])
        world.at_stop.append(found.close)
    return found


def serve(step: Step, db: DbInstance) -> None:
    """Hear what the engine of an instance asks, while tokens are taken and its machine runs."""
    host: ComputePort = step.port("compute")
    if not db.iam or host.look(db.machine) != "up":
        doors(step.world).shut(db.resource_id)
        return
    network: NetworkPort = step.port("network")
    place = PurePath(network.guest_path(db.machine)).name
    ask = partial(_of_instance, step.world, db.account, db.region, db.id, db.resource_id)
    try:
        doors(step.world).open(db.resource_id, place, ask)
    except PlaneError as failed:
        log.warning("%s takes no tokens: %s", db.id, failed)


def _of_instance(world: World, account: str, region: str, name: str, resource: str, user: str, token: str) -> bool:
    with world.state.database.lock:
        db = Ctx(world, account, region, service_caller("rds.amazonaws.com", account)).db[DbInstance].get(name)
        if db is None or db.resource_id != resource or not db.iam:
            return False
        return admitted(world, Endpoint(account, region, naming.endpoint(db), db.port, resource), user, token)


# -- tokens
def admitted(world: World, place: Endpoint, user: str, token: str) -> bool:
    """Whether a token lets somebody in as a user. Why not is logged, without the token."""
    try:
        refuse_wrong(world, place, user, token)
    except AwsError as refused:
        log.info("nobody comes in as %r at %s: %s", user[:64], place.name, refused.code)
        return False
    except Exception:
        log.exception("a token at %s could not be judged", place.name)
        return False
    return True


def refuse_wrong(world: World, place: Endpoint, user: str, token: str) -> None:
    """Raise the `AwsError` that says why a token does not let anybody in as a user."""
    host, mark, query = token.partition("/?")
    if len(token) > _MOST or not mark or not token.isascii():
        raise AwsError("MalformedToken", "It is no token.", 403)
    if host.lower() != f"{place.name}:{place.port}":
        raise AwsError("WrongEndpoint", "It is for another endpoint.", 403)
    said = parse_qs(query, keep_blank_values=True)
    if said.get("Action") != ["connect"] or said.get("DBUser") != [user]:
        raise AwsError("WrongUser", "It is for another user.", 403)
    request = Request("GET", "/", query, {"host": host}, trusted=False)
    caller, region = world.ports["authenticate"].presigned(request, "rds", "rds-db", _SECONDS)
    if region != place.region:
        raise AwsError("WrongRegion", "It is for another Region.", 403)
    resource = arns.make("rds-db", place.region, place.account, f"dbuser:{place.resource}/{user}")
    decide = Authorizer(world.ports["identity"], world.sealer, world.ports["organization"])
    asking = Ctx(world, place.account, place.region, caller)
    decide(asking, "rds", [Grant("rds-db:connect", resource, {}, "", place.account)])
