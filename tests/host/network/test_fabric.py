"""What the VPC itself answers: metadata and names."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
import pytest
from dnslib import QTYPE, RCODE, DNSRecord

from cloudjar.planes.network import namespaces
from cloudjar.planes.network.site import link_name
from tests.host.network.conftest import WAIT, Host
from tests.planes.network.topology import eni, group, vpc

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
SEALED = group("sg-sealed", out=())


def ask(host: Host, guest: str, server: str, name: str, kind: str = "A", *, tcp: bool = False) -> DNSRecord:
    query = DNSRecord.question(name, kind).pack()
    if tcp:
        with host.connect(guest, server, 53) as s:
            s.sendall(len(query).to_bytes(2, "big") + query)
            data = s.recv(4096)
            while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
                data += s.recv(4096)
            streamed: DNSRecord = DNSRecord.parse(data[2:])
            return streamed
    with host.socket(guest, socket.SOCK_DGRAM) as s:
        s.settimeout(WAIT * 8)
        s.connect((server, 53))
        s.send(query)
        answer: DNSRecord = DNSRecord.parse(s.recv(4096))
        return answer


def test_metadata_knows_its_caller_whatever_the_groups_say(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", "sg-sealed"), eni(2, "subnet-private", "10.0.2.5"),
                       groups=(SEALED,)))
    host.net.apply(vpc(eni(3, "subnet-public", "10.0.1.5"), name="vpc-2"))
    assert set(host.metadata.listeners) == {"vpc-1", "vpc-2"}
    for s in host.metadata.listeners.values():
        host.echo.add(s)
    assert host.seen_as("i-1", "169.254.169.254", 80) == "10.0.1.5"
    assert host.seen_as("i-2", "169.254.169.254", 80) == "10.0.2.5"
    assert host.tcp("i-1", "169.254.169.254", 81) == "dropped"
    assert host.tcp("i-1", "10.0.1.1", 80) == "dropped"
    listener = host.metadata.listeners["vpc-2"]
    host.echo.selector.unregister(host.metadata.listeners["vpc-1"])
    host.echo.selector.unregister(listener)
    with host.connect("i-3", "169.254.169.254", 80):  # the same address in another VPC: another listener
        listener.setblocking(True)
        listener.settimeout(WAIT * 8)
        connection, peer = listener.accept()
        connection.close()
        assert peer[0] == "10.0.1.5"


def test_metadata_is_not_for_those_who_forge_even_with_the_check_off(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", checked=False), eni(2, "subnet-public", "10.0.1.6")))

    def forge() -> None:
        with host.socket("i-1") as s:
            s.setsockopt(0, 19, 1)
            s.bind(("10.0.1.6", 0))
            s.settimeout(WAIT)
            s.connect(("169.254.169.254", 80))

    with pytest.raises(TimeoutError):
        forge()
    assert host.tcp("i-2", "169.254.169.254", 80) == "open"


def test_names_resolve_inside(host: Host) -> None:
    named = replace(eni(2, "subnet-private", "10.0.2.5"), hostname="ip-10-0-2-5.ec2.internal")
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", "sg-sealed", public=host.public(5)), named,
                       groups=(SEALED,)))
    for server in ("10.0.0.2", "169.254.169.253"):
        for tcp in (False, True):
            answer = ask(host, "i-1", server, "ip-10-0-2-5.ec2.internal", tcp=tcp)
            assert [str(r.rdata) for r in answer.rr] == ["10.0.2.5"]
    dashed = host.public(5).replace(".", "-")
    assert [str(r.rdata) for r in ask(host, "i-2", "10.0.0.2", f"ec2-{dashed}.compute-1.amazonaws.com").rr] \
        == ["10.0.1.5"]
    assert [str(r.rdata) for r in ask(host, "i-1", "10.0.0.2", "5.2.0.10.in-addr.arpa", "PTR").rr] \
        == ["ip-10-0-2-5.ec2.internal."]
    unknown = ask(host, "i-1", "10.0.0.2", "nobody.ec2.internal")
    assert unknown.header.rcode == RCODE.NXDOMAIN
    assert unknown.auth[0].rtype == QTYPE.SOA


def test_without_dns_support_nobody_answers(host: Host) -> None:
    laid = vpc(eni(1, "subnet-public", "10.0.1.5"))
    host.net.apply(replace(laid, dns_support=False))
    assert host.udp("i-1", "10.0.0.2", 53) == "dropped"
    host.net.apply(laid)
    assert ask(host, "i-1", "10.0.0.2", "ip-10-0-1-5.ec2.internal").header.rcode == RCODE.NOERROR
    host.net.apply(replace(laid, dns_support=False))
    assert host.udp("i-1", "10.0.0.2", 53) == "dropped"


def test_the_fabric_answers_arp_at_once(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-public", "10.0.1.6")))
    delays = namespaces.inside(host.namespace("vpc-1"), lambda: [
        Path("/proc/sys/net/ipv4/neigh", link_name(f"eni-{n:017x}"), "proxy_delay").read_text() for n in (1, 2)])
    assert delays == ["0\n", "0\n"]
