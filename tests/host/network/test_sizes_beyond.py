"""Large transfers where frames have to shrink on the way: the fabric says so, and senders believe it."""

from __future__ import annotations

import socket
import threading

import msgspec
import pytest

from cloudjar.planes.network.port import Route
from tests.host.network.conftest import Host
from tests.host.network.test_beyond import nat, side
from tests.host.network.test_ipv6 import at, dual
from tests.host.network.test_transit import EVERYBODY, joined, spoke
from tests.planes.network.topology import eni

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
SIZE = 300_000
_PORT = 7001


def moved(host: Host, sender: str, receiver: str, address: str) -> int:
    """Bytes that arrive of SIZE that were sent over one connection."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host.socket(receiver, family=family) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("", _PORT))
        server.listen()
        with host.connect(sender, address, _PORT, wait=5.0) as out, server.accept()[0] as into:
            out.settimeout(5)
            into.settimeout(5)
            thread = threading.Thread(target=out.sendall, args=(bytes(SIZE),))
            thread.start()
            got = 0
            while got < SIZE:
                got += len(into.recv(65536))
            thread.join()
    return got


def test_through_a_nat_gateway(host: Host) -> None:
    host.net.apply(nat(host))
    assert moved(host, "i-2", "i-3", host.public(7)) == SIZE


def test_through_peering_and_transit(host: Host) -> None:
    host.net.apply(side(1, 2))
    host.net.apply(side(2, 1))
    assert moved(host, "i-1", "i-2", "10.2.1.5") == SIZE
    to_three = Route(destination="10.3.0.0/16", kind="transit-gateway", target="tgw-1")
    one = side(1, 2)
    table = replace(one.route_tables[0], routes=(*one.route_tables[0].routes, to_three))
    attached = replace(spoke(1), peerings=one.peerings, route_tables=(table,), subnets=one.subnets)
    host.net.apply(attached)
    host.net.apply(spoke(3))
    host.net.apply_transit(joined({"tgw-rtb-a": EVERYBODY}, dict.fromkeys((1, 3), "tgw-rtb-a")))
    assert moved(host, "i-1", "i-3", "10.3.1.5") == SIZE


def test_over_ipv6_to_the_host_and_to_another_vpc(host: Host) -> None:
    host.net.apply(dual(host, 1, eni(1, "subnet-public", "10.0.1.5")))
    host.net.apply(dual(host, 2, eni(2, "subnet-public", "10.0.1.5")))
    assert moved(host, "i-1", "i-2", at(host, 2, 1, 5)) == SIZE
    assert moved(host, "", "i-1", at(host, 1, 1, 5)) == SIZE
