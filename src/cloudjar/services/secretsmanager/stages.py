"""Staging labels: which version is current, previous, pending. Pure.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.records import CURRENT, PREVIOUS

MOST = 20
"""Labels of one version."""

Stages = Mapping[str, tuple[str, ...]]
"""Version id -> its labels."""


def holder(stages: Stages, label: str) -> str:
    """The version that has a label, or ""."""
    return next((version for version, labels in stages.items() if label in labels), "")


def attach(stages: Stages, version: str, labels: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Labels moved to a version; where AWSCURRENT goes away, AWSPREVIOUS comes. Raises LimitExceededException."""
    after = dict(stages)
    after.setdefault(version, ())
    for label in labels:
        was = holder(after, label)
        if was == version:
            continue
        after = detach(after, label)
        after[version] = (*after[version], label)
        if label == CURRENT and was:
            after = detach(after, PREVIOUS)
            after[was] = (*after[was], PREVIOUS)
    if len(after[version]) > MOST:
        raise errors.limit(f"A secret version can have at most {MOST} staging labels attached.")
    return after


def detach(stages: Stages, label: str) -> dict[str, tuple[str, ...]]:
    """A label taken from whichever version has it."""
    return {version: tuple(one for one in labels if one != label) for version, labels in stages.items()}


def move(stages: Stages, label: str, origin: str, target: str) -> dict[str, tuple[str, ...]]:
    """What UpdateSecretVersionStage does; `origin` and `target` may be ""."""
    if not origin and not target:
        raise errors.invalid("You must specify a value for RemoveFromVersionId or MoveToVersionId.")
    for version in (origin, target):
        if version and version not in stages:
            raise errors.no_value(version_id=version)
    now = holder(stages, label)
    if target:
        if now and now != target:
            _check_origin(label, now, origin)
        return attach(stages, target, (label,))
    if label == CURRENT:
        raise errors.invalid(
            f"You can only move staging label {CURRENT} to a different secret version. It can't be completely removed."
        )
    if now != origin:
        raise errors.invalid(
            f"Staging label {label} is not attached to version {origin}, so it can't be removed from it."
        )
    return detach(stages, label)


def _check_origin(label: str, now: str, origin: str) -> None:
    if not origin:
        raise errors.invalid(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to version "
            f"{now}, so you must explicitly reference that version in RemoveFromVersionId."
        )
    if origin != now:
        raise errors.invalid(
            f"When you move staging label {label}, if you specify RemoveFromVersionId, it must be set to the version "
            f"that currently has it: {now}."
        )
