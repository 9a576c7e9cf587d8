"""Room for many machines is made, and given back."""

from __future__ import annotations

from pathlib import Path

from cloudjar.planes.compute.limits import ROOM, give_back, make_room


def test_what_is_lower_is_raised_and_what_is_higher_stays(tmp_path: Path) -> None:
    settings, notes = tmp_path / "sys", tmp_path / "notes"
    low, high = (settings / key for key in ROOM)
    low.parent.mkdir(parents=True)
    low.write_text("128\n")
    high.write_text("999999\n")
    for _ in range(2):
        make_room(notes, settings)
        assert (low.read_text(), high.read_text()) == ("8192", "999999\n")
    give_back(notes, settings)
    assert (low.read_text(), high.read_text()) == ("128\n", "999999\n")
    assert not notes.exists()


def test_what_somebody_changed_since_is_his(tmp_path: Path) -> None:
    settings, notes = tmp_path / "sys", tmp_path / "notes"
    low, high = (settings / key for key in ROOM)
    low.parent.mkdir(parents=True)
    for limit in (low, high):
        limit.write_text("128\n")
    make_room(notes, settings)
    low.write_text("10000")
    give_back(notes, settings)
    assert (low.read_text(), high.read_text()) == ("10000", "128\n")


def test_a_kernel_without_them_is_left_alone(tmp_path: Path) -> None:
    make_room(tmp_path / "notes", tmp_path / "sys")
    give_back(tmp_path / "notes", tmp_path / "sys")
    assert list(tmp_path.iterdir()) == []
