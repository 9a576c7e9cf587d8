"""The catalogue of images, and what is taken over from the host's own apt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute import recipes
from cloudjar.planes.compute.images import ImageStore
from cloudjar.planes.compute.recipes import RECIPES

DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm-backports

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: trixie

Types: deb
URIs: http://mirror.example/debian-security/
Suites: bookworm-security
"""


def test_mirrors_of_the_host_are_found_by_suite() -> None:
    one_line = "# deb http://no.example x y\ndeb [arch=amd64 signed-by=/k] https://one.example/ubuntu noble main\n"
    assert recipes.parse_apt_sources(one_line, DEB822) == {
        "noble": "https://one.example/ubuntu",
        "bookworm": "http://mirror.example/debian",
        "bookworm-updates": "http://mirror.example/debian",
        "bookworm-security": "http://mirror.example/debian-security",
    }


def test_an_image_uses_the_hosts_mirror_where_it_has_one() -> None:
    lines = recipes.apt_lines(RECIPES["debian-12"], {"bookworm": "http://mirror.example/debian"})
    assert lines == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://deb.debian.org/debian bookworm-updates main",
        "deb http://deb.debian.org/debian-security bookworm-security main",
    ]


def test_only_what_decides_reachability_is_carried_over() -> None:
    dump = """\
APT::Architecture "amd64";
Acquire::http::Proxy "http://127.0.0.1:3142";
Acquire::https::Proxy "http://proxy.example:3128";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "";
"""
    carried = recipes.carried_options(dump)
    assert carried == [
        'Acquire::http::Proxy "http://127.0.0.1:3142"',
        'Acquire::https::Proxy "http://proxy.example:3128"',
        'Acquire::Check-Valid-Until "false"',
    ]
    assert [recipes.is_host_only(option) for option in carried] == [True, False, False]


@pytest.mark.parametrize("key", RECIPES)
def test_every_image_has_what_a_machine_cannot_do_without(key: str) -> None:
    wanted = set(recipes.packages(RECIPES[key]))
    assert {"cloud-init", "openssh-server", "sudo", "systemd"} <= wanted
    assert {"admin", "ubuntu", "ec2-user"} >= {RECIPES[key].user}


def test_the_hash_follows_the_recipe_and_not_the_mirror(tmp_path: Path) -> None:
    recipe = RECIPES["debian-12"]
    folder = tmp_path / "image"
    shutil.copytree(recipes.RECIPES_FOLDER, folder)
    before = recipes.recipe_hash(recipe, "x86_64", folder)
    assert before == recipes.recipe_hash(recipe, "x86_64")
    assert before != recipes.recipe_hash(recipe, "aarch64", folder)
    from msgspec.structs import replace

    assert before == recipes.recipe_hash(replace(recipe, mirror="http://else.example"), "x86_64", folder)
    with (folder / "debian-12/packages").open("a") as more:
        more.write("htop\n")
    assert before != recipes.recipe_hash(recipe, "x86_64", folder)


def test_an_unreachable_mirror_is_named_with_what_to_try(tmp_path: Path) -> None:
    store = ImageStore(tmp_path, mirrors={"ubuntu-24.04": "http://127.0.0.1:1/ubuntu"})
    with pytest.raises(PlaneError, match=r"http://127\.0\.0\.1:1/ubuntu/dists/noble/InRelease.*cannot reach.*Try: "):
        store.prepare("ubuntu-24.04")
    info = store.images()["ubuntu-24.04"]
    assert not info.ready
    assert not info.available
    assert "http://127.0.0.1:1/ubuntu" in info.why_not


def test_a_launch_from_an_image_that_was_not_built_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlaneError, match="debian-12 is not built"):
        ImageStore(tmp_path).rootfs("debian-12")
    with pytest.raises(PlaneError, match="no image 'windows'"):
        ImageStore(tmp_path).path("windows")
