"""One packet on demand: what `cloudjar reach --probe` sends."""

from __future__ import annotations

import socket

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.probe import PortTaken, Verdict, probe
from tests.host.network.conftest import Host
from tests.planes.network.topology import allow, eni, group, vpc

pytestmark = pytest.mark.host
THERE = "10.0.2.5"


def laid(host: Host, *protocols: str) -> None:
    groups = (group("sg-open", *(allow(p, port) for p in protocols for port in (80, 81))),)
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", THERE), groups=groups))


def sent(host: Host, protocol: str, port: int, source_port: int, *, asked: str = "i-2") -> Verdict:
    return probe(host.namespace("i-1"), THERE, protocol, port, source_port, source="10.0.1.5",
                 asked=host.namespace(asked), wait=0.4)  # fmt: skip


def test_what_becomes_of_a_packet(host: Host) -> None:
    laid(host, "tcp")
    host.listen("i-2", 80)
    assert [sent(host, "tcp", port, 50000 + port) for port in (80, 81, 82)] == ["open", "refused", "dropped"]
    assert sent(host, "udp", 81, 50100) == "dropped"
    laid(host, "udp")
    assert sent(host, "udp", 80, 50200) == "open"  # a program answers
    assert sent(host, "udp", 81, 50201) == "open"  # the probe itself does
    with host.socket("i-2", socket.SOCK_DGRAM) as mute:
        mute.bind((THERE, 82))
        assert sent(host, "udp", 82, 50202) == "silent"


def test_a_port_that_is_taken_and_a_network_that_is_not_there(host: Host) -> None:
    laid(host, "tcp")
    with host.socket("i-1") as other:
        other.bind(("10.0.1.5", 50300))
        with pytest.raises(PortTaken):
            sent(host, "tcp", 80, 50300)
    with pytest.raises(PlaneError, match="No packet could be sent"):
        probe(host.namespace("i-gone"), THERE, "tcp", 80, 50301)
