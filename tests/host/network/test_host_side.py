"""What the plane does to the host itself, in a namespace that plays the host."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudjar.base import ids
from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import firewalls, namespaces, nft
from cloudjar.planes.network.doctor import doctor
from cloudjar.planes.network.leaks import leaks
from cloudjar.planes.network.netlink import Netlink
from tests.host.network.conftest import Host
from tests.planes.network.topology import eni, vpc

pytestmark = pytest.mark.host
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
REDIRECTS = Path("/proc/sys/net/ipv4/conf/all/accept_redirects")


@pytest.fixture
def machine() -> Iterator[Any]:
    """Runs a function on a fresh host: a namespace with nothing in it."""
    name = f"cjm-{ids.token(9).lower().replace('_', '').replace('-', '')[:8]}"
    namespaces.create(name)
    yield lambda work: namespaces.inside(name, work)
    namespaces.delete(name)


def started(home: Path, tag: str = "") -> Host:
    host = Host(home / ids.token(), tag=tag)
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", public=host.public(5))))
    return host


def test_settings_come_back_when_the_last_installation_goes(machine: Any, tmp_path: Path) -> None:
    def story() -> None:
        FORWARD.write_text("0")
        REDIRECTS.write_text("0")
        one, two = started(tmp_path), started(tmp_path)
        assert FORWARD.read_text() == "1\n"
        one.close()
        assert FORWARD.read_text() == "1\n"  # the other still needs it
        two.listen("i-1", 80)
        assert two.tcp("", two.public(5), 80) == "open"
        two.close()
        assert FORWARD.read_text() == "0\n"
        assert REDIRECTS.read_text() == "0\n"
        FORWARD.write_text("1")
        started(tmp_path).close()
        assert FORWARD.read_text() == "1\n"  # it was on before

    machine(story)


def test_the_host_is_left_as_it_was(machine: Any, tmp_path: Path) -> None:
    def everything() -> tuple[Any, ...]:
        with Netlink() as kernel:
            return [k.name for k in kernel.links()], kernel.routes(), kernel.rules(), nft.tables()

    def story() -> None:
        before = everything()
        host = started(tmp_path)
        assert everything() != before
        assert {line.split()[0] for line in leaks(host.tag)} == {"namespace", "link", "route", "rule", "nftables"}
        host.close()
        assert leaks(host.tag) == []
        assert everything() == before
        host.net.close()  # once more does no harm

    machine(story)


def test_a_firewall_that_drops_forwarding_lets_guests_through_and_is_restored(machine: Any, tmp_path: Path) -> None:
    docker = "table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }\n"

    def story() -> None:
        nft.transaction(docker)
        one, two = started(tmp_path), started(tmp_path)
        assert [str(chain) for chain, _ in firewalls.leaves(one.net.site)] == ["ip filter FORWARD"] * 2
        one.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", public=one.public(5)),
                          eni(2, "subnet-public", "10.0.1.6", public=one.public(6))))
        one.listen("i-2", 80)
        assert one.seen_as("i-1", one.public(6), 80) == one.public(5)  # through the host and back
        assert one.tcp("i-1", two.public(5), 80) == "dropped"  # another installation is another world
        one.close()
        assert firewalls.leaves(one.net.site) == []
        assert len(firewalls.leaves(two.net.site)) == 2
        two.close()
        assert [str(c) for c in firewalls.blockers()] == ["ip filter FORWARD"]

    machine(story)


def test_two_installations_cannot_share_public_addresses(machine: Any, tmp_path: Path) -> None:
    def story() -> None:
        first = started(tmp_path)
        second = Host(tmp_path / "second", pool=f"{first.base}0/25")
        with pytest.raises(PlaneError, match="another Cloudjar on this host"):
            second.net.prepare()
        assert leaks(second.tag) == []
        first.close()
        second.net.prepare()
        second.close()

    machine(story)


def test_guests_go_out_to_the_world_under_the_hosts_address(machine: Any, tmp_path: Path) -> None:
    """The world is another namespace behind the fresh host's uplink."""
    world = "cjm-world-" + ids.token(6).lower().replace("_", "").replace("-", "")
    namespaces.create(world)

    def uplink() -> None:
        with open(namespaces.path(world)) as f, Netlink() as kernel:
            kernel.add_pair("up0", "06:00:00:00:99:01", "up1", "06:00:00:00:99:02", f.fileno(), 1500)
            link = kernel.link("up0")
            assert link
            kernel.add_address(link.index, "100.64.0.2/24")
            kernel.set_link(link.index, up=True)
            kernel.set_route(254, "0.0.0.0/0", device=link.index, via="100.64.0.1")

    def far_end() -> None:
        with Netlink() as kernel:
            link = kernel.link("up1")
            assert link
            kernel.add_address(link.index, "100.64.0.1/24")
            kernel.set_link(link.index, up=True)

    def story() -> None:
        uplink()
        namespaces.inside(world, far_end)
        host = started(tmp_path)
        host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", public=host.public(5)),
                           eni(2, "subnet-public", "10.0.1.6")))
        server = namespaces.inside(world, lambda: host.socket(""))
        server.bind(("100.64.0.1", 80))
        server.listen()
        host.echo.add(server)
        assert host.seen_as("i-1", "100.64.0.1", 80) == "100.64.0.2"
        assert host.tcp("i-2", "100.64.0.1", 80) == "dropped"  # no public address
        assert host.tcp("i-1", "100.64.0.2", 80) == "dropped"  # the host's own address on its uplink

        def knock() -> str:
            with Netlink() as kernel:
                link = kernel.link("up1")
                assert link
                kernel.set_route(254, host.pool, device=link.index, via="100.64.0.2")
            return host.tcp("", host.public(5), 80)

        host.listen("i-1", 80)
        assert host.tcp("", host.public(5), 80) == "open"
        assert namespaces.inside(world, knock) == "dropped"  # the world does not come in
        host.close()

    try:
        machine(story)
    finally:
        namespaces.delete(world)


def test_doctor_finds_this_host_well_and_says_what_is_wrong(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = machine(doctor)
    assert [f.line for f in findings if not f.ok] == []
    assert len(findings) > 10
    nft.program.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    bad = [f for f in doctor() if not f.ok]
    nft.program.cache_clear()
    assert [f.hint for f in bad] == ["apt-get install nftables"]
    assert namespaces.names("cj-doctor-") == []
