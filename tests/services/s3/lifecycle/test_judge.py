"""Lifecycle rules, judged as data."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from typing import Any

from cloudjar.services.s3.lifecycle import judge, rules
from cloudjar.services.s3.lifecycle.judge import Held
from cloudjar.services.s3.lifecycle.rules import BY_CLASS, midnight


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


MADE = at("2026-01-15T10:30:00")


def parsed(*given: dict[str, Any]) -> tuple[rules.Rule, ...]:
    full = [{"ID": f"r{i}", "Status": "Enabled", "Filter": {}, **rule} for i, rule in enumerate(given)]
    return rules.parse(full)


def version(name: str = "v1", modified: float = MADE, size: int = 1 << 20, **more: Any) -> Held:
    return Held(name, modified, size, **{"storage_class": "STANDARD", **more})


def kinds(verdict: judge.Verdict) -> list[tuple[str, str, str]]:
    return [(a.kind, a.version_id, a.storage_class) for a in verdict.actions]


def test_days_end_at_the_next_midnight() -> None:
    # AWS's own example: made on the 15th at 10:30, three days: the 19th at 00:00.
    assert midnight(MADE, 3) == at("2026-01-19")
    given = parsed({"Expiration": {"Days": 3}})
    before = judge.judge(given, "k", [version()], at("2026-01-18T23:59:59"))
    assert before == judge.Verdict((), at("2026-01-19"))
    after = judge.judge(given, "k", [version()], at("2026-01-19"))
    assert kinds(after) == [("expire", "v1", "")]


def test_a_disabled_rule_is_none() -> None:
    assert parsed({"Expiration": {"Days": 1}, "Status": "Disabled"}) == ()


def test_filters_are_all_of_prefix_tags_and_sizes() -> None:
    (rule,) = parsed(
        {
            "Expiration": {"Days": 1},
            "Filter": {
                "And": {
                    "Prefix": "logs/",
                    "Tags": [{"Key": "a", "Value": "1"}],
                    "ObjectSizeGreaterThan": 10,
                    "ObjectSizeLessThan": 20,
                }
            },
        }
    )
    assert rule.matches("logs/x", 11, {"a": "1", "b": "2"})
    assert not rule.matches("logs/x", 10, {"a": "1"})
    assert not rule.matches("logs/x", 20, {"a": "1"})
    assert not rule.matches("logs/x", 11, {"a": "2"})
    assert not rule.matches("other/x", 11, {"a": "1"})


def test_going_wins_over_moving_and_colder_over_warmer() -> None:
    given = parsed(
        {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
        {"Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]},
    )
    late = at("2026-02-01")
    assert kinds(judge.judge(given, "k", [version()], late)) == [("move", "v1", "GLACIER")]
    given = (*given, *parsed({"Expiration": {"Days": 1}}))
    assert kinds(judge.judge(given, "k", [version()], late)) == [("expire", "v1", "")]


def test_nothing_moves_to_a_warmer_class() -> None:
    given = parsed({"Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]})
    held = [version(storage_class="GLACIER")]
    assert judge.judge(given, "k", held, at("2026-02-01")) == judge.Verdict((), None)


def test_small_objects_stay_unless_the_rule_says_sizes_or_the_bucket_differs() -> None:
    late = at("2026-02-01")
    small = [version(size=1000)]
    glacier = {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}
    assert judge.judge(parsed(glacier), "k", small, late).actions == ()
    assert kinds(judge.judge(parsed(glacier), "k", small, late, least=BY_CLASS)) == [("move", "v1", "GLACIER")]
    sized = parsed({**glacier, "Filter": {"ObjectSizeGreaterThan": 0}})
    assert kinds(judge.judge(sized, "k", small, late)) == [("move", "v1", "GLACIER")]
    infrequent = parsed({"Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}]})
    assert judge.judge(infrequent, "k", small, at("2026-04-01"), least=BY_CLASS).actions == ()


def test_noncurrent_versions_go_by_days_and_by_how_many_are_newer() -> None:
    given = parsed({"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}})
    held = [version(f"v{i}", MADE - i * 86400 * 5) for i in range(5)]
    verdict = judge.judge(given, "k", held, at("2026-03-01"))
    # v0 is current, v1 and v2 are the two newer ones that are kept.
    assert kinds(verdict) == [("remove", "v3", ""), ("remove", "v4", "")]


def test_a_version_is_noncurrent_since_its_successor() -> None:
    given = parsed({"NoncurrentVersionExpiration": {"NoncurrentDays": 10}})
    held = [version("new", MADE), version("old", MADE - 86400 * 100)]
    assert judge.judge(given, "k", held, MADE) == judge.Verdict((), at("2026-01-26"))


def test_a_marker_that_is_alone_goes() -> None:
    given = parsed({"Expiration": {"ExpiredObjectDeleteMarker": True}})
    marker = version("m", marker=True, size=0)
    late = at("2026-02-01")
    assert kinds(judge.judge(given, "k", [marker], late)) == [("remove", "m", "")]
    assert judge.judge(given, "k", [marker, version("old", MADE - 5)], late).actions == ()
    by_age = parsed({"Expiration": {"Days": 400}})
    assert judge.judge(by_age, "k", [marker], late).actions == ()
    assert kinds(judge.judge(by_age, "k", [marker], at("2027-06-01"))) == [("remove", "m", "")]


def test_a_lock_is_waited_for() -> None:
    given = parsed({"NoncurrentVersionExpiration": {"NoncurrentDays": 1}})
    until = at("2026-06-01T12:00:00")
    held = [version("new"), version("old", MADE - 5, kept_until=until)]
    verdict = judge.judge(given, "k", held, at("2026-03-01"))
    assert verdict == judge.Verdict((), at("2026-06-02"))
    held[1] = held[1]._replace(kept_until=inf)
    assert judge.judge(given, "k", held, at("2026-03-01")) == judge.Verdict((), None)


def test_what_is_yet_to_be_replicated_waits_a_day() -> None:
    given = parsed({"Expiration": {"Days": 1}})
    verdict = judge.judge(given, "k", [version(waits=True)], at("2026-03-01"))
    assert verdict == judge.Verdict((), at("2026-03-02"))


def test_the_headers_of_expiry_and_abort() -> None:
    given = parsed(
        {"ID": "later", "Expiration": {"Days": 10}},
        {"ID": "sooner", "Expiration": {"Days": 2}, "Filter": {"Prefix": "tmp/"}},
        {"ID": "abort", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    )
    assert judge.expiry_of(given, "tmp/x", version()) == (at("2026-01-18"), "sooner")
    assert judge.expiry_of(given, "x", version()) == (at("2026-01-26"), "later")
    assert judge.abort_of(given, "x", MADE) == (at("2026-01-23"), "abort")


def test_a_key_is_looked_at_no_later_than_a_rule_could_want() -> None:
    given = parsed(
        {"Filter": {"Prefix": "a/"}, "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}]},
        {"Filter": {"Prefix": "b/"}, "NoncurrentVersionExpiration": {"NoncurrentDays": 5}},
    )
    assert judge.first_due(given, "a/x", MADE) == at("2026-01-16")
    assert judge.first_due(given, "b/x", MADE) == at("2026-01-21")
    assert judge.first_due(given, "c/x", MADE) is None
