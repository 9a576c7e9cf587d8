"""The coverage page says what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laws.built import operations
from tools import coverage


def test_the_committed_page_is_current() -> None:
    assert coverage.PAGE.read_text() == coverage.page(), "Try: make coverage-page"


def test_it_marks_what_is_built_and_nothing_else() -> None:
    marked = coverage.page().count("\n- [x] ")
    assert marked == len(list(operations()))


def test_a_stale_page_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "PAGE", tmp_path / "coverage.md")
    assert coverage.main(["--check"]) == 1
    assert coverage.main([]) == 0
    assert coverage.main(["--check"]) == 0
