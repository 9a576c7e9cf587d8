"""Whose a network is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.guest_users import owner_of


def test_a_network_that_has_only_its_name_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "name").touch()
    with pytest.raises(PlaneError, match="is being made"), owner_of(str(tmp_path / "name")):
        raise AssertionError("nobody owns a file")
