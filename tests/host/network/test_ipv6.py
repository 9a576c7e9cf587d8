"""IPv6 beside IPv4, with real packets."""

from __future__ import annotations

import socket
from ipaddress import IPv6Network
from pathlib import Path

import msgspec
import pytest

from cloudjar.planes.network import namespaces
from cloudjar.planes.network.port import Interface, Peering, PrefixList, Route, RouteTable, Rule, Vpc
from tests.host.network.conftest import Host
from tests.planes.network.topology import ALL_OUT, PRIVATE, PUBLIC, acl, allow, eni, group, vpc

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
ALL_OUT6 = Rule(direction="egress", protocol="-1", peer="::/0")
OPEN6 = group("sg-open", allow("-1", -1), allow("-1", -1, "::/0"), out=(ALL_OUT, ALL_OUT6))
TO_IGW6 = Route(destination="::/0", kind="internet-gateway", target="igw-1")
TO_EIGW = Route(destination="::/0", kind="egress-only-gateway", target="eigw-1")


def block(host: Host, n: int) -> str:
    """The n-th /56 of the installation's pool."""
    return str(list(zip(range(n + 1), IPv6Network(host.net.ipv6_pool).subnets(new_prefix=56), strict=False))[n][1])


def at(host: Host, n: int, subnet: int, last: int) -> str:
    return str(list(IPv6Network(block(host, n)).subnets(new_prefix=64))[subnet][last])


def dual(host: Host, n: int, *interfaces: Interface, private: tuple[Route, ...] = (), **more: object) -> Vpc:
    """VPC n with both families; an ENI in subnet s with host part h has the IPv6 address s:h."""
    blocks = list(IPv6Network(block(host, n)).subnets(new_prefix=64))
    subnets = (replace(PUBLIC, ipv6_cidr=str(blocks[1])), replace(PRIVATE, ipv6_cidr=str(blocks[2])))
    six = tuple(
        replace(i, ipv6=(at(host, n, 1 if i.subnet == "subnet-public" else 2, int(i.private[0][0].split(".")[3])),))
        for i in interfaces)
    tables = (RouteTable(id="rtb-public", routes=(TO_IGW6,)), RouteTable(id="rtb-private", routes=private))
    laid = replace(vpc(*six, subnets=subnets, tables=tables, groups=(OPEN6,), name=f"vpc-{n}"),
                   ipv6_cidrs=(block(host, n),))
    return replace(laid, **more)


def test_inside_a_vpc_groups_and_acls_have_a_say(host: Host) -> None:
    one, two = eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5")
    host.net.apply(dual(host, 1, one, two))
    host.listen6("i-2", 80, 81)
    there = at(host, 1, 2, 5)
    assert host.seen_as("i-1", there, 80) == at(host, 1, 1, 5)
    assert host.udp("i-1", there, 81) == "open"
    assert host.tcp("i-1", there, 82) == "refused"
    assert host.tcp("i-1", at(host, 1, 2, 6), 80) == "dropped"
    narrow = group("sg-open", allow("tcp", 80, f"{at(host, 1, 1, 5)}/128"), allow("tcp", 81), out=(ALL_OUT, ALL_OUT6))
    host.net.apply(dual(host, 1, one, two, groups=(narrow,)))
    assert [host.tcp("i-1", there, p) for p in (80, 81)] == ["open", "dropped"]  # 0.0.0.0/0 is not everybody
    member = group("sg-open", allow("tcp", 81, "sg-open"), out=(ALL_OUT6,))
    host.net.apply(dual(host, 1, one, two, groups=(member,)))
    assert [host.tcp("i-1", there, p) for p in (80, 81)] == ["dropped", "open"]
    listed = group("sg-open", allow("tcp", 80, "pl-1"), out=(ALL_OUT6,))
    host.net.apply(dual(host, 1, one, two, groups=(listed,),
                        prefix_lists=(PrefixList(id="pl-1", cidrs=(block(host, 1), "10.9.0.0/16")),)))
    assert [host.tcp("i-1", there, p) for p in (80, 81)] == ["open", "dropped"]
    laid = dual(host, 1, one, two)
    rules = acl("acl-1", (10, "in", True, "tcp", 80, 80, "::/0"), (10, "out", True, "tcp", 1024, 65535, "::/0"),
                (5, "in", True, "-1", -1, -1, "0.0.0.0/0"))
    guarded = (laid.subnets[0], replace(laid.subnets[1], network_acl="acl-1"))
    host.net.apply(replace(laid, acls=(rules,), subnets=guarded))
    assert [host.tcp("i-1", there, p) for p in (80, 81)] == ["open", "dropped"]


def test_an_internet_gateway_routes_without_translating(host: Host) -> None:
    one, two = eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5")
    host.net.apply(dual(host, 1, one, two))
    host.net.apply(dual(host, 2, eni(3, "subnet-public", "10.0.1.5")))
    for guest in ("i-1", "i-2", "i-3"):
        host.listen6(guest, 80)
    gateway6 = host.net.site.gateway6
    assert host.seen_as("", at(host, 1, 1, 5), 80) == gateway6
    assert host.tcp("", at(host, 1, 1, 5), 81) == "refused"
    assert host.tcp("", at(host, 1, 2, 5), 80) == "dropped"  # no route back
    assert host.tcp("", at(host, 3, 1, 5), 80) == "dropped"  # nobody's
    assert host.seen_as("i-1", at(host, 2, 1, 5), 80) == at(host, 1, 1, 5)
    assert host.tcp("i-1", gateway6, 22) == "dropped"  # the host answers nobody
    assert host.tcp("i-1", "2001:db8::1", 80) == "dropped"
    host.net.apply(dual(host, 2, eni(3, "subnet-public", "10.0.1.5"), internet_gateway=""))
    assert host.tcp("i-1", at(host, 2, 1, 5), 80) == "dropped"


def test_an_egress_only_gateway_lets_out_and_not_in(host: Host) -> None:
    one, two = eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5")
    for gateway in ("igw-1", ""):
        host.net.apply(dual(host, 1, one, two, private=(TO_EIGW,), egress_only_gateway="eigw-1",
                            internet_gateway=gateway))
        host.net.apply(dual(host, 2, eni(3, "subnet-public", "10.0.1.5")))
        if gateway:
            host.listen6("i-3", 80)
            host.listen6("i-2", 80)
        assert host.seen_as("i-2", at(host, 2, 1, 5), 80) == at(host, 1, 2, 5)
        assert host.tcp("", at(host, 1, 2, 5), 80) == "dropped"
        assert host.tcp("i-3", at(host, 1, 2, 5), 80) == "dropped"
        assert host.net.reachable("internet", at(host, 1, 2, 5), "tcp", 80) == "dropped"
    host.net.apply(dual(host, 1, one, two, private=(TO_EIGW,)))
    assert host.tcp("i-2", at(host, 2, 1, 5), 80) == "dropped"  # the gateway is gone


def test_a_source_cannot_be_forged(host: Host) -> None:
    host.net.apply(dual(host, 1, eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5"),
                        eni(3, "subnet-public", "10.0.1.6")))
    with host.socket("i-2", socket.SOCK_DGRAM, socket.AF_INET6) as heard, \
            host.socket("i-1", socket.SOCK_DGRAM, socket.AF_INET6) as s:
        heard.bind(("::", 7000))
        heard.settimeout(0.25)
        s.setsockopt(socket.IPPROTO_IPV6, 75, 1)  # IPV6_TRANSPARENT
        s.bind((at(host, 1, 1, 6), 7001))
        s.sendto(b"I am i-3", (at(host, 1, 2, 5), 7000))
        with pytest.raises(TimeoutError):
            heard.recv(64)


def test_addresses_come_and_go_without_a_new_link(host: Host) -> None:
    laid = dual(host, 1, eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5"))
    host.net.apply(laid)
    host.listen("i-2", 80)
    host.listen6("i-2", 80)
    with host.connect("i-1", "10.0.2.5", 80) as running:
        more = replace(laid.interfaces[1], ipv6=(at(host, 1, 2, 77),))
        host.net.apply(replace(laid, interfaces=(laid.interfaces[0], more)))
        assert host.tcp("i-1", at(host, 1, 2, 77), 80) == "open"
        assert host.tcp("i-1", at(host, 1, 2, 5), 80) == "dropped"
        running.sendall(b"?")
        assert running.recv(64) == b"10.0.1.5"
    host.net.apply(replace(laid, interfaces=(laid.interfaces[0], replace(more, ipv6=()))))
    assert host.tcp("i-1", at(host, 1, 2, 77), 80) == "dropped"


def test_peering_carries_both_families(host: Host) -> None:
    laid = []
    for n, other in ((1, 2), (2, 1)):
        way = Route(destination=block(host, other), kind="peering", target="pcx-1")
        one = dual(host, n, eni(n, "subnet-private", "10.0.2.5"), private=(way,))
        cidrs = ("10.0.0.0/16" if n == 1 else "10.1.0.0/16",)
        if n == 2:
            subnets = tuple(replace(s, cidr=s.cidr.replace("10.0.", "10.1.")) for s in one.subnets)
            one = replace(one, subnets=subnets, interfaces=(replace(
                one.interfaces[0], private=(("10.1.2.5", ""),)),))
        peering = Peering(id="pcx-1", vpc=f"vpc-{other}", cidrs=(block(host, other),))
        laid.append(replace(one, cidrs=cidrs, peerings=(peering,)))
    for one in laid:
        host.net.apply(one)
    host.listen6("i-2", 80)
    assert host.seen_as("i-1", at(host, 2, 2, 5), 80) == at(host, 1, 2, 5)
    host.net.apply(replace(laid[1], peerings=()))
    assert host.tcp("i-1", at(host, 2, 2, 5), 80) == "dropped"


def test_a_later_process_takes_addresses_over(host: Host) -> None:
    laid = dual(host, 1, eni(1, "subnet-public", "10.0.1.5"))
    host.net.apply(laid)
    host.listen6("i-1", 80)
    host.net.release()
    again = Host(host.state, tag=host.tag, pool=host.pool)
    again.net.apply(laid)
    assert host.tcp("", at(host, 1, 1, 5), 80) == "open"
    forwarding = Path("/proc/sys/net/ipv6/conf/all/forwarding")
    assert namespaces.inside(host.namespace("i-1"), forwarding.read_text) == "0\n"
    again.close()
