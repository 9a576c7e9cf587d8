"""Reachability by the plan alone; `tests/host/network/test_reach_is_exact.py` holds it against real packets."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.port import Vpc
from cloudjar.planes.network.reach import World, reach
from cloudjar.planes.network.sim import SimNetwork
from cloudjar.planes.network.site import site
from tests.planes.network.topology import ANYWHERE, OPEN, PRIVATE, PUBLIC, acl, allow, eni, group, vpc

SITE = site("test", "198.18.0.0/16")
replace = msgspec.structs.replace
ONE, TWO = eni(1, "subnet-public", "10.0.1.5", public="198.18.0.5"), eni(2, "subnet-private", "10.0.2.5")
E1, E2 = ONE.id, TWO.id


def ask(world: World, source: str, target: str, protocol: str = "tcp", port: int = 80, **more: int) -> str:
    return reach(world, source, target, protocol, port, **more).status


def world(*vpcs: Vpc, api_port: int = 0) -> World:
    return World(site=SITE, vpcs=vpcs, api_port=api_port)


def test_the_main_ways() -> None:
    w = world(vpc(ONE, TWO), api_port=4566)
    assert ask(w, "internet", "198.18.0.5") == "open"
    assert ask(w, "internet", "198.18.0.6") == "dropped"
    assert ask(w, E1, "10.0.2.5") == "open"
    assert ask(w, E1, "10.0.2.9") == "dropped"
    assert ask(w, E1, "1.1.1.1") == "open"
    assert ask(w, E2, "1.1.1.1") == "dropped"
    assert ask(w, E1, "198.18.0.1", port=4566) == "open"
    assert ask(w, E1, "198.18.0.1", port=22) == "dropped"
    assert ask(w, E1, "198.18.0.5") == "open"  # itself, from outside
    assert ask(w, E2, "10.0.2.5") == "open"
    assert ask(w, "eni-gone", "10.0.2.5") == "dropped"


def test_the_fabric_answers_whatever_the_groups_say() -> None:
    sealed = vpc(replace(ONE, groups=("sg-sealed",)), groups=(group("sg-sealed", out=()),))
    w = world(sealed)
    assert ask(w, E1, "169.254.169.254", port=80) == "open"
    assert ask(w, E1, "169.254.169.254", port=443) == "dropped"
    assert ask(w, E1, "10.0.0.2", "udp", 53) == "open"
    assert ask(w, E1, "10.0.1.1", "icmp", 8) == "dropped"
    assert ask(world(replace(sealed, dns_support=False)), E1, "10.0.0.2", "udp", 53) == "dropped"


def test_icmp_by_type_and_code() -> None:
    ping = group("sg-ping", allow("icmp", 8, to=-1), allow("icmp", 3, to=4))
    w = world(vpc(ONE, replace(TWO, groups=("sg-ping",)), groups=(OPEN, ping)))
    assert ask(w, E1, "10.0.2.5", "icmp", -1) == "open"
    assert ask(w, E1, "10.0.2.5", "icmp", 3, code=4) == "open"
    assert ask(w, E1, "10.0.2.5", "icmp", 3, code=1) == "dropped"
    assert ask(w, E1, "10.0.2.5", "47", 0) == "dropped"


def test_a_network_acl_minds_the_answers_port() -> None:
    rules = acl("acl-1", (1, "in", True, "tcp", 80, 80, ANYWHERE), (1, "out", True, "tcp", 32768, 65535, ANYWHERE))
    w = world(vpc(ONE, TWO, subnets=(replace(PUBLIC, network_acl="acl-1"), PRIVATE), acls=(rules,)))
    assert ask(w, "internet", "198.18.0.5", source_port=40000) == "open"
    assert ask(w, "internet", "198.18.0.5", source_port=2000) == "dropped"
    answer = reach(w, "internet", "198.18.0.5", "tcp", 443)
    assert answer.path[-1] == "acl-1 the default rule denies ingress 198.18.0.1 to 10.0.1.5 at subnet-public"


def test_the_path_says_why() -> None:
    w = world(vpc(ONE, TWO, groups=(OPEN,)))
    assert reach(w, "internet", "198.18.0.5", "tcp", 80).path == (
        f"igw-1 translates 198.18.0.5 to 10.0.1.5 of {E1}",
        f"sg-open allows ingress 198.18.0.1 to 10.0.1.5 at {E1}",
    )
    assert reach(w, E2, "1.1.1.1", "tcp", 80).path == ("rtb-private has no route to 1.1.1.1",)


def test_two_vpcs_with_the_same_addresses_meet_on_the_internet_only() -> None:
    other = vpc(eni(3, "subnet-public", "10.0.1.5", public="198.18.0.7"), name="vpc-2")
    w = world(vpc(ONE, TWO), other)
    three = other.interfaces[0].id
    assert ask(w, three, "198.18.0.5") == "open"
    assert ask(w, three, "10.0.2.5") == "dropped"
    assert ask(w, E1, "198.18.0.7") == "open"


def test_no_such_protocol_or_address() -> None:
    for target, protocol in (("10.0.2.5", "-1"), ("10.0.2.5", "x"), ("ten", "tcp")):
        with pytest.raises(PlaneError):
            reach(world(vpc(ONE, TWO)), E1, target, protocol, 80)


def test_the_simulated_plane_answers_and_forgets() -> None:
    net = SimNetwork()
    net.apply(vpc(ONE, TWO))
    assert (net.vpcs(), net.guests()) == (["vpc-1"], ["i-1", "i-2"])
    assert net.reachable("internet", "198.18.0.5", "tcp", 80) == "open"
    net.apply(vpc(replace(ONE, guest=""), TWO))
    assert net.reachable("internet", "198.18.0.5", "tcp", 80) == "dropped"
    with pytest.raises(PlaneError):
        net.apply(vpc(eni(1, "subnet-gone", "10.0.1.5")))
    net.remove("vpc-1")
    assert (net.vpcs(), net.guests()) == ([], [])
