"""New versions: sealed, labelled, old ones cleaned up, replicas brought along."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.envelope import Envelope
from cloudjar.kit.record import arn_of
from cloudjar.services.secretsmanager import errors, lookup, sealing, stages
from cloudjar.services.secretsmanager.records import CURRENT, Secret, Version, version_key
from cloudjar.services.secretsmanager.replication import sync

MOST = 100
"""Versions of a secret."""
_CHECK = "RequestToValidateKeyAccess"
"""What stands for a version's id in the encryption context of a check."""
_SAFE = timedelta(hours=24)
"""How long a version is kept whatever else there is."""


def put(ctx: Ctx, secret: Secret, token: str, value: tuple[bytes, bool], labels: Iterable[str]) -> Version:
    """A value under a version id, with these labels (AWSCURRENT too when it is the first); the same one twice is one.

    `value` is (bytes, whether they are binary). Raises ResourceExistsException, LimitExceededException and what
    sealing raises.
    """
    before = lookup.version(ctx, secret, token)
    if before is not None and before.envelope is not None:
        return _again(ctx, secret, before, value)
    _make_room(ctx, secret)
    made = _store(ctx, secret, before, token, value)
    now = lookup.stages(ctx, secret)
    wanted = list(labels)
    if not stages.holder(now, CURRENT) and _is_first(ctx, secret, made):
        wanted = [*wanted, CURRENT] if CURRENT not in wanted else wanted
    lookup.restage(ctx, secret, stages.attach(now, token, wanted))
    changed(ctx, secret)
    found = lookup.version(ctx, secret, token)
    assert found is not None
    return found


def changed(ctx: Ctx, secret: Secret) -> Secret:
    """Note that a secret was changed, and bring its replicas along."""
    table = ctx.db.at(secret.account, secret.region)[Secret]
    now = table.put(replace(table.need(secret.id), changed=ctx.now))
    return sync(ctx, now)


def _again(ctx: Ctx, secret: Secret, before: Version, value: tuple[bytes, bool]) -> Version:
    if (sealing.unseal(ctx, secret, before), before.binary) != value:
        raise errors.token_used(before.id, arn_of(secret))
    return before


def _store(ctx: Ctx, secret: Secret, before: Version | None, token: str, value: tuple[bytes, bool]) -> Version:
    table = ctx.db.at(secret.account, secret.region)[Version]
    data, binary = value
    sealed = sealed_for(ctx, secret, token, data)
    if before is not None:
        return table.put(replace(before, envelope=sealed, kms_key_id=secret.kms_key_id, binary=binary))
    return table.add(new_version(ctx, secret, token, sealed, binary=binary))


def sealed_for(ctx: Ctx, secret: Secret, token: str, data: bytes) -> Envelope:
    """A value sealed under the secret's key; the default key is for callers of the secret's own account alone."""
    key = sealing.key_of(secret)
    if ctx.caller.account != secret.account:
        if sealing.is_default(secret.kms_key_id):
            raise errors.no_kms_access()
        if arns.parse(key) is None:
            noun = "" if key.startswith("alias/") else "key/"
            key = arns.make("kms", secret.region, secret.account, noun + key)
    return sealing.seal(ctx, secret, token, data, key)


def check_key(ctx: Ctx, secret: Secret) -> None:
    """Seal and open nothing with a customer's key: who gives a secret a key must be able to do both with it.

    https://docs.aws.amazon.com/kms/latest/developerguide/services-secrets-manager.html#asm-using-kms
    """
    if not sealing.is_default(secret.kms_key_id):
        sealing.opened(ctx, secret, _CHECK, sealed_for(ctx, secret, _CHECK, b""))


def new_version(ctx: Ctx, secret: Secret, token: str, sealed: Envelope | None, *, binary: bool = False) -> Version:
    """A version's record, not stored yet and without labels."""
    number = 1 + max((version.number for version in lookup.versions(ctx, secret)), default=0)
    return Version(
        key=version_key(secret.id, token),
        secret=secret.id,
        id=token,
        envelope=sealed,
        kms_key_id=secret.kms_key_id,
        binary=binary,
        created=ctx.now,
        number=number,
    )


def _is_first(ctx: Ctx, secret: Secret, made: Version) -> bool:
    return all(version.id == made.id or version.envelope is None for version in lookup.versions(ctx, secret))


def _make_room(ctx: Ctx, secret: Secret) -> None:
    """Let go of versions without labels, oldest first, once there are too many; not of those of the last day."""
    found = lookup.versions(ctx, secret)
    table = ctx.db.at(secret.account, secret.region)[Version]
    surplus = len(found) - MOST + 1
    for version in found:
        if surplus <= 0:
            return
        if not version.stages and ctx.now - version.created > _SAFE:
            table.drop(version)
            surplus -= 1
    if surplus > 0:
        raise errors.limit(f"You have reached the limit of {MOST} versions of this secret.")
