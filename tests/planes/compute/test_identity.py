"""Planting files on a disk that its guest may have booby-trapped."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cloudjar.planes.compute.identity import SeedFile, has, host_keys, machine_id, plant, seed_files
from tests.planes.compute.test_bundle import spec


def test_a_machine_gets_its_names_and_its_resolver(tmp_path: Path) -> None:
    plant(tmp_path, seed_files(spec(resolver="10.0.0.2", domain="eu-west-3.compute.internal")))
    assert (tmp_path / "etc/hostname").read_text() == "ip-10-0-0-5\n"
    assert "127.0.1.1\tip-10-0-0-5\n" in (tmp_path / "etc/hosts").read_text()
    assert (tmp_path / "etc/machine-id").read_text() == machine_id("i-1") + "\n"
    assert (
        (tmp_path / "etc/resolv.conf")
        .read_text()
        .startswith("search eu-west-3.compute.internal\nnameserver 10.0.0.2\n")
    )
    assert machine_id("i-1") != machine_id("i-2")
    assert len(machine_id("i-1")) == 32


def test_the_guest_keeps_what_it_changed_except_the_resolver(tmp_path: Path) -> None:
    plant(tmp_path, seed_files(spec(resolver="10.0.0.2")))
    (tmp_path / "etc/hostname").write_text("mine\n")
    plant(tmp_path, seed_files(spec(resolver="10.9.0.2")))
    assert (tmp_path / "etc/hostname").read_text() == "mine\n"
    assert "10.9.0.2" in (tmp_path / "etc/resolv.conf").read_text()


def test_what_dhcp_options_say_is_written_and_forgotten_again(tmp_path: Path) -> None:
    told = spec(resolver="10.0.0.53", fallbacks=("10.0.0.54",), domain="corp.example", time_servers=("10.0.0.99",))
    plant(tmp_path, seed_files(told))
    assert (tmp_path / "etc/resolv.conf").read_text().startswith(
        "search corp.example\nnameserver 10.0.0.53\nnameserver 10.0.0.54\n"
    )
    times = tmp_path / "etc/systemd/timesyncd.conf.d/dhcp.conf"
    assert times.read_text() == "[Time]\nNTP=10.0.0.99\n"
    plant(tmp_path, seed_files(spec(domain="corp.example")))
    assert "nameserver" not in (tmp_path / "etc/resolv.conf").read_text()
    assert times.read_text() == "[Time]\n"


def test_no_link_of_the_guest_leads_out_of_its_disk(tmp_path: Path) -> None:
    outside, upper = tmp_path / "outside", tmp_path / "upper"
    outside.mkdir()
    upper.mkdir()
    (outside / "resolv.conf").write_text("the host's own")
    (upper / "etc").symlink_to(outside)
    plant(upper, seed_files(spec(resolver="10.0.0.2")))
    assert (outside / "resolv.conf").read_text() == "the host's own"
    assert [p.name for p in outside.iterdir()] == ["resolv.conf"]
    (upper / "etc").unlink()
    (upper / "etc").mkdir()
    (upper / "etc/resolv.conf").symlink_to(outside / "resolv.conf")
    plant(upper, seed_files(spec(resolver="10.0.0.2")))
    assert (outside / "resolv.conf").read_text() == "the host's own"


def test_planting_takes_up_what_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/.one.cloudjar").write_text("half")
    plant(tmp_path, [SeedFile(path="etc/one", content=b"whole", mode=0o600)])
    assert (tmp_path / "etc/one").read_text() == "whole"
    assert [p.name for p in (tmp_path / "etc").iterdir()] == ["one"]


def test_host_keys_are_openssh_keys_of_their_own(tmp_path: Path) -> None:
    plant(tmp_path, host_keys("ip-10-0-0-5"))
    assert has(tmp_path, "etc/ssh/ssh_host_ed25519_key")
    assert not has(tmp_path, "etc/ssh/ssh_host_rsa_key")
    for kind in ("ed25519", "ecdsa"):
        private = tmp_path / f"etc/ssh/ssh_host_{kind}_key"
        assert private.stat().st_mode & 0o777 == 0o600
        derived = subprocess.run(["ssh-keygen", "-y", "-f", private], capture_output=True, text=True, check=True)
        assert derived.stdout.split()[:2] == private.with_suffix(".pub").read_text().split()[:2]
    assert host_keys("a")[0].content != host_keys("a")[0].content


def test_looking_makes_nothing_and_folders_are_the_guests(tmp_path: Path) -> None:
    assert not has(tmp_path, "etc/ssh/ssh_host_ed25519_key")
    assert list(tmp_path.iterdir()) == []
    if os.geteuid() == 0:
        (tmp_path / "etc").mkdir()
        plant(tmp_path, [SeedFile(path="etc/ssh/key", content=b"x")], 1234)
        assert {(tmp_path / name).stat().st_uid for name in ("etc", "etc/ssh", "etc/ssh/key")} == {1234}
