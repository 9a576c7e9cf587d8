"""However many rules a group has, they cost a connection's first packet and no other."""

from __future__ import annotations

import pytest

from cloudjar.planes.network import namespaces, nft
from tests.host.network.conftest import Host
from tests.planes.network.topology import allow, eni, group, vpc

pytestmark = pytest.mark.host
PORT = 7000
SENT = 4 << 20


def test_a_groups_rules_are_asked_about_a_connection_once(host: Host) -> None:
    rules = [allow("tcp", 10000 + n, f"172.16.{n // 250}.{n % 250}/32") for n in range(1000)]
    own = group("sg-open", *rules, allow("tcp", PORT, "sg-open"))
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-public", "10.0.1.6"), groups=(own,)))
    with host.socket("i-2") as server:
        server.bind(("0.0.0.0", PORT))
        server.listen(1)
        table = host.net.site.table
        inside = host.namespace("vpc-1")
        watched = "".join(
            f"add counter inet {table} {chain}\n"
            f"insert rule inet {table} {chain} tcp dport {PORT} counter name {chain}\n"
            for chain in ("forwarding", "sg-open-ingress")
        )
        namespaces.inside(inside, lambda: nft.transaction(watched))
        with host.connect("i-1", "10.0.1.6", PORT, wait=60) as client:
            server.settimeout(60)
            taken, _ = server.accept()
            with taken:
                taken.settimeout(60)
                left = sending = SENT
                while left:
                    if sending:
                        sending -= client.send(bytes(min(sending, 1 << 16)))
                    left -= len(taken.recv(1 << 20))
        seen = namespaces.inside(inside, lambda: nft.packets(table))
    assert seen["forwarding"] > 50
    assert 1 <= seen["sg-open-ingress"] <= 3, "only what asks for a connection, should it have to ask again"
