"""Logs of engines: names that follow each other, and the shelf."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.database.archive import Shelf, follows, is_segment


def test_segments_follow_by_number_and_over_timelines() -> None:
    assert follows("000000010000000000000005", "000000010000000000000004")
    assert follows("000000010000000100000000", "0000000100000000000000FF")
    assert not follows("000000010000000000000006", "000000010000000000000004")
    assert follows("000000020000000000000004", "000000010000000000000004")
    assert not follows("000000020000000000000006", "000000010000000000000004")
    assert not is_segment("00000002.history")


def test_a_shelf_keeps_files_by_owner(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "archives")
    assert shelf.names("db-A") == []
    for number in (5, 4):
        shelf.put("db-A", f"00000001000000000000000{number}", b"x" * number)
    shelf.put("db-B", "00000002.history", b"y")
    assert shelf.names("db-A") == ["000000010000000000000004", "000000010000000000000005"]
    assert shelf.get("db-A", "000000010000000000000005") == b"xxxxx"
    shelf.drop("db-A", ["000000010000000000000004"])
    with pytest.raises(PlaneError, match="has no 000000010000000000000004"):
        shelf.get("db-A", "000000010000000000000004")
    shelf.drop("db-A")
    assert not (tmp_path / "archives" / "db-A").exists()
    assert shelf.names("db-B") == ["00000002.history"]


@pytest.mark.parametrize("name", ["../../etc/passwd", ".hidden", "000000010000000000000004/x", "", "-rf"])
def test_only_files_of_a_log_have_a_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlaneError, match="not a file of a write-ahead log"):
        Shelf(tmp_path).put("db-A", name, b"x")
