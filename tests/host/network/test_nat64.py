"""IPv6 that NAT gateways translate to IPv4, with real packets."""

from __future__ import annotations

import os
import select
import socket
import struct
from pathlib import Path

import msgspec
import pytest
from dnslib import DNSRecord

from cloudjar.planes.network import namespaces, nat64
from cloudjar.planes.network.port import NatGateway, Route, RouteTable, Vpc
from cloudjar.planes.network.sixfour import DEVICE, spelled
from tests.host.network.conftest import PATIENCE, WAIT, Host
from tests.host.network.test_beyond import NAT_ROUTE
from tests.host.network.test_ipv6 import at, dual
from tests.host.network.test_sizes_beyond import SIZE, moved
from tests.planes.network.topology import ALL_OUT, TO_INTERNET, acl, allow, eni, group

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
NAT64 = Route(destination="64:ff9b::/96", kind="nat-gateway", target="nat-1")


def laid_out(host: Host, *private: Route) -> Vpc:
    """An instance of both families behind a NAT gateway, and one of IPv4 alone in public."""
    own = replace(eni(9, "subnet-public", "10.0.1.9", public=host.public(9), guest="nat-1"), groups=())
    old = eni(3, "subnet-public", "10.0.1.7", public=host.public(7))
    made = dual(host, 1, own, old, eni(2, "subnet-private", "10.0.2.5"), private=private)
    bare = tuple(i if i.guest == "i-2" else replace(i, ipv6=()) for i in made.interfaces)
    tables = (RouteTable(id="rtb-public", routes=(TO_INTERNET,)), RouteTable(id="rtb-private", routes=private))
    return replace(made, interfaces=bare, route_tables=tables, nat_gateways=(NatGateway(id="nat-1", interface=own.id),))


def programs(host: Host) -> list[int]:
    """Those that translate in the gateway's namespace."""
    if not namespaces.exists(host.namespace("nat-1")):
        return []
    here = os.stat(namespaces.path(host.namespace("nat-1"))).st_ino
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if nat64.__file__.encode() in (one / "cmdline").read_bytes() and (one / "ns/net").stat().st_ino == here:
                found.append(int(one.name))
        except OSError:
            continue
    return found


def ended(pid: int) -> bool:
    """Whether a process ends before one loses patience."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], PATIENCE)[0])
    finally:
        os.close(fd)


def test_what_has_only_ipv4_is_reached_by_ipv6(host: Host) -> None:
    host.net.apply(laid_out(host, NAT64, NAT_ROUTE))
    host.listen("i-3", 80)
    public, private = spelled(host.public(7)), spelled("10.0.1.7")
    assert host.seen_as("i-2", public, 80) == host.public(9)
    assert host.seen_as("i-2", private, 80) == "10.0.1.9"
    assert host.seen_as("i-2", host.public(7), 80) == host.public(9)  # IPv4 goes on beside it
    for there in (public, private):
        assert host.udp("i-2", there, 80) == "open"
        assert [host.tcp("i-2", there, 81), host.udp("i-2", there, 81)] == ["refused", "refused"]
        assert host.net.reachable("eni-" + "2".zfill(17), there, "tcp", 80) == "open"
        assert echoed(host, "i-2", there) == b"anybody?"
    assert host.tcp("i-2", spelled("10.0.1.77"), 80) == "dropped"
    assert host.tcp("i-2", spelled("10.0.1.9"), 80) == "dropped"  # the gateway itself answers nobody
    traffic = host.net.nat_traffic("nat-1")
    assert traffic.packets_out > 10
    assert traffic.packets_in > 10


def test_names_lead_to_the_gateway_where_a_subnet_asks_for_it(host: Host) -> None:
    laid = laid_out(host, NAT64)
    host.net.apply(laid)
    host.listen("i-3", 80)
    name = "ip-10-0-1-7.ec2.internal"
    both = ("10.0.0.2", "fd00:ec2::253")
    assert [asked(host, "i-2", server, name) for server in both] == [[], []]
    subnets = tuple(replace(s, dns64=s.id == "subnet-private") for s in laid.subnets)
    host.net.apply(replace(laid, subnets=subnets))
    assert [asked(host, "i-2", server, name) for server in both] == [[spelled("10.0.1.7")]] * 2
    assert asked(host, "i-3", "10.0.0.2", name) == []
    assert host.seen_as("i-2", spelled("10.0.1.7"), 80) == "10.0.1.9"
    host.net.apply(replace(laid, subnets=subnets, dns_support=False))
    with pytest.raises(TimeoutError):
        asked(host, "i-2", "fd00:ec2::253", name, wait=WAIT)


def asked(host: Host, guest: str, server: str, name: str, *, wait: float = PATIENCE) -> list[str]:
    """The IPv6 addresses that a resolver has for a name."""
    with host.socket(guest, socket.SOCK_DGRAM, socket.AF_INET6 if ":" in server else socket.AF_INET) as s:
        s.settimeout(wait)
        s.sendto(DNSRecord.question(name, "AAAA").pack(), (server, 53))
        return [str(r.rdata) for r in DNSRecord.parse(s.recv(512)).rr]


def echoed(host: Host, guest: str, address: str) -> bytes:
    """What comes back of a ping."""
    ping = namespaces.inside(
        host.namespace(guest), lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6))
    with ping as s:
        s.settimeout(PATIENCE)
        s.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("8I", *(0xFFFFFFFF,) * 4, 0xFFFFFFFD, *(0xFFFFFFFF,) * 3))
        s.sendto(struct.pack("!BBHHH", 128, 0, 0, 77, 1) + b"anybody?", (address, 0))
        return s.recv(256)[8:]


def test_large_transfers_shrink_on_the_way(host: Host) -> None:
    host.net.apply(laid_out(host, NAT64))
    assert moved(host, "i-2", "i-3", spelled(host.public(7))) == SIZE
    assert moved(host, "i-2", "i-3", spelled("10.0.1.7")) == SIZE


def test_groups_and_acls_see_ipv6_before_and_ipv4_behind(host: Host) -> None:
    laid = laid_out(host, NAT64)
    host.net.apply(laid)
    host.listen("i-3", 80)
    there = spelled(host.public(7))
    only = replace(laid, groups=(group("sg-open", allow("-1", -1), out=(ALL_OUT,)),))
    host.net.apply(only)
    assert host.tcp("i-2", there, 80) == "dropped"  # 0.0.0.0/0 is not everybody
    named = group("sg-open", allow("-1", -1), out=(allow("tcp", 80, "64:ff9b::/96", direction="egress"),))
    host.net.apply(replace(laid, groups=(named,)))
    assert host.tcp("i-2", there, 80) == "open"
    rules = acl("acl-1", (10, "in", True, "-1", -1, -1, "0.0.0.0/0"), (10, "out", True, "-1", -1, -1, "0.0.0.0/0"),
                (11, "out", True, "-1", -1, -1, "::/0"), (11, "in", False, "tcp", 80, 80, "::/0"))
    guarded = tuple(replace(s, network_acl="acl-1") if s.id == "subnet-public" else s for s in laid.subnets)
    host.net.apply(replace(laid, acls=(rules,), subnets=guarded))
    assert host.tcp("i-2", there, 80) == "dropped"


def test_nobody_comes_in_by_it(host: Host) -> None:
    host.net.apply(laid_out(host, NAT64))
    host.listen6("i-2", 80)
    host.listen("i-3", 80)
    assert host.seen_as("i-2", spelled(host.public(7)), 80) == host.public(9)  # it has an address inside by now
    assert host.tcp("i-3", at(host, 1, 2, 5), 80) == "dropped"
    assert host.tcp("", host.public(9), 80) == "dropped"


def test_it_comes_and_goes_with_the_route_and_outlives_the_server(host: Host) -> None:
    host.net.apply(laid_out(host))
    host.listen("i-3", 80)
    there = spelled(host.public(7))
    assert (host.tcp("i-2", there, 80), programs(host)) == ("dropped", [])
    host.net.apply(laid_out(host, NAT64))
    assert host.tcp("i-2", there, 80, wait=PATIENCE) == "open"
    [first] = programs(host)
    with host.connect("i-2", there, 80, wait=PATIENCE) as running:
        host.net.release()
        again = Host(host.state, tag=host.tag, pool=host.pool)
        again.net.apply(laid_out(host, NAT64))
        assert programs(host) == [first]
        running.sendall(b"?")
        assert running.recv(64).decode() == host.public(9)
    again.net.apply(laid_out(host))
    assert ended(first)
    assert host.tcp("i-2", there, 80) == "dropped"
    again.net.apply(laid_out(host, NAT64))
    [second] = programs(host)
    os.kill(second, 9)
    assert ended(second)
    again.net.release()
    later = Host(host.state, tag=host.tag, pool=host.pool)
    later.net.apply(laid_out(host, NAT64))
    assert host.tcp("i-2", there, 80, wait=PATIENCE) == "open"
    [third] = programs(host)
    later.net.remove("vpc-1")
    assert ended(third)
    assert not namespaces.exists(host.namespace("nat-1"))
    for one in (again, later):
        one.echo.close()


def test_a_gateway_made_anew_translates_again(host: Host) -> None:
    laid = laid_out(host, NAT64)
    host.net.apply(laid)
    host.listen("i-3", 80)
    there = spelled(host.public(7))
    assert host.tcp("i-2", there, 80, wait=PATIENCE) == "open"
    [first] = programs(host)
    own = replace(laid.interfaces[0], private=(("10.0.1.8", host.public(9)),))
    host.net.apply(replace(laid, interfaces=(own, *laid.interfaces[1:])))
    assert ended(first) or programs(host) == [first]
    assert host.tcp("i-2", there, 80, wait=PATIENCE) == "open"
    assert namespaces.inside(host.namespace("nat-1"), lambda: nat64.has(DEVICE))
