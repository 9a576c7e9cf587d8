"""What the rules want of the versions of one key at an instant, and when to ask again. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Literal, NamedTuple

from cloudjar.services.s3.lifecycle.rules import COLDER, RANK, Move, Rule, may_move, midnight


class Held(NamedTuple):
    """A version as lifecycle sees it. Instants are Unix seconds; `kept_until` is what Object Lock says (`inf`: a legal
    hold); `waits` is True while replication has not settled."""

    version_id: str
    modified: float
    size: int
    storage_class: str
    marker: bool = False
    tags: Mapping[str, str] = {}
    kept_until: float = 0.0
    waits: bool = False


Kind = Literal["expire", "remove", "move"]


class Action(NamedTuple):
    """`expire` the current version as a delete without a version would (a marker hides it where versions are
    kept), `remove` a version for good, or `move` it to another class; `rule` is the rule's id."""

    kind: Kind
    version_id: str
    rule: str
    storage_class: str = ""


class Verdict(NamedTuple):
    """What is to be done now, and the next instant at which something may be (None: nothing will by itself)."""

    actions: tuple[Action, ...]
    due: float | None


class _Wish(NamedTuple):
    at: float
    action: Action


def judge(
    rules: Sequence[Rule], key: str, held: Sequence[Held], now: float, *, least: str = ""
) -> Verdict:
    """What the rules want of the versions of a key, newest first."""
    rules = [rule for rule in rules if rule.about(key)]
    actions: list[Action] = []
    due = inf
    for place, version in enumerate(held):
        chosen, later = _choose(_wishes(rules, key, held, place, least), version, now)
        if chosen is not None:
            actions.append(chosen)
        due = min(due, later)
    return Verdict(tuple(actions), None if due == inf else due)


def _choose(wishes: Iterable[_Wish], version: Held, now: float) -> tuple[Action | None, float]:
    """Of what is due, going wins over moving, and the colder class over the warmer. What is kept waits."""
    best: Action | None = None
    later = inf
    for at, action in wishes:
        when = at
        if version.waits:
            when = max(when, midnight(now + 1))
        if action.kind == "remove" and version.kept_until > when:
            if version.kept_until == inf:
                continue
            when = midnight(version.kept_until)
        if when > now:
            later = min(later, when)
        elif best is None or _weight(action) > _weight(best):
            best = action
    if best is not None and best.kind == "remove":
        later = inf
    return best, later


def _weight(action: Action) -> int:
    return 100 if action.kind != "move" else RANK[action.storage_class]


def _wishes(
    rules: Sequence[Rule], key: str, held: Sequence[Held], place: int, least: str
) -> Iterator[_Wish]:
    version = held[place]
    for rule in rules:
        if version.marker:
            # Markers have no tags, and no size that a rule could mean.
            if rule.tags or rule.sized:
                continue
        elif not rule.matches(key, version.size, version.tags):
            continue
        if place == 0:
            yield from _current(rule, version, least, alone=len(held) == 1)
        else:
            yield from _noncurrent(rule, held, place, least)


def _current(rule: Rule, version: Held, least: str, *, alone: bool) -> Iterator[_Wish]:
    if version.marker:
        if alone and rule.expire_markers:
            yield _Wish(midnight(version.modified), Action("remove", version.version_id, rule.id))
        elif alone and rule.expire_days is not None:
            at = midnight(version.modified, rule.expire_days)
            yield _Wish(at, Action("remove", version.version_id, rule.id))
        return
    ends = expires_at(rule, version.modified)
    if ends is not None:
        yield _Wish(ends, Action("expire", version.version_id, rule.id))
    for move in rule.moves:
        yield from _moves(rule, move, version, _when(version.modified, move), least)


def expires_at(rule: Rule, modified: float) -> float | None:
    """When a rule ends a current version: days after it was made, or a date (whatever comes after it goes at the next
    midnight)."""
    if rule.expire_days is not None:
        return midnight(modified, rule.expire_days)
    if rule.expire_date is not None:
        return max(rule.expire_date, midnight(modified))
    return None


def _when(since: float, move: Move) -> float:
    if move.date is not None:
        return max(move.date, midnight(since))
    return midnight(since, move.days or 0)


def _moves(rule: Rule, move: Move, version: Held, at: float, least: str) -> Iterator[_Wish]:
    if move.storage_class not in COLDER[version.storage_class]:
        return
    if may_move(version.size, move.storage_class, rule, least):
        yield _Wish(at, Action("move", version.version_id, rule.id, move.storage_class))


def _noncurrent(rule: Rule, held: Sequence[Held], place: int, least: str) -> Iterator[_Wish]:
    version, since = held[place], held[place - 1].modified
    newer = place - 1
    if rule.noncurrent_days is not None and newer >= rule.noncurrent_newer:
        yield _Wish(midnight(since, rule.noncurrent_days), Action("remove", version.version_id, rule.id))
    if version.marker:
        return
    for move in rule.noncurrent_moves:
        if newer >= move.newer:
            yield from _moves(rule, move, version, midnight(since, move.days or 0), least)


def first_due(rules: Sequence[Rule], key: str, now: float) -> float | None:
    """When a key must be looked at after something happened to it now: the earliest midnight at which any rule that can
    be about it might want something. Looking early does no harm; the look itself says when to look again."""
    due = inf
    for rule in rules:
        if rule.about(key):
            due = min(due, _earliest(rule, now))
    return None if due == inf else due


def _earliest(rule: Rule, now: float) -> float:
    soonest: float = inf
    days = [move.days for move in (*rule.moves, *rule.noncurrent_moves) if move.days is not None]
    days += [each for each in (rule.expire_days, rule.noncurrent_days) if each is not None]
    if days:
        soonest = midnight(now, min(days))
    dates = [date for date in (*(move.date for move in rule.moves), rule.expire_date) if date is not None]
    for date in dates:
        soonest = min(soonest, max(date, midnight(now)))
    if rule.expire_markers or rule.keeps_newer:
        soonest = min(soonest, midnight(now))
    return soonest


def expiry_of(rules: Sequence[Rule], key: str, version: Held) -> tuple[float, str] | None:
    """When the current version will be gone by the rules, and by which: the header ``x-amz-expiration``."""
    found: tuple[float, str] | None = None
    for rule in rules:
        at = expires_at(rule, version.modified) if rule.matches(key, version.size, version.tags) else None
        if at is not None and (found is None or at < found[0]):
            found = (at, rule.id)
    return found


def abort_of(rules: Sequence[Rule], key: str, initiated: float) -> tuple[float, str] | None:
    """When an unfinished upload is given up, and by which rule: the header ``x-amz-abort-date``."""
    found: tuple[float, str] | None = None
    for rule in rules:
        if rule.abort_days is not None and rule.about(key):
            at = midnight(initiated, rule.abort_days)
            if found is None or at < found[0]:
                found = (at, rule.id)
    return found

