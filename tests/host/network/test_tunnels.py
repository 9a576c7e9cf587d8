"""Connect attachments of transit gateways with real packets: GRE tunnels to an appliance, and the routes it tells."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from cloudjar.planes.network import programs
from cloudjar.planes.network.connect import Announcement, Connect, ConnectPeer, PeerSeen
from cloudjar.planes.network.port import (
    TransitAssociation,
    TransitGateway,
    TransitRoute,
    TransitRouteTable,
)
from cloudjar.planes.network.site import tunnel_name
from tests.host.network.appliance import Appliance
from tests.host.network.conftest import Host
from tests.host.network.test_transit import EVERYBODY, joined, spoke

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
PEER = ConnectPeer(id="tgw-connect-peer-1", own="10.99.0.1", peer="10.2.1.5", asn=65001,
                   inside=("169.254.6.0/29", "fd00:6::/125"))  # fmt: skip
FAR, FAR6 = "10.50.0.0/16", "fd50::/48"
NONSENSE = ("169.254.50.0/24", "127.9.0.0/16")
"""What no router should tell, and nobody should hear."""
PATIENCE = 60.0


def gateway(*routes: TransitRoute) -> TransitGateway:
    """Spokes 1 and 2 with a tunnel through 2; `routes` are in everybody's table."""
    plain = joined({"tgw-rtb-a": {k: n for k, n in EVERYBODY.items() if n != 3}}, {1: "tgw-rtb-a", 2: "tgw-rtb-a"})
    table = plain.route_tables[0]
    return replace(
        plain,
        associations=(*plain.associations,
                      TransitAssociation(attachment="tgw-attach-c", vpc="", route_table="tgw-rtb-a")),
        route_tables=(TransitRouteTable(id=table.id, routes=(*table.routes, *routes)),),
        connects=(Connect(attachment="tgw-attach-c", transport="tgw-attach-2", peers=(PEER,),
                          announced=(Announcement(block="10.1.0.0/16"),
                                     Announcement(block="10.77.0.0/16", path=(65001,)),
                                     Announcement(block="10.78.0.0/16", path=(65009, 65010)))),),
    )


BY_TUNNEL = TransitRoute(destination=FAR, attachment="tgw-attach-c", peers=(PEER.id,))


class Ears:
    """Waits for what the plane tells, and looks at once."""

    def __init__(self, host: Host) -> None:
        self.net = host.net
        self.rung = threading.Event()
        host.net.watch_tunnels(lambda _: self.rung.set())

    def until(self, wanted: Callable[[PeerSeen], bool]) -> PeerSeen:
        for _ in range(int(PATIENCE)):
            seen = (self.net.tunnels("tgw-1") or {}).get(PEER.id)
            if seen is not None and wanted(seen):
                return seen
            self.rung.wait(1.0)
            self.rung.clear()
        raise AssertionError(f"not in {PATIENCE} s: {self.net.tunnels('tgw-1')}")


@pytest.fixture
def appliance(host: Host, tmp_path: Path) -> Iterator[Appliance]:
    made = Appliance(host.namespace("i-2"), tmp_path / "appliance", own="10.2.1.5", gateway=PEER.own,
                     inside=PEER.inside[0], inside6=PEER.inside[1], asn=PEER.asn, gateway_asn=64512,
                     tells=(FAR, FAR6, *NONSENSE))  # fmt: skip
    try:
        yield made
    finally:
        made.close()


def both(seen: PeerSeen) -> bool:
    return seen.up == (True, True) and len(seen.learned) == 2


def both_again(file: Path, before: list[int], seen: PeerSeen) -> bool:
    """Somebody else does the work of who was killed."""
    return both(seen) and programs.of(file) not in ([], before)


def test_what_an_appliance_tells_is_reached_through_its_tunnel(host: Host, appliance: Appliance) -> None:
    ears, folder = Ears(host), host.state / "tunnels" / "tgw-1"
    for n in (1, 2):
        host.net.apply(spoke(n))
    host.net.apply_transit(gateway())
    appliance.start()
    host.listen("i-2", 80)
    host.listen("i-1", 80)
    seen = ears.until(both)
    assert [(one.block, one.path) for one in seen.learned] == [(FAR, (65001,)), (FAR6, (65001,))]
    assert host.tcp("i-1", "10.50.0.1", 80) == "dropped"  # heard, and in no table yet
    host.net.apply_transit(gateway(BY_TUNNEL))
    assert host.seen_as("i-1", "10.50.0.1", 80) == "10.1.1.5"
    # The appliance knows what it was told, but for what comes from itself.
    told = appliance.routes()
    assert [block in told for block in ("10.1.0.0/16", "10.78.0.0/16", "10.77.0.0/16")] == [True, True, False]
    with host.connect("i-2", "10.1.1.5", 80, source=("10.50.0.1", 0), wait=PATIENCE) as s:
        s.sendall(b"?")
        assert s.recv(64) == b"10.50.0.1"
    # Who carries and who speaks may die: they are started again.
    for file in ("tunnels", "bird.conf"):
        victim = programs.of(folder / file)
        os.kill(victim[0], signal.SIGKILL)
        ears.until(partial(both_again, folder / file, victim))
        assert host.seen_as("i-1", "10.50.0.1", 80) == "10.1.1.5"
    # Another server finds both at work, and hears the same.
    running = programs.below(folder)
    host.net.release()
    again = Host(host.state, tag=host.tag, pool=host.pool)
    for n in (1, 2):
        again.net.apply(spoke(n))
    again.net.apply_transit(gateway(BY_TUNNEL))
    Ears(again).until(both)
    assert programs.below(folder) == running
    assert host.seen_as("i-1", "10.50.0.1", 80) == "10.1.1.5"
    # The session dies: what it told is told no more.
    appliance.silence()
    assert Ears(again).until(lambda one: one.up == (False, False)).learned == ()
    again.net.apply_transit(gateway())
    assert host.tcp("i-1", "10.50.0.1", 80) == "dropped"
    again.net.remove_transit("tgw-1")
    assert (programs.below(folder), folder.exists()) == ([], False)
    again.net.release()
    again.echo.close()


def test_tunnels_share_a_route_and_a_process_that_comes_later_sees_so(host: Host) -> None:
    other = replace(PEER, id="tgw-connect-peer-2", own="10.99.0.2", inside=("169.254.7.0/29", "fd00:7::/125"))
    for n in (1, 2):
        host.net.apply(spoke(n))

    def laid(*peers: ConnectPeer) -> TransitGateway:
        way = replace(BY_TUNNEL, peers=tuple(peer.id for peer in peers))
        return replace(gateway(way), connects=(replace(gateway().connects[0], peers=(PEER, other)),))

    def devices() -> list[str]:
        words = ["ip", "-n", host.net.site.hub_namespace("tgw-1"), "-json", "route", "show", "table", "all", FAR]
        [found] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
        return [hop["dev"] for hop in found.get("nexthops", [found])]

    host.net.apply_transit(laid(PEER, other))
    assert devices() == [tunnel_name(PEER.id), tunnel_name(other.id)]
    host.net.release()
    again = Host(host.state, tag=host.tag, pool=host.pool)
    again.net.apply_transit(laid(PEER, other))
    assert devices() == [tunnel_name(PEER.id), tunnel_name(other.id)]
    again.net.apply_transit(laid(other))
    assert devices() == [tunnel_name(other.id)]
    again.net.apply_transit(laid(PEER, other))
    assert len(devices()) == 2
    again.net.apply_transit(gateway())
    again.net.remove_transit("tgw-1")
    again.net.release()
    again.echo.close()
