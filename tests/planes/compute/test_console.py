"""From conmon's log back to what the guest wrote."""

from __future__ import annotations

from cloudjar.planes.compute.console import from_log, newest


def test_lines_lose_their_prefix_and_parts_are_joined() -> None:
    raw = (
        b"2026-01-15T12:00:00.000000000+00:00 stdout F [  OK  ] Reached target\n"
        b"2026-01-15T12:00:00.000000001+00:00 stdout P ip-10-0-0-5 \n"
        b"2026-01-15T12:00:00.000000002+00:00 stdout F login:\n"
        b"2026-01-15T12:00:00.000000003+00:00 stdout F \n"
    )
    assert from_log(raw) == b"[  OK  ] Reached target\nip-10-0-0-5 login:\n\n"


def test_what_is_not_a_log_line_is_kept() -> None:
    assert from_log(b"stray\n") == b"stray\n"
    assert from_log(b"") == b""


def test_only_the_newest_is_kept_from_the_start_of_a_line() -> None:
    text = b"".join(b"line %06d\n" % n for n in range(10_000))
    tail = newest(text)
    assert len(tail) <= 64 * 1024
    assert tail.startswith(b"line ")
    assert text.endswith(tail)
    assert newest(b"short") == b"short"
    assert newest(b"x" * 100, limit=10) == b"x" * 10
