"""Finding entities by name, as IAM does: whatever the case; and keeping names apart."""

from __future__ import annotations

from typing import TypeVar

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.iam import errors
from cloudjar.services.iam.credentials import ServerCertificate
from cloudjar.services.iam.records import AccountAlias, Group, InstanceProfile, Named, Principal, Role, User

N = TypeVar("N", bound=Named)

_PREFIX: dict[type[Named], str] = {User: "AIDA", Group: "AGPA", Role: "AROA", InstanceProfile: "AIPA"}
_TAKEN: dict[type[Named], str] = {
    User: "User with name {name} already exists.",
    Group: "Group with name {name} already exists.",
    Role: "Role with name {name} already exists.",
    InstanceProfile: "Instance Profile {name} already exists.",
    ServerCertificate: "The Server Certificate with name {name} already exists.",
}


def find(ctx: Ctx, kind: type[N], name: str) -> N | None:
    """The entity of that name in any case, or None."""
    table = ctx.db[kind]
    found = table.get(name)
    if found is None:
        found = next(iter(table.all(folded=name.lower())), None)
    return found


def need(ctx: Ctx, kind: type[N], name: str) -> N:
    """The entity of that name in any case; raises NoSuchEntity."""
    found = find(ctx, kind, name)
    if found is None:
        raise ctx.db[kind].meta.not_found(name)
    return found


def need_free(ctx: Ctx, kind: type[N], name: str, *, but: N | None = None) -> None:
    """Raises EntityAlreadyExists when another entity has the name in some case."""
    found = find(ctx, kind, name)
    if found is not None and (but is None or found.id != but.id):
        raise taken(kind, name)


def taken(kind: type[Named], name: str) -> AwsError:
    """EntityAlreadyExists, worded for the kind."""
    return errors.already_exists(_TAKEN[kind].format(name=name))


def new_id(kind: type[Named]) -> str:
    """A fresh unique id with the prefix of the kind."""
    return ids.unique_id(_PREFIX[kind])


def user_or_caller(ctx: Ctx, name: str | None) -> User:
    """The user that a request names, or the calling user when it names none."""
    if name:
        return need(ctx, User, name)
    if ctx.caller.kind == "root":
        raise errors.root_credentials()
    if ctx.caller.kind != "user":
        raise errors.must_name_user()
    return need(ctx, User, ctx.caller.user_name)


def members(ctx: Ctx, group: Group) -> list[User]:
    """The users in a group."""
    return [user for user in ctx.db[User].all() if group.name in user.groups]


def principals(ctx: Ctx) -> list[Principal]:
    """Every user, group and role of the account."""
    return [*ctx.db[User].all(), *ctx.db[Group].all(), *ctx.db[Role].all()]


def alias(ctx: Ctx) -> AccountAlias | None:
    """The account's alias."""
    return next(iter(ctx.db[AccountAlias].all()), None)
