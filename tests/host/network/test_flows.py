"""Flow logs of real packets."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from cloudjar.planes.network.port import Flow
from tests.host.network.conftest import Host
from tests.host.network.test_ipv6 import at, dual
from tests.planes.network.topology import OPEN, PRIVATE, PUBLIC, acl, allow, eni, group, vpc

pytestmark = pytest.mark.host
replace = msgspec.structs.replace


def seen(flows: tuple[Flow, ...], port: int) -> Counter[tuple[str, str, str, str]]:
    """Packets by (interface, direction, action, source) of flows with this port at either end."""
    out: Counter[tuple[str, str, str, str]] = Counter()
    for f in flows:
        if port in (f.source_port, f.target_port):
            out[f.interface, f.direction, f.action, f.source] += f.packets
    return out


def test_what_passes_and_what_does_not_is_told_per_interface(host: Host) -> None:
    web = group("sg-web", allow("tcp", 80))
    one = replace(eni(1, "subnet-public", "10.0.1.5"), logged=True)
    two = replace(eni(2, "subnet-private", "10.0.2.5", "sg-web"), logged=True)
    host.net.apply(vpc(one, two, groups=(OPEN, web)))
    host.listen("i-2", 80)
    assert host.net.flows("vpc-1") == ()
    assert host.seen_as("i-1", "10.0.2.5", 80) == "10.0.1.5"
    assert host.tcp("i-1", "10.0.2.5", 81) == "dropped"
    told = host.net.flows("vpc-1")
    accepted = seen(told, 80)
    assert set(accepted) == {(one.id, "egress", "ACCEPT", "10.0.1.5"), (two.id, "ingress", "ACCEPT", "10.0.1.5"),
                             (two.id, "egress", "ACCEPT", "10.0.2.5"), (one.id, "ingress", "ACCEPT", "10.0.2.5")}
    assert accepted[one.id, "egress", "ACCEPT", "10.0.1.5"] >= 3
    assert set(seen(told, 81)) == {(one.id, "egress", "ACCEPT", "10.0.1.5"), (two.id, "ingress", "REJECT", "10.0.1.5")}
    asked = next(f for f in told if f.target_port == 80 and f.direction == "ingress")
    assert (asked.target, asked.protocol) == ("10.0.2.5", 6)
    assert asked.bytes >= 40 * asked.packets
    assert seen(host.net.flows("vpc-1"), 81) == {}  # told once
    assert host.tcp("i-1", "10.0.2.5", 81) == "dropped"
    assert seen(host.net.flows("vpc-1"), 81)[two.id, "ingress", "REJECT", "10.0.1.5"] >= 1


def test_the_world_outside_and_network_acls(host: Host) -> None:
    own = replace(eni(1, "subnet-public", "10.0.1.5", public=host.public(5)), logged=True)
    rules = acl("acl-1", (1, "in", True, "udp", 53, 53, "0.0.0.0/0"))
    host.net.apply(vpc(own, subnets=(replace(PUBLIC, network_acl="acl-1"), PRIVATE), acls=(rules,)))
    host.listen("i-1", 53)
    assert host.udp("", host.public(5), 53) == "dropped"  # the answer is what the ACL refuses
    assert host.tcp("", host.public(5), 53) == "dropped"
    here = host.net.host_address
    told = {(f.protocol, f.direction, f.action, f.source, f.target) for f in host.net.flows("vpc-1")}
    assert told == {(17, "ingress", "ACCEPT", here, "10.0.1.5"), (17, "egress", "REJECT", "10.0.1.5", here),
                    (6, "ingress", "REJECT", here, "10.0.1.5")}


def test_only_logged_interfaces_are_told_of_and_ipv6_is(host: Host) -> None:
    one = replace(eni(1, "subnet-public", "10.0.1.5"), logged=True)
    host.net.apply(dual(host, 1, one, eni(2, "subnet-private", "10.0.2.5")))
    host.listen6("i-2", 80)
    assert host.tcp("i-1", at(host, 1, 2, 5), 80) == "open"
    assert {f.interface for f in host.net.flows("vpc-1")} == {one.id}
    host.net.apply(dual(host, 1, replace(one, logged=False), eni(2, "subnet-private", "10.0.2.5")))
    assert host.tcp("i-1", at(host, 1, 2, 5), 80) == "open"
    assert host.net.flows("vpc-1") == ()
    assert host.net.flows("vpc-9") == ()
