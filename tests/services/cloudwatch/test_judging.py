"""Which state datapoints put an alarm into: the cases of AWS's own tables of missing data."""

from __future__ import annotations

import pytest

from cloudjar.services.cloudwatch.judging import Datapoint, Rule, judge


def states(seen: str, to_alarm: int, periods: int = 3) -> list[str]:
    """The verdicts with missing data as missing, ignored, breaching and not breaching; ``X`` breaches."""
    values = {"X": 9.0, "0": 0.0, "-": None}
    points = [Datapoint(60.0 * number, values[one]) for number, one in enumerate(seen.split())]
    rule = Rule(periods, to_alarm, 5, "GreaterThanThreshold")
    found = []
    for missing in ("missing", "ignore", "breaching", "notBreaching"):
        found.append(judge(rule._replace(missing=missing), points).state or "same")
    return found


@pytest.mark.parametrize(
    ("seen", "to_alarm", "expected"),
    [
        ("0 - X - X", 3, ["OK", "OK", "OK", "OK"]),
        ("0 - - - -", 3, ["OK", "OK", "OK", "OK"]),
        ("- - - - -", 3, ["INSUFFICIENT_DATA", "same", "ALARM", "OK"]),
        ("0 X X - X", 3, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("- - X - -", 3, ["ALARM", "same", "ALARM", "OK"]),
        ("0 - X - X", 2, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("0 0 X 0 X", 2, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("0 - X - -", 2, ["OK", "OK", "ALARM", "OK"]),
        ("- - - - 0", 2, ["OK", "OK", "ALARM", "OK"]),
        ("- - - - X", 3, ["INSUFFICIENT_DATA", "same", "ALARM", "OK"]),
    ],
)
def test_missing_data(seen: str, to_alarm: int, expected: list[str]) -> None:
    assert states(seen, to_alarm) == expected


def test_reasons_are_worded_as_aws_words_them() -> None:
    rule = Rule(1, 1, 50.0, "GreaterThanThreshold")
    at = 1768478400.0  # 15 January 2026, 12:00
    assert judge(rule, [Datapoint(at, 93.0)]).reason == (
        "Threshold Crossed: 1 datapoint [93.0 (15/01/26 12:00:00)] was greater than the threshold (50.0) "
        "(minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert "was not greater than the threshold (50.0)" in judge(rule, [Datapoint(at, 3.0)]).reason
    several = Rule(3, 2, 50.0, "LessThanThreshold")
    said = judge(several, [Datapoint(at + 60 * n, value) for n, value in enumerate((60.0, 1.0, 2.0))]).reason
    assert said.startswith("Threshold Crossed: 2 out of the last 3 datapoints [2.0 (15/01/26 12:02:00), 1.0 (")
    assert said.endswith(
        "were less than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert judge(several, [Datapoint(at, None)]).reason == "Insufficient Data: 3 datapoints were unknown."
    assert judge(rule._replace(missing="breaching"), [Datapoint(at, None)]).reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[Breaching]."
    )
