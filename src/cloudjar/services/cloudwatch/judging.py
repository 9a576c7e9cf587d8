"""Which state datapoints put an alarm into, and how AWS words why. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
SPARE = 2
"""Periods that are looked at beyond those that are asked for, because data come late."""

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (lambda value, bar: value >= bar, "greater than or equal to"),
    "GreaterThanThreshold": (lambda value, bar: value > bar, "greater than"),
    "LessThanThreshold": (lambda value, bar: value < bar, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, bar: value <= bar, "less than or equal to"),
}
MISSING = ("breaching", "notBreaching", "ignore", "missing")


class Rule(NamedTuple):
    """`to_alarm` breaching datapoints out of `periods`; `missing` is one of `MISSING`."""

    periods: int
    to_alarm: int
    threshold: float
    comparison: str
    missing: str = "missing"

    def breaches(self, value: float) -> bool:
        """Whether a value is on the wrong side."""
        return COMPARISONS[self.comparison][0](value, self.threshold)


class Datapoint(NamedTuple):
    """One period's value, None when there is none."""

    at: float
    value: float | None


class Verdict(NamedTuple):
    """The state (None: it stays as it is), why, and the datapoints that decided, newest first."""

    state: str | None
    reason: str = ""
    decided: tuple[Datapoint, ...] = ()


def judge(rule: Rule, seen: Sequence[Datapoint]) -> Verdict:
    """The verdict on an evaluation range, oldest first and longer than `rule.periods`."""
    real = [point for point in seen if point.value is not None]
    if not real:
        return _nothing(rule)
    deciding = real[-rule.periods :]
    breaching = sum(rule.breaches(point.value) for point in deciding if point.value is not None)
    lacking = rule.periods - len(deciding)
    if rule.missing == "breaching" and breaching + lacking >= rule.to_alarm:
        return Verdict(ALARM, _crossed(rule, deciding, ALARM, lacking), tuple(reversed(deciding)))
    if breaching >= rule.to_alarm:
        return Verdict(ALARM, _crossed(rule, deciding, ALARM, lacking), tuple(reversed(deciding)))
    if lacking and rule.missing in ("missing", "ignore") and breaching == len(deciding):
        return _early(rule, seen, deciding, lacking)
    return Verdict(OK, _crossed(rule, deciding, OK, lacking), tuple(reversed(deciding)))


def _nothing(rule: Rule) -> Verdict:
    many = rule.periods != 1
    if rule.missing == "ignore":
        return Verdict(None)
    if rule.missing == "missing":
        were = f"{rule.periods} datapoints were" if many else "1 datapoint was"
        return Verdict(INSUFFICIENT, f"Insufficient Data: {were} unknown.")
    state, word = (ALARM, "Breaching") if rule.missing == "breaching" else (OK, "NonBreaching")
    length = f"{rule.periods} periods" if many else "1 period"
    treated = f"{rule.periods} missing datapoints were" if many else "1 missing datapoint was"
    return Verdict(
        state, f"Threshold Crossed: no datapoints were received for {length} and {treated} treated as [{word}]."
    )


def _early(rule: Rule, seen: Sequence[Datapoint], deciding: list[Datapoint], lacking: int) -> Verdict:
    """All that is there breaches, and it is less than asked for: an alarm when the oldest of it is old enough."""
    oldest = len(seen) - next(index for index, point in enumerate(seen) if point.value is not None)
    if rule.missing == "ignore":
        return Verdict(None)
    if oldest >= rule.to_alarm:
        return Verdict(ALARM, _crossed(rule, deciding, ALARM, lacking), tuple(reversed(deciding)))
    many = lacking != 1
    were = f"{lacking} datapoints were" if many else "1 datapoint was"
    return Verdict(INSUFFICIENT, f"Insufficient Data: {were} unknown.", tuple(reversed(deciding)))


def _crossed(rule: Rule, deciding: Sequence[Datapoint], state: str, lacking: int) -> str:
    """``Threshold Crossed: ...``"""
    words = COMPARISONS[rule.comparison][1]
    crossed = [p for p in deciding if p.value is not None and rule.breaches(p.value)]
    shown = crossed if state == ALARM and crossed else list(deciding)
    values = ", ".join(f"{point.value!r} ({_when(point.at)})" for point in reversed(shown[-5:]))
    negation = "" if state == ALARM else "not "
    verb = "was" if len(shown) == 1 else "were"
    if rule.periods == rule.to_alarm and not lacking and len(shown) == rule.periods:
        what = f"{len(shown)} datapoint{'' if len(shown) == 1 else 's'} [{values}]"
    else:
        what = f"{len(shown)} out of the last {rule.periods} datapoints [{values}]"
    need = f"minimum {rule.to_alarm} datapoint{'' if rule.to_alarm == 1 else 's'} for "
    need += "OK -> ALARM transition" if state == ALARM else "ALARM -> OK transition"
    return f"Threshold Crossed: {what} {verb} {negation}{words} the threshold ({rule.threshold!r}) ({need})."


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")
