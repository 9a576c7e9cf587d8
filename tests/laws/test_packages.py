"""`tools/packages` brings what the doctors look for, so that a host that was set up by it is found well."""

from __future__ import annotations

from pathlib import Path

from cloudjar.planes import host
from cloudjar.planes.compute import doctor
from cloudjar.planes.compute.recipes import RECIPES

LIST = Path(__file__).parents[2] / "tools" / "packages"


def listed(path: Path = LIST) -> dict[str, str]:
    """Package to probe."""
    lines = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {words[0]: words[1] for words in lines}


def test_every_tool_that_the_planes_need_is_listed() -> None:
    assert {*doctor.TOOLS.values(), *doctor.VM_TOOLS.values(), *host.TOOLS.values()} <= set(listed())


def test_what_builds_the_debian_image_is_listed() -> None:
    recipe = RECIPES["debian-12"]
    assert listed()[recipe.tool_package] == f"command:{recipe.tool}"
    assert listed()[recipe.keyring_package] == f"file:{recipe.keyring}"


def test_probes_are_of_a_kind_that_setup_knows() -> None:
    probes = {**listed(), **listed(LIST.with_name("packages.clients"))}.values()
    assert {probe.partition(":")[0] for probe in probes} == {"command", "file", "python", "name", "version"}
