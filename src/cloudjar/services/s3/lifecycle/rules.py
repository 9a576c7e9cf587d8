"""Lifecycle rules as data, and which object they are about. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from cloudjar.services.s3.buckets.records import Bucket

DAY = 86400
SMALL = 128 << 10
"""Below it, moving to a cheaper class costs more than it saves; AWS leaves such objects where they are by default."""

ALL_CLASSES = "all_storage_classes_128K"
BY_CLASS = "varies_by_storage_class"

COLDER: Mapping[str, frozenset[str]] = {
    "STANDARD": frozenset(
        ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
    ),
    "REDUCED_REDUNDANCY": frozenset(
        ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
    ),
    "STANDARD_IA": frozenset(("INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")),
    "INTELLIGENT_TIERING": frozenset(("ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")),
    "ONEZONE_IA": frozenset(("GLACIER", "DEEP_ARCHIVE")),
    "GLACIER_IR": frozenset(("GLACIER", "DEEP_ARCHIVE")),
    "GLACIER": frozenset(("DEEP_ARCHIVE",)),
    "DEEP_ARCHIVE": frozenset(),
}
"""Where a rule may move an object from where it is:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html"""
RANK = {name: len(COLDER) - len(colder) for name, colder in COLDER.items()}
"""How cold a class is: of two moves that are due, the colder wins."""


class Move(NamedTuple):
    """A transition: after so many days, or at an instant; `newer` noncurrent versions stay where they are."""

    storage_class: str
    days: int | None
    date: float | None = None
    newer: int = 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """An enabled rule, and what it is about. Instants are Unix seconds; None: the rule does not do that."""

    id: str
    prefix: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    above: int | None = None
    below: int | None = None
    expire_days: int | None = None
    expire_date: float | None = None
    expire_markers: bool = False
    moves: tuple[Move, ...] = ()
    noncurrent_moves: tuple[Move, ...] = ()
    noncurrent_days: int | None = None
    noncurrent_newer: int = 0
    abort_days: int | None = None

    @property
    def sized(self) -> bool:
        """Whether the rule says itself which sizes it is about: AWS's least size for transitions then is not asked."""
        return self.above is not None or self.below is not None

    def about(self, key: str) -> bool:
        """Whether the rule can be about a key at all."""
        return key.startswith(self.prefix)

    def matches(self, key: str, size: int, tags: Mapping[str, str]) -> bool:
        """Whether the rule is about a version."""
        if not key.startswith(self.prefix):
            return False
        if (self.above is not None and size <= self.above) or (self.below is not None and size >= self.below):
            return False
        return all(tags.get(name) == value for name, value in self.tags)

    @property
    def keeps_newer(self) -> bool:
        """Whether a new version can make an older one due."""
        return self.noncurrent_newer > 0 or any(move.newer for move in self.noncurrent_moves)


_PARSED: dict[str, tuple[list[dict[str, Any]], tuple[Rule, ...]]] = {}


def rules_of(bucket: Bucket) -> tuple[Rule, ...]:
    """The enabled rules of a bucket."""
    given = bucket.lifecycle
    if not given:
        return ()
    known = _PARSED.get(bucket.name)
    if known is not None and known[0] is given:
        return known[1]
    rules = parse(given)
    _PARSED[bucket.name] = (given, rules)
    return rules


def parse(given: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The enabled ones of some rules in AWS's own spelling."""
    return tuple(_rule(rule) for rule in given if rule["Status"] == "Enabled")


def _rule(rule: Mapping[str, Any]) -> Rule:
    flat = filter_of(rule)
    expiration = rule.get("Expiration") or {}
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    return Rule(
        id=rule.get("ID", ""),
        prefix=flat.get("Prefix") or "",
        tags=tuple((tag["Key"], tag["Value"]) for tag in flat.get("Tags", ())),
        above=flat.get("ObjectSizeGreaterThan"),
        below=flat.get("ObjectSizeLessThan"),
        expire_days=expiration.get("Days"),
        expire_date=_instant(expiration.get("Date")),
        expire_markers=bool(expiration.get("ExpiredObjectDeleteMarker")),
        moves=tuple(
            Move(move["StorageClass"], move.get("Days"), _instant(move.get("Date")))
            for move in rule.get("Transitions") or ()
        ),
        noncurrent_moves=tuple(
            Move(move["StorageClass"], move.get("NoncurrentDays"), None, move.get("NewerNoncurrentVersions") or 0)
            for move in rule.get("NoncurrentVersionTransitions") or ()
        ),
        noncurrent_days=noncurrent.get("NoncurrentDays"),
        noncurrent_newer=noncurrent.get("NewerNoncurrentVersions") or 0,
        abort_days=(rule.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation"),
    )


def filter_of(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule is about, flat: ``Prefix``, ``Tags``, ``ObjectSizeGreaterThan``, ``ObjectSizeLessThan``."""
    given = rule.get("Filter")
    if given is None:
        return {"Prefix": rule.get("Prefix") or ""}
    flat = dict(given.get("And") or given)
    tag = flat.pop("Tag", None)
    if tag:
        flat["Tags"] = [tag]
    return flat


def _instant(date: datetime | None) -> float | None:
    return None if date is None else date.timestamp()


def midnight(instant: float, days: int = 0) -> float:
    """The midnight (UTC) at which `days` after an instant are over: AWS rounds up to it."""
    return -(-(instant + days * DAY) // DAY) * DAY


def may_move(size: int, to: str, rule: Rule, least: str) -> bool:
    """Whether an object is large enough for a transition, by the bucket's default where the rule does not say."""
    if size >= SMALL or rule.sized:
        return True
    return least == BY_CLASS and to in ("GLACIER", "DEEP_ARCHIVE")
