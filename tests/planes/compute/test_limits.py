"""Room for many machines is made once, and never taken away."""

from __future__ import annotations

from pathlib import Path

from cloudjar.planes.compute.limits import ROOM, make_room


def test_what_is_lower_is_raised_and_what_is_higher_stays(tmp_path: Path) -> None:
    low, high = (tmp_path / key for key in ROOM)
    low.parent.mkdir(parents=True)
    low.write_text("128\n")
    high.write_text("999999\n")
    make_room(tmp_path)
    assert (low.read_text(), high.read_text()) == ("8192", "999999\n")


def test_a_kernel_without_them_is_left_alone(tmp_path: Path) -> None:
    make_room(tmp_path)
    assert list(tmp_path.iterdir()) == []
