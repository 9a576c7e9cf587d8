"""The life of a secret: rotated when its window opens, gone when its recovery window ends.

A rotation is four steps of the secret's function (createSecret, setSecret, testSecret, finishSecret) for one new
version. Each is invoked outside any transaction and noted when it has ended, so a jar that stops in the middle goes on
where it was: a step that may have run is run again, which AWS asks functions to bear.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.services.secretsmanager import lookup, replication, stages
from cloudjar.services.secretsmanager.functions import FunctionFailed, functions
from cloudjar.services.secretsmanager.making import changed, new_version
from cloudjar.services.secretsmanager.records import CURRENT, PENDING, Rotation, Secret, Version
from cloudjar.services.secretsmanager.schedule import following

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_TEST = ("testSecret",)
ATTEMPTS = 5
"""How often a rotation is tried before it is given up until the next window."""
PAUSE = timedelta(minutes=5)
"""Between attempts."""


@reconciler(Secret)
def converge(step: Step, secret: Secret | None) -> None:
    """Delete, rotate, or set the alarm for what comes next."""
    if secret is None or secret.is_replica:
        return
    if secret.deleted is not None:
        _expire(step, secret)
        return
    rotation = secret.rotation
    if rotation is None:
        return
    if rotation.token:
        _advance(step, secret, rotation)
    elif rotation.enabled and rotation.opens is not None:
        if step.ctx.now < rotation.opens:
            step.again("rotate", rotation.opens)
        else:
            _start_scheduled(step, secret)


def _expire(step: Step, secret: Secret) -> None:
    assert secret.deleted is not None
    if step.ctx.now < secret.deleted:
        step.again("delete", secret.deleted)
        return
    with step.world.state.database.transaction():
        now = step.db[Secret].get(secret.id)
        if now is not None and now.deleted == secret.deleted:
            announce(step.ctx, now, "SecretDeleted")
            replication.drop(step.ctx, now)


def begin(ctx: Ctx, secret: Secret, token: str, *, testing: bool = False) -> Secret:
    """Make the pending version, without a value, and have the function work on it."""
    db = ctx.db.at(secret.account, secret.region)
    if lookup.version(ctx, secret, token) is None:
        db[Version].add(new_version(ctx, secret, token, None))
    lookup.restage(ctx, secret, stages.attach(lookup.stages(ctx, secret), token, (PENDING,)))
    assert secret.rotation is not None
    rotation = replace(secret.rotation, token=token, step=0, tries=0, retry_at=None, testing=testing)
    secret = db[Secret].put(replace(secret, rotation=rotation))
    announce(ctx, secret, "TestRotationStarted" if testing else "RotationStarted")
    return secret


def _start_scheduled(step: Step, secret: Secret) -> None:
    """At the window: a new version, or the one that an earlier rotation could not finish."""
    with step.world.state.database.transaction():
        now = step.db[Secret].get(secret.id)
        if now is None or now.rotation != secret.rotation or now.deleted is not None:
            return
        begin(step.ctx, now, unfinished(step.ctx, now) or ids.uuid4())


def unfinished(ctx: Ctx, secret: Secret) -> str:
    """The version that has AWSPENDING without being current, or ""."""
    found = lookup.stages(ctx, secret)
    pending = stages.holder(found, PENDING)
    return pending if pending and CURRENT not in found[pending] else ""


def _advance(step: Step, secret: Secret, rotation: Rotation) -> None:
    """Run what is left of a rotation, one step after the other."""
    if rotation.retry_at is not None and step.ctx.now < rotation.retry_at:
        step.again("retry", rotation.retry_at)
        return
    names = _TEST if rotation.testing else STEPS
    port = functions(step.ctx)
    for number in range(rotation.step, len(names)):
        event = {"Step": names[number], "SecretId": arn_of(secret), "ClientRequestToken": rotation.token}
        try:
            port.invoke(step.ctx, rotation.function, arn_of(secret), event)
        except FunctionFailed as failure:
            _failed(step, rotation.token, str(failure))
            return
        if _note(step, rotation.token, number + 1) is None:
            return  # cancelled, or deleted, meanwhile
    _finished(step, rotation.token)


def _note(step: Step, token: str, done: int) -> Secret | None:
    """Store progress, if that rotation still goes on."""

    def decide(now: Secret) -> Secret | None:
        if not _goes_on(now, token):
            return None
        assert now.rotation is not None
        return replace(now, rotation=replace(now.rotation, step=done))

    after = step.change(Secret, decide)
    return after if after is not None and _goes_on(after, token) else None


def _goes_on(secret: Secret, token: str) -> bool:
    return secret.rotation is not None and secret.rotation.token == token and secret.deleted is None


def _failed(step: Step, token: str, why: str) -> None:
    """Try the whole rotation again later; after some attempts leave it to the next window."""
    with step.world.state.database.transaction():
        now = step.db[Secret].get(step.key)
        if now is None or not _goes_on(now, token):
            return
        rotation = now.rotation
        assert rotation is not None
        announce(step.ctx, now, "TestRotationFailed" if rotation.testing else "RotationFailed", why)
        tries = rotation.tries + 1
        if rotation.testing:
            _end_test(step.ctx, now)
        elif tries < ATTEMPTS:
            later = replace(rotation, step=0, tries=tries, retry_at=step.ctx.now + PAUSE)
            step.db[Secret].put(replace(now, rotation=later))
        else:
            announce(step.ctx, now, "RotationAbandoned", why)
            step.db[Secret].put(replace(now, rotation=_idle(step.ctx, rotation)))


def _finished(step: Step, token: str) -> None:
    with step.world.state.database.transaction():
        now = step.db[Secret].get(step.key)
        if now is None or not _goes_on(now, token):
            return
        rotation = now.rotation
        assert rotation is not None
        if rotation.testing:
            announce(step.ctx, now, "TestRotationSucceeded")
            _end_test(step.ctx, now)
            return
        if CURRENT not in lookup.stages(step.ctx, now).get(token, ()):
            _failed(step, token, "finishSecret did not move AWSCURRENT to the new version")
            return
        announce(step.ctx, now, "RotationSucceeded")
        step.db[Secret].put(
            replace(now, changed=step.ctx.now, rotation=replace(_idle(step.ctx, rotation), last=step.ctx.now))
        )


def _end_test(ctx: Ctx, secret: Secret) -> None:
    """A test leaves nothing behind: neither its version nor the label."""
    rotation = secret.rotation
    assert rotation is not None
    version = lookup.version(ctx, secret, rotation.token)
    db = ctx.db.at(secret.account, secret.region)
    if version is not None and version.envelope is None:
        db[Version].drop(version)
    db[Secret].put(replace(secret, rotation=replace(rotation, token="", testing=False)))


def _idle(ctx: Ctx, rotation: Rotation) -> Rotation:
    """A rotation that waits for its next window."""
    idle = replace(rotation, token="", step=0, tries=0, retry_at=None)
    return planned(idle, ctx) if idle.enabled else idle


def planned(rotation: Rotation, ctx: Ctx) -> Rotation:
    """With the next window after now."""
    window = following(rotation, ctx.now)
    return replace(rotation, opens=window.opens, closes=window.closes)


def cancel(ctx: Ctx, secret: Secret) -> Secret:
    """Rotation switched off; what runs is not waited for, and its labels stay as they are."""
    assert secret.rotation is not None
    off = replace(secret.rotation, enabled=False, token="", opens=None, closes=None, retry_at=None)
    return changed(ctx, ctx.db.at(secret.account, secret.region)[Secret].put(replace(secret, rotation=off)))


def announce(ctx: Ctx, secret: Secret, name: str, why: str = "") -> None:
    """Tell CloudTrail and EventBridge what no call of anybody's did."""
    arn = arn_of(secret)
    details: dict[str, Any] = {"SecretId": arn}
    if secret.rotation is not None and secret.rotation.token:
        details["ClientRequestToken"] = secret.rotation.token
    if why:
        details["ErrorMessage"] = why
    there = ctx.at(secret.account, secret.region)
    there.service_event("secretsmanager", name, resources=(arn,), details=details)
    event = {
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": name,
        "eventType": "AwsServiceEvent",
        "awsRegion": secret.region,
        "recipientAccountId": secret.account,
        "additionalEventData": details,
    }
    there.emit("aws.secretsmanager", "AWS Service Event via CloudTrail", event, (arn,))
