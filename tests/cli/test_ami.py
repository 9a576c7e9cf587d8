"""`cloudjar ami import`, as far as it goes without machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudjar.cli.ami import default_name, take_in
from cloudjar.cli.screen import Failure
from cloudjar.planes.compute.images import ImageStore
from tests.cli.terminal import Terminal


def test_names_follow_from_what_is_imported() -> None:
    assert [default_name(source) for source in ("/a/alpine.tar.gz", "reg.example/team/app:1.2", "x.tgz")] == [
        "alpine",
        "app-1.2",
        "x--",
    ]


def test_what_cannot_be_imported_says_why(tmp_path: Path) -> None:
    text = tmp_path / "text.tar"
    text.write_text("this is no archive")
    with pytest.raises(Failure, match=r"text\.tar cannot be imported"):
        take_in(ImageStore(tmp_path / "images"), str(text))


def test_a_simulated_jar_imports_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.good("up")
    said = terminal.run("ami", "import", str(tmp_path / "root.tar"))
    assert said.code == 1
    assert "this jar is simulated" in said.err
