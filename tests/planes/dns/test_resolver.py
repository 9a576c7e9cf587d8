"""The resolver over real sockets on loopback, with a resolver of the host's behind it."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from dnslib import AAAA, CNAME, EDNS0, QTYPE, RCODE, RR, A, DNSRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.planes.dns import resolver as module
from cloudjar.planes.dns.resolver import Resolver, upstreams
from tests.planes.network.topology import PRIVATE, PUBLIC, eni, vpc

replace = msgspec.structs.replace
HERE = vpc(eni(1, "subnet-public", "10.0.1.5"))


def many(_: str, name: str) -> tuple[str, ...] | None:
    return tuple(f"10.0.3.{n}" for n in range(100)) if name == "many.test" else None


class Door:
    """A resolver that listens on loopback."""

    def __init__(self, resolv_conf: Path) -> None:
        self.resolver = Resolver("198.18.0.0/16", many, resolv_conf)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        tcp = socket.socket()
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        for s in (udp, tcp):
            s.setblocking(False)
        self.udp, self.tcp = udp.getsockname(), tcp.getsockname()
        self.resolver.serve(HERE, ("127.0.0.1",), {"127.0.0.1": (udp, tcp)})

    def ask(self, query: DNSRecord) -> DNSRecord:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            s.sendto(query.pack(), self.udp)
            answer: DNSRecord = DNSRecord.parse(s.recv(65535))
            return answer

    def ask_tcp(self, query: DNSRecord) -> DNSRecord:
        with socket.create_connection(self.tcp, 10) as s:
            packed = query.pack()
            s.sendall(struct.pack("!H", len(packed)) + packed)
            stream = s.makefile("rb")
            with stream:
                answer: DNSRecord = DNSRecord.parse(stream.read(struct.unpack("!H", stream.read(2))[0]))
                return answer


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    opened = Door(tmp_path / "resolv.conf")
    yield opened
    opened.resolver.close()


def test_own_names_over_udp_and_tcp(door: Door) -> None:
    for ask in (door.ask, door.ask_tcp):
        answer = ask(DNSRecord.question("ip-10-0-1-5.ec2.internal"))
        assert [(str(r.rdata), r.ttl) for r in answer.rr] == [("10.0.1.5", 60)]
        assert answer.header.ra == 1
        empty = ask(DNSRecord.question("ip-10-0-1-5.ec2.internal", "AAAA"))
        assert (empty.header.rcode, empty.rr) == (RCODE.NOERROR, [])


def test_what_does_not_fit_is_truncated_over_udp_only(door: Door) -> None:
    query = DNSRecord.question("many.test")
    assert door.ask(query).header.tc == 1
    assert len(door.ask_tcp(query).rr) == 100
    query.add_ar(EDNS0(udp_len=4096))
    assert len(door.ask(query).rr) == 100


def test_without_a_resolver_of_the_hosts_the_world_fails_at_once(door: Door) -> None:
    assert door.ask(DNSRecord.question("example.test")).header.rcode == RCODE.SERVFAIL
    assert door.ask_tcp(DNSRecord.question("example.test")).header.rcode == RCODE.SERVFAIL


def test_the_world_is_asked_of_the_hosts_resolvers(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "resolv.conf").write_text("# ours\nsearch x\nnameserver nonsense\nnameserver 127.0.0.1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
        upstream.bind(("127.0.0.1", 0))
        upstream.settimeout(10)
        monkeypatch.setattr(module, "PORT", upstream.getsockname()[1])

        def serve() -> None:
            data, peer = upstream.recvfrom(512)
            asked = DNSRecord.parse(data)
            reply = asked.reply()
            reply.add_answer(RR(asked.q.qname, QTYPE.A, ttl=5, rdata=A("100.64.1.1")))
            upstream.sendto(reply.pack(), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        answer = door.ask(DNSRecord.question("example.test"))
        thread.join()
    assert [str(r.rdata) for r in answer.rr] == ["100.64.1.1"]


def test_a_subnet_that_asks_for_ipv6_gets_addresses_that_nat_gateways_translate(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = eni(1, "subnet-public", "127.0.0.1")
    both = replace(PUBLIC, dns64=True, ipv6_cidr="fd00::/64")
    two = replace(eni(2, "subnet-private", "10.0.2.5"), ipv6=("fd00::5",), hostname="i-2.ec2.internal")
    names = (("both.test", ("10.0.2.5", "fd00::5")), ("six.test", ("fd00::5",)))
    door.resolver.serve(replace(vpc(mine, two, subnets=(both, PRIVATE)), names=names), ("127.0.0.1",), {})

    def told(name: str, kind: str = "AAAA") -> list[str]:
        return [str(r.rdata) for r in door.ask(DNSRecord.question(name, kind)).rr if r.rtype == QTYPE.AAAA]

    assert told("i-2.ec2.internal") == ["64:ff9b::a00:205"]
    assert told("both.test") == told("six.test") == ["fd00::5"]
    assert told("none.ec2.internal") == []
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
        upstream.bind(("127.0.0.1", 0))
        upstream.settimeout(10)
        monkeypatch.setattr(module, "PORT", upstream.getsockname()[1])

        def serve() -> None:
            for _ in range(3):
                data, peer = upstream.recvfrom(512)
                asked = DNSRecord.parse(data)
                reply = asked.reply()
                if asked.q.qtype == QTYPE.A:
                    reply.add_answer(RR(asked.q.qname, QTYPE.CNAME, ttl=5, rdata=CNAME("other.test")))
                    reply.add_answer(RR("other.test", QTYPE.A, ttl=5, rdata=A("192.0.2.33")))
                elif str(asked.q.qname) == "new.test.":
                    reply.add_answer(RR(asked.q.qname, QTYPE.AAAA, ttl=5, rdata=AAAA("2001:db8::1")))
                upstream.sendto(reply.pack(), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert told("old.test") == ["64:ff9b::c000:221"]
        assert told("new.test") == ["2001:db8::1"]
        thread.join()


def test_the_hosts_resolvers_are_read_as_they_are(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    assert upstreams(conf) == []
    conf.write_text("nameserver 10.1.1.1\noptions x\nnameserver ::1\nnameserver\nnameserver x\n")
    assert upstreams(conf) == ["10.1.1.1", "::1"]


def test_doors_close_and_the_thread_ends(door: Door) -> None:
    assert door.resolver.missing("vpc-1", ("127.0.0.1", "127.0.0.2")) == ["127.0.0.2"]
    door.resolver.serve(HERE, (), {})
    assert door.resolver.missing("vpc-1", ("127.0.0.1",)) == ["127.0.0.1"]
    with pytest.raises(ConnectionRefusedError):
        door.ask_tcp(DNSRecord.question("x.test"))
    door.resolver.close()
    assert not any(t.name == "cloudjar-dns" for t in threading.enumerate())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.booleans())
def test_garbage_gets_an_answer_or_silence_but_never_an_error(data: bytes, question: bool) -> None:
    resolver = Resolver("198.18.0.0/16", resolv_conf=Path("/nonexistent"))
    query = bytes(DNSRecord.question("ip-10-0-1-5.ec2.internal").pack())[:12] + data if question else data
    answer = asyncio.run(resolver.answer(HERE, query))
    assert answer is None or bytes(answer[:2]) == query[:2]
