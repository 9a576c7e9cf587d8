"""Finding secrets and versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.records import CURRENT, Secret, Version, version_key
from cloudjar.services.secretsmanager.rules import named
from cloudjar.services.secretsmanager.stages import holder


def find(ctx: Ctx, secret_id: str) -> Secret | None:
    """The secret of a name, ARN or ARN without suffix; other accounts' by ARN only, other regions' not at all."""
    asked = named(secret_id)
    if asked.region not in ("", ctx.region):
        return None
    table = ctx.db.at(asked.account or ctx.account, ctx.region)[Secret]
    if asked.may_be_id:
        found = table.get(asked.text)
        if found is not None:
            return found
    same = table.all(name=asked.text)
    return same[0] if same else None


def need(ctx: Ctx, secret_id: str, *, deleted: bool = False) -> Secret:
    """The same, or ResourceNotFoundException; InvalidRequestException for one in its recovery window."""
    found = find(ctx, secret_id)
    if found is None:
        raise errors.no_secret()
    if found.deleted is not None and not deleted:
        raise errors.deleted()
    return found


def need_primary(ctx: Ctx, secret_id: str, *, deleted: bool = False) -> Secret:
    """The same, refusing replicas."""
    found = need(ctx, secret_id, deleted=deleted)
    if found.is_replica:
        raise errors.on_replica()
    return found


def home(ctx: Ctx, secret: Secret) -> Ctx:
    """The request seen from where the secret is."""
    here = (secret.account, secret.region)
    return ctx if here == (ctx.account, ctx.region) else ctx.at(*here)


def versions(ctx: Ctx, secret: Secret) -> list[Version]:
    """All versions of a secret, oldest first."""
    found = ctx.db.at(secret.account, secret.region)[Version].all(secret=secret.id)
    return sorted(found, key=lambda version: (version.created, version.number))


def stages(ctx: Ctx, secret: Secret) -> dict[str, tuple[str, ...]]:
    """Version id -> labels, oldest version first."""
    return {version.id: version.stages for version in versions(ctx, secret)}


def version(ctx: Ctx, secret: Secret, version_id: str) -> Version | None:
    """A version by its id."""
    return ctx.db.at(secret.account, secret.region)[Version].get(version_key(secret.id, version_id))


def asked_version(ctx: Ctx, secret: Secret, version_id: str = "", stage: str = "") -> Version:
    """The version that GetSecretValue means: by id, by label, else the current one; it has a value."""
    if version_id:
        found = version(ctx, secret, version_id)
        if found is None or found.envelope is None:
            raise errors.no_value(version_id=version_id)
        if stage and stage not in found.stages:
            raise errors.stage_of_another()
        return found
    label = stage or CURRENT
    found = version(ctx, secret, holder(stages(ctx, secret), label))
    if found is None or found.envelope is None:
        raise errors.no_value(stage=label)
    return found


def restage(ctx: Ctx, secret: Secret, after: Mapping[str, tuple[str, ...]]) -> None:
    """Store labels as they shall be."""
    table = ctx.db.at(secret.account, secret.region)[Version]
    for one in versions(ctx, secret):
        labels = after.get(one.id, ())
        if labels != one.stages:
            table.put(replace(one, stages=labels))


def touch(ctx: Ctx, secret: Secret, version: Version) -> None:
    """Remember the day on which a value was read; the second reading of a day writes nothing."""
    day = _day(ctx.now)
    if secret.accessed == day and version.accessed == day:
        return
    db = ctx.db.at(secret.account, secret.region)
    with ctx.world.state.database.transaction():
        db[Secret].put(replace(secret, accessed=day))
        db[Version].put(replace(version, accessed=day))


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
