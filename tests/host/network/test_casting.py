"""Multicast through transit gateways with real packets, each compared with the plan's own answer."""

from __future__ import annotations

import socket
import struct
from contextlib import ExitStack
from ipaddress import IPv6Network

import msgspec
import pytest

from cloudjar.planes.network.audience import audience
from cloudjar.planes.network.namespaces import inside
from cloudjar.planes.network.port import (
    Cast,
    NetworkAcl,
    Rule,
    SecurityGroup,
    Subnet,
    TransitAssociation,
    TransitAttachment,
    TransitCast,
    TransitGateway,
    Vpc,
)
from tests.host.network.conftest import PATIENCE, Host
from tests.planes.network.topology import ALL_OUT, OPEN, acl, allow, eni, group

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
GROUP, GROUP6, DOMAIN, PORT = "239.7.7.7", "ff05::7:7", "tgw-mcast-domain-1", 5007
OUT6 = Rule(direction="egress", protocol="-1", peer="::/0")
IN6 = Rule(direction="ingress", protocol="-1", peer="::/0")
BOTH = SecurityGroup(id="sg-open", rules=(*OPEN.rules, ALL_OUT, OUT6, IN6))


class Ear:
    """A guest's socket that has joined both groups on its eth0."""

    def __init__(self, host: Host, guest: str) -> None:
        self.socket = host.socket(guest, socket.SOCK_DGRAM, socket.AF_INET6)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(("::", PORT))
        index = inside(host.namespace(guest), lambda: socket.if_nametoindex("eth0"))
        six, four = struct.pack("=16sI", socket.inet_pton(socket.AF_INET6, GROUP6), index), struct.pack(
            "=4s4si", socket.inet_aton(GROUP), bytes(4), index)
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, six)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, four)

    def hears(self) -> tuple[str, str]:
        text, peer = self.socket.recvfrom(2048)
        return text.decode(), peer[0].removeprefix("::ffff:")


def say(host: Host, guest: str, where: str, text: str, *, ttl: int = 1) -> None:
    """One datagram to a group, with the life that multicasts have by default; its sender hears nothing of it."""
    six = ":" in where
    index = inside(host.namespace(guest), lambda: socket.if_nametoindex("eth0"))
    with host.socket(guest, socket.SOCK_DGRAM, socket.AF_INET6 if six else socket.AF_INET) as s:
        if six:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        s.sendto(text.encode(), (where, PORT))


class Stage:
    """Two VPCs of the same addresses' form on one gateway: 11 (source and member) and 12 in one subnet of the first,
    13 in another of its subnets, 21 and 22 in the second one. All have joined both groups."""

    def __init__(self, host: Host) -> None:
        self.host = host
        pool = list(IPv6Network(host.net.ipv6_pool).subnets(new_prefix=56))
        self.vpcs = {n: self._vpc(n, str(pool[n])) for n in (1, 2)}
        self.gateway = TransitGateway(id="tgw-1", associations=tuple(
            TransitAssociation(attachment=f"tgw-attach-{n}", vpc=f"vpc-{n}") for n in (1, 2)))

    def _vpc(self, n: int, six: str) -> Vpc:
        blocks = [str(b) for b, _ in zip(IPv6Network(six).subnets(new_prefix=64), range(3), strict=False)]
        subnets = tuple(Subnet(id=f"subnet-{n}-{k}", cidr=f"10.{n}.{k}.0/24", zone="us-east-1a", route_table="",
                               ipv6_cidr=blocks[k]) for k in (1, 2))
        enis = [replace(eni(10 * n + k, f"subnet-{n}-{s}", f"10.{n}.{s}.{10 * n + k}"),
                        ipv6=(str(IPv6Network(blocks[s])[10 * n + k]),))
                for k, s in ((1, 1), (2, 1), (3, 2)) if (n, k) != (2, 3)]
        return Vpc(id=f"vpc-{n}", region="us-east-1", cidrs=(f"10.{n}.0.0/16",), ipv6_cidrs=(six,), subnets=subnets,
                   groups=(BOTH,), interfaces=tuple(enis),
                   transit_attachments=(TransitAttachment(id=f"tgw-attach-{n}", gateway="tgw-1",
                                                          subnet=f"subnet-{n}-1"),))

    def cast(self, senders: set[int], members: set[int]) -> None:
        """Who sends and who gets, by number; both groups alike."""
        def mine(n: int, chosen: set[int]) -> tuple[str, ...]:
            return tuple(i.id for i in self.vpcs[n].interfaces if int(i.guest[2:]) in chosen)

        for n, vpc in self.vpcs.items():
            self.vpcs[n] = replace(vpc, casts=tuple(
                Cast(domain=DOMAIN, attachment=f"tgw-attach-{n}", group=g, senders=mine(n, senders),
                     members=mine(n, members)) for g in (GROUP, GROUP6)))
        ways = tuple(f"tgw-attach-{n}" for n in (1, 2) if mine(n, members))
        self.gateway = replace(self.gateway, casts=tuple(
            TransitCast(domain=DOMAIN, group=g, attachments=ways) for g in (GROUP, GROUP6)))

    def apply(self) -> None:
        for vpc in self.vpcs.values():
            self.host.net.apply(vpc)
        self.host.net.apply_transit(self.gateway)

    def expected(self, sender: int, where: str) -> set[int]:
        found = audience(self.vpcs.values(), (self.gateway,), f"eni-{sender:017x}", where, "udp", PORT)
        return {int(key[4:], 16) for key in found}


class Ears:
    """Those of all guests. Everybody hears a last word that takes the same ways as the others, so that silence is not
    waited for: a socket gets its datagrams in order."""

    def __init__(self, stage: Stage, stack: ExitStack) -> None:
        self.stage = stage
        self.ears = {int(i.guest[2:]): Ear(stage.host, i.guest) for v in stage.vpcs.values() for i in v.interfaces}
        for ear in self.ears.values():
            stack.enter_context(ear.socket)
        self.spoken = 0

    def hear(self, sender: int, where: str, *, ttl: int = 1) -> dict[int, str]:
        """Who hears what a guest says, and as whose word."""
        self.spoken += 1
        word = f"word {self.spoken}"
        say(self.stage.host, f"i-{sender}", where, word, ttl=ttl)
        kept = self.stage.vpcs, self.stage.gateway
        groups = {n: replace(v, groups=(BOTH,), acls=(), subnets=tuple(replace(s, network_acl="") for s in v.subnets),
                             interfaces=tuple(replace(i, groups=("sg-open",)) for i in v.interfaces))
                  for n, v in kept[0].items()}
        heard: dict[int, str] = {}
        self.stage.vpcs = groups
        for last in (11, 21):
            self.stage.cast({last}, set(self.ears))
            self.stage.apply()
            say(self.stage.host, f"i-{last}", where, f"end {last}")
            for number, ear in self.ears.items():
                while number != last:
                    text, peer = ear.hears()
                    if text == f"end {last}":
                        break
                    if text == word:
                        assert number not in heard, "it came twice"
                        heard[number] = peer
        self.stage.vpcs, self.stage.gateway = kept
        self.stage.apply()
        return heard


def test_a_source_is_heard_by_members_alone(host: Host) -> None:
    stage = Stage(host)
    stage.cast({11}, {11, 13, 21})
    stage.apply()
    with ExitStack() as stack:
        ears = Ears(stage, stack)
        for where in (GROUP, GROUP6):
            source = stage.vpcs[1].interfaces[0]
            own = source.private[0][0] if where == GROUP else source.ipv6[0]
            assert stage.expected(11, where) == {13, 21}
            assert ears.hear(11, where) == {13: own, 21: own}
            assert set(ears.hear(11, where, ttl=64)) == {13, 21}
            assert stage.expected(12, where) == set()
            assert ears.hear(12, where) == {}  # who is no source
            assert ears.hear(21, where) == {}  # nor is a member one
        stage.cast({11, 21}, {12, 22})
        stage.apply()
        assert set(ears.hear(21, GROUP)) == stage.expected(21, GROUP) == {12, 22}
        stage.cast({11, 21}, set())
        stage.apply()
        assert ears.hear(21, GROUP) == {}


def test_groups_and_network_acls_judge_multicasts(host: Host) -> None:
    """https://docs.aws.amazon.com/vpc/latest/tgw/how-multicast-works.html"""
    stage = Stage(host)
    plain = stage.vpcs[1]
    stage.cast({11}, {12, 13, 21})
    with ExitStack() as stack:
        stage.apply()
        ears = Ears(stage, stack)

        def only(
            *, wear: dict[int, str], groups: tuple[SecurityGroup, ...], acls: tuple[NetworkAcl, ...] = ()
        ) -> set[int]:
            stage.vpcs[1] = replace(
                plain, groups=(BOTH, *groups), acls=acls,
                subnets=tuple(replace(s, network_acl="acl-1" if acls else "") for s in plain.subnets),
                interfaces=tuple(replace(i, groups=(wear.get(int(i.guest[2:]), "sg-open"),)) for i in plain.interfaces))
            stage.cast({11}, {12, 13, 21})
            stage.apply()
            expected = stage.expected(11, GROUP)
            assert set(ears.hear(11, GROUP)) == expected
            return expected

        right = group("sg-a", allow("udp", PORT, "10.1.1.11/32"))
        wrong = group("sg-b", allow("udp", PORT, GROUP + "/32"))
        named = group("sg-c", allow("udp", PORT, "sg-open"))
        assert only(wear={12: "sg-a", 13: "sg-b"}, groups=(right, wrong)) == {12, 21}
        assert only(wear={12: "sg-c"}, groups=(named,)) == {13, 21}  # a group is no source of multicasts
        mute = group("sg-d", out=(allow("udp", PORT, "10.0.0.0/8", direction="egress"),))
        assert only(wear={11: "sg-d"}, groups=(mute,)) == set()
        loud = group("sg-e", out=(allow("udp", PORT, GROUP + "/32", direction="egress"),))
        assert only(wear={11: "sg-e"}, groups=(loud,)) == {12, 13, 21}
        # A network ACL judges even inside a subnet, for copies come from the gateway.
        outward = acl("acl-1", (1, "out", True, "udp", PORT, PORT, "224.0.0.0/4"))
        assert only(wear={}, groups=(), acls=(outward,)) == {21}
        both = acl("acl-1", (1, "out", True, "udp", PORT, PORT, "224.0.0.0/4"),
                   (1, "in", True, "udp", 1, 65535, "10.1.1.11/32"))
        assert only(wear={}, groups=(), acls=(both,)) == {12, 13, 21}
        assert only(wear={}, groups=(), acls=(acl("acl-1", (1, "in", True, "-1", -1, -1, "0.0.0.0/0")),)) == set()


def test_flow_logs_and_domains_of_multicasts(host: Host) -> None:
    """Who sends and who gets is logged; VPCs of equal addresses in two domains do not hear each other."""
    stage = Stage(host)
    one = stage.vpcs[1]
    stage.vpcs[1] = replace(one, interfaces=tuple(replace(i, logged=True) for i in one.interfaces))
    closed = group("sg-shut")
    stage.vpcs[1] = replace(stage.vpcs[1], groups=(BOTH, closed), interfaces=tuple(
        replace(i, groups=("sg-shut",)) if i.guest == "i-13" else i for i in stage.vpcs[1].interfaces))
    stage.cast({11}, {12, 13})
    stage.apply()
    assert host.net.flows("vpc-1") == ()
    with ExitStack() as stack:
        ear = Ear(host, "i-12")
        stack.enter_context(ear.socket)
        say(host, "i-11", GROUP, "logged")
        assert ear.hears() == ("logged", "10.1.1.11")
        told = {(f.interface[-2:], f.direction, f.action, f.target_port) for f in host.net.flows("vpc-1")
                if f.target == GROUP}
        numbers = {f"{n:02x}" : n for n in (11, 12, 13)}
        assert {(numbers[i], d, a, p) for i, d, a, p in told} == {
            (11, "egress", "ACCEPT", PORT), (12, "ingress", "ACCEPT", PORT), (13, "ingress", "REJECT", PORT)}
        # Another domain, the same group: the second VPC is in that one.
        other = "tgw-mcast-domain-2"
        elsewhere = replace(stage.vpcs[2], casts=(Cast(
            domain=other, attachment="tgw-attach-2", group=GROUP, senders=(), members=(f"eni-{21:017x}",)),))
        stage.vpcs[2] = elsewhere
        stage.gateway = replace(stage.gateway, casts=(*stage.gateway.casts, TransitCast(
            domain=other, group=GROUP, attachments=("tgw-attach-2",))))
        stage.apply()
        assert stage.expected(11, GROUP) == {12}
        far = Ear(host, "i-21")
        stack.enter_context(far.socket)
        say(host, "i-11", GROUP, "not for you")
        assert ear.hears() == ("not for you", "10.1.1.11")
        stage.vpcs[2] = replace(elsewhere, casts=(replace(elsewhere.casts[0], domain=DOMAIN),))
        stage.gateway = replace(stage.gateway, casts=(TransitCast(
            domain=DOMAIN, group=GROUP, attachments=("tgw-attach-1", "tgw-attach-2")),))
        stage.apply()
        say(host, "i-11", GROUP, "for all")
        assert far.hears() == ("for all", "10.1.1.11")
