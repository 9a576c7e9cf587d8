"""Block Public Access with real packets: what was open ends, and flow logs say why."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.planes.network.port import Openness, Vpc
from tests.host.network.conftest import Host
from tests.planes.network.topology import PRIVATE, PUBLIC, eni, vpc

pytestmark = pytest.mark.host
replace = msgspec.structs.replace


def laid(host: Host, mode: Openness) -> Vpc:
    own = replace(eni(1, "subnet-public", "10.0.1.5", public=host.public(5)), logged=True)
    subnets = tuple(replace(s, openness=mode) for s in (PUBLIC, PRIVATE))
    return vpc(own, eni(2, "subnet-private", "10.0.2.5"), subnets=subnets)


def test_a_connection_that_there_was_is_cut_and_none_comes(host: Host) -> None:
    host.net.apply(laid(host, "open"))
    host.listen("i-1", 80)
    assert host.seen_as("", host.public(5), 80)
    with host.socket("i-1") as server:
        server.bind(("0.0.0.0", 7000))
        server.listen(1)
        with host.connect("", host.public(5), 7000, wait=60) as client:
            server.settimeout(60)
            taken, _ = server.accept()
            with taken:
                taken.settimeout(60)
                client.send(b"before")
                assert taken.recv(64) == b"before"
                host.net.apply(laid(host, "outward"))
                host.net.flows("vpc-1")
                client.send(b"held")  # TCP sends it again and again until somebody answers
                assert host.tcp("", host.public(5), 80) == "dropped"
                refused = [f for f in host.net.flows("vpc-1") if f.action == "REJECT"]
                assert {(f.direction, f.target, f.reason) for f in refused} == {("ingress", "10.0.1.5", "BPA")}
                assert {f.target_port for f in refused} == {80, 7000}
                host.net.apply(laid(host, "open"))
                assert taken.recv(64) == b"held"


def test_what_leaves_is_told_of_as_well_and_neighbours_stay_reachable(host: Host) -> None:
    host.net.apply(laid(host, "closed"))
    host.listen("i-2", 80)
    assert host.tcp("i-1", host.net.host_address, 80) == "dropped"
    assert host.tcp("i-1", "10.0.2.5", 80) == "open"
    told = {(f.direction, f.action, f.target, f.reason) for f in host.net.flows("vpc-1") if f.target_port == 80}
    assert told == {("egress", "REJECT", host.net.host_address, "BPA"), ("egress", "ACCEPT", "10.0.2.5", "")}
