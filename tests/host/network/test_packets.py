"""What packets really do."""

from __future__ import annotations

import socket
import threading

import msgspec
import pytest

from cloudjar.planes.network import namespaces, nft
from cloudjar.planes.network.port import Route, RouteTable
from tests.host.network.conftest import Host
from tests.planes.network.topology import (
    ANYWHERE,
    OPEN,
    PRIVATE,
    PUBLIC,
    TO_INTERNET,
    acl,
    allow,
    eni,
    group,
    vpc,
)
from tests.ports import free_port

pytestmark = pytest.mark.host
replace = msgspec.structs.replace


def test_a_public_address_is_reached_from_the_host_and_keeps_the_callers_address(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", "sg-web", public=host.public(5)),
                       groups=(group("sg-web", allow("tcp", 80), allow("tcp", 81)),)))
    host.listen("i-1", 80)
    assert host.tcp("", host.public(5), 80) == "open"
    assert host.seen_as("", host.public(5), 80) == host.net.host_address
    assert host.tcp("", host.public(5), 81) == "refused"  # admitted, but nobody listens
    assert host.tcp("", host.public(5), 82) == "dropped"
    assert host.tcp("", host.public(9), 80) == "dropped"  # nobody's address


def test_without_a_public_address_an_interface_is_reached_from_inside_only(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", public=host.public(5)),
                       eni(2, "subnet-private", "10.0.2.5")))
    host.listen("i-2", 80)
    assert host.tcp("i-1", "10.0.2.5", 80) == "open"
    assert host.seen_as("i-1", "10.0.2.5", 80) == "10.0.1.5"
    with host.socket("") as s:  # not even straight through the Internet's bridge
        s.settimeout(0.25)
        s.setsockopt(1, 25, host.net.site.bridge.encode())
        with pytest.raises(TimeoutError):
            s.connect(("10.0.2.5", 80))
    assert host.tcp("i-2", host.net.host_address, 80) == "dropped"


def test_ports_between_two_subnets_and_within_one(host: Host) -> None:
    host.net.apply(vpc(
        eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5", "sg-db"),
        eni(3, "subnet-public", "10.0.1.6", "sg-db"),
        groups=(OPEN, group("sg-db", allow("tcp", 5432, "10.0.1.0/24"), allow("udp", 53, to=54)))))
    for guest, address in (("i-2", "10.0.2.5"), ("i-3", "10.0.1.6")):
        host.listen(guest, 5432, 54, 55)
        assert host.tcp("i-1", address, 5432) == "open"
        assert host.tcp("i-1", address, 55) == "dropped"
        assert host.udp("i-1", address, 54) == "open"
        assert host.udp("i-1", address, 55) == "dropped"
    assert host.tcp("i-2", "10.0.1.6", 5432) == "dropped"  # the rule names the other subnet


def test_a_group_may_be_the_peer_and_its_members_come_and_go(host: Host) -> None:
    groups = (OPEN, group("sg-web"), group("sg-db", allow("tcp", 5432, "sg-web")))
    web, other, db = eni(1, "subnet-public", "10.0.1.5", "sg-web"), eni(2, "subnet-public", "10.0.1.6"), \
        eni(3, "subnet-private", "10.0.2.5", "sg-db")
    host.net.apply(vpc(web, other, db, groups=groups))
    host.listen("i-3", 5432)
    assert host.tcp("i-1", "10.0.2.5", 5432) == "open"
    assert host.tcp("i-2", "10.0.2.5", 5432) == "dropped"
    host.net.apply(vpc(web, replace(other, groups=("sg-open", "sg-web")), db, groups=groups))
    assert host.tcp("i-2", "10.0.2.5", 5432) == "open"
    host.net.apply(vpc(replace(web, groups=("sg-open",)), other, db, groups=groups))
    assert host.tcp("i-1", "10.0.2.5", 5432) == "dropped"


def test_a_group_reference_means_private_addresses_only(host: Host) -> None:
    groups = (group("sg-web", allow("tcp", 80, "sg-web")),)
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", "sg-web", public=host.public(5)),
                       eni(2, "subnet-public", "10.0.1.6", "sg-web", public=host.public(6)), groups=groups))
    host.listen("i-2", 80)
    assert host.tcp("i-1", "10.0.1.6", 80) == "open"
    assert host.tcp("i-1", host.public(6), 80) == "dropped"


def test_a_revoked_rule_stops_new_connections_and_spares_running_ones(host: Host) -> None:
    def laid(*ports: int) -> None:
        host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", "sg-web", public=host.public(5)),
                           groups=(group("sg-web", *(allow("tcp", p) for p in ports)),)))

    laid(9000, 22)
    host.listen("i-1", 9000)
    running = host.connect("", host.public(5), 9000)
    laid(22)
    assert host.tcp("", host.public(5), 9000) == "dropped"
    with running:
        running.sendall(b"?")
        assert running.recv(64).decode() == host.net.host_address
    laid(22, 9000)
    assert host.tcp("", host.public(5), 9000) == "open"


def test_groups_filter_what_leaves_as_well(host: Host) -> None:
    narrow = group("sg-narrow", out=(allow("tcp", 443, "10.0.2.0/24", direction="egress"),))
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", "sg-narrow"), eni(2, "subnet-private", "10.0.2.5"),
                       groups=(OPEN, narrow)))
    host.listen("i-2", 443, 80)
    assert host.tcp("i-1", "10.0.2.5", 443) == "open"
    assert host.tcp("i-1", "10.0.2.5", 80) == "dropped"


def test_a_network_acl_is_stateless_and_needs_ephemeral_ports(host: Host) -> None:
    subnets = (replace(PUBLIC, network_acl="acl-1"), PRIVATE)
    enis = (eni(1, "subnet-public", "10.0.1.5", public=host.public(5)), eni(2, "subnet-private", "10.0.2.5"),
            eni(3, "subnet-public", "10.0.1.6"))
    web = (100, "in", True, "tcp", 80, 80, "0.0.0.0/0")
    host.net.apply(vpc(*enis, subnets=subnets, acls=(acl("acl-1", web),)))
    host.listen("i-1", 80, 81)
    assert host.tcp("", host.public(5), 80) == "dropped"  # the way back is missing
    assert host.tcp("i-3", "10.0.1.5", 81) == "open"  # inside the subnet it has no say
    back = (100, "out", True, "tcp", 1024, 65535, "0.0.0.0/0")
    host.net.apply(vpc(*enis, subnets=subnets, acls=(acl("acl-1", web, back),)))
    assert host.tcp("", host.public(5), 80) == "open"
    assert host.tcp("i-2", "10.0.1.5", 80) == "open"
    assert host.tcp("", host.public(5), 81) == "dropped"
    deny = (50, "in", False, "tcp", 80, 80, f"{host.net.host_address}/32")
    host.net.apply(vpc(*enis, subnets=subnets, acls=(acl("acl-1", web, back, deny),)))
    assert host.tcp("", host.public(5), 80) == "dropped"  # lower numbers first
    assert host.tcp("i-2", "10.0.1.5", 80) == "open"


def test_without_a_route_to_a_gateway_a_public_address_is_no_use(host: Host) -> None:
    enis = (eni(1, "subnet-private", "10.0.2.5", public=host.public(5)),)
    host.net.apply(vpc(*enis))
    host.listen("i-1", 80)
    assert host.tcp("", host.public(5), 80) == "dropped"
    moved = replace(PRIVATE, route_table="rtb-public")
    host.net.apply(vpc(*enis, subnets=(PUBLIC, moved)))
    assert host.tcp("", host.public(5), 80) == "open"
    host.net.apply(vpc(*enis, subnets=(PUBLIC, moved), gateway=""))
    assert host.tcp("", host.public(5), 80) == "dropped"
    host.net.apply(vpc(*enis, subnets=(PUBLIC, moved)))
    assert host.tcp("", host.public(5), 80) == "open"


def test_a_public_address_moves_from_one_vpc_to_another(host: Host) -> None:
    one, two = eni(1, "subnet-public", "10.0.1.5", public=host.public(5)), eni(2, "subnet-public", "10.0.1.5")
    host.net.apply(vpc(one))
    host.net.apply(vpc(two, name="vpc-2"))
    host.listen("i-1", 80)
    host.listen("i-2", 81)
    assert [host.tcp("", host.public(5), p) for p in (80, 81)] == ["open", "refused"]
    host.net.apply(vpc(replace(one, private=(("10.0.1.5", ""),))))
    assert host.tcp("", host.public(5), 80) == "dropped"
    host.net.apply(vpc(replace(two, private=(("10.0.1.5", host.public(5)),)), name="vpc-2"))
    assert [host.tcp("", host.public(5), p) for p in (80, 81)] == ["refused", "open"]


def test_instances_meet_over_public_addresses_within_and_across_vpcs(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", public=host.public(5)),
                       eni(2, "subnet-public", "10.0.1.6", public=host.public(6))))
    host.net.apply(vpc(eni(3, "subnet-public", "10.0.1.5", public=host.public(7)), name="vpc-2"))
    for guest in ("i-1", "i-2", "i-3"):
        host.listen(guest, 80)
    assert host.seen_as("i-1", host.public(6), 80) == host.public(5)  # out and in again
    assert host.seen_as("i-1", host.public(7), 80) == host.public(5)
    assert host.seen_as("i-3", host.public(5), 80) == host.public(7)
    assert host.seen_as("i-1", host.public(5), 80) == host.public(5)  # itself, from outside
    assert host.seen_as("i-3", "10.0.1.5", 80) == "10.0.1.5"  # the same private address, another world
    assert host.tcp("i-3", "10.0.1.6", 80) == "dropped"


def test_a_source_address_cannot_be_forged_unless_the_check_is_off(host: Host) -> None:
    forger = eni(1, "subnet-public", "10.0.1.5")
    enis = (forger, eni(2, "subnet-private", "10.0.2.5"), eni(3, "subnet-public", "10.0.1.6"))
    host.net.apply(vpc(*enis))
    heard = host.socket("i-2", 2)
    heard.bind(("", 7000))
    heard.settimeout(0.25)

    def forge() -> None:
        with host.socket("i-1", 2) as s:
            s.setsockopt(0, 19, 1)  # IP_TRANSPARENT: send from an address that is not ours
            s.bind(("10.0.1.6", 7001))
            s.sendto(b"I am i-3", ("10.0.2.5", 7000))

    with heard:
        forge()
        with pytest.raises(TimeoutError):
            heard.recv(64)
        host.net.apply(vpc(replace(forger, source_dest_check=False), *enis[1:]))
        forge()
        assert heard.recv(64) == b"I am i-3"


def test_an_instance_that_forwards_can_be_a_route(host: Host) -> None:
    """A NAT instance: its check is off, the private subnet's default route leads to it."""
    nat = eni(1, "subnet-public", "10.0.1.5", public=host.public(5), checked=False)
    tables = (RouteTable(id="rtb-public", routes=(TO_INTERNET,)),
              RouteTable(id="rtb-private", routes=(Route(destination=ANYWHERE, kind="interface", target=nat.id),)))
    host.net.apply(vpc(nat, eni(2, "subnet-private", "10.0.2.5"),
                       eni(3, "subnet-public", "10.0.1.7", public=host.public(7)), tables=tables))
    host.listen("i-3", 80)
    def forward() -> None:
        with open("/proc/sys/net/ipv4/ip_forward", "w") as f:
            f.write("1")
        nft.transaction("table ip nat { chain post { type nat hook postrouting priority 100; masquerade; }; }\n")

    namespaces.inside(host.namespace("i-1"), forward)
    assert host.seen_as("i-2", host.public(7), 80) == host.public(5)
    host.net.apply(vpc(replace(nat, source_dest_check=True), eni(2, "subnet-private", "10.0.2.5"),
                       eni(3, "subnet-public", "10.0.1.7", public=host.public(7)), tables=tables))
    assert host.tcp("i-2", host.public(7), 80) == "dropped"


def test_a_second_interface_and_a_detached_one(host: Host) -> None:
    first, second = eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5", guest="i-1", index=1)
    third = eni(3, "subnet-private", "10.0.2.6")
    host.net.apply(vpc(first, second, third))
    host.listen("i-1", 80)
    assert host.tcp("i-3", "10.0.2.5", 80) == "open"
    host.net.apply(vpc(first, replace(second, guest=""), third))
    assert host.tcp("i-3", "10.0.2.5", 80) == "dropped"
    assert host.tcp("i-3", "10.0.1.5", 80) == "open"
    host.net.apply(vpc(first, replace(second, guest="i-4", index=0), third))
    assert host.net.guests() == ["i-1", "i-3", "i-4"]
    assert host.tcp("i-1", "10.0.2.5", 80) == "refused"
    host.net.apply(vpc(third))
    assert host.net.guests() == ["i-3"]


def test_guests_reach_the_api_and_nothing_else_of_the_host(host: Host) -> None:
    api, other = free_port(), free_port("0.0.0.0")
    started = Host(host.state / "two", pool=f"198.18.{int(host.base.split('.')[2])}.0/24", api=("127.0.0.1", api))
    try:
        started.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", public=started.public(5))))
        for address, port in (("127.0.0.1", api), ("0.0.0.0", other)):
            s = started.socket("")
            s.setsockopt(1, 2, 1)
            s.bind((address, port))
            s.listen()
            started.echo.add(s)
        here = started.net.host_address
        assert started.seen_as("i-1", here, api) == started.public(5)
        assert started.tcp("i-1", here, other) == "dropped"
        assert started.tcp("", here, other) == "open"
    finally:
        started.close()


def test_shaping_drops_what_is_over_the_rate(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", rate=1), eni(2, "subnet-public", "10.0.1.6")))
    with host.socket("i-2", 2) as heard, host.socket("i-1", 2) as s:
        heard.bind(("", 7000))
        heard.setsockopt(1, 8, 4 << 20)
        heard.setblocking(False)
        for _ in range(400):
            s.sendto(bytes(1000), ("10.0.1.6", 7000))
        got = 0
        while True:
            try:
                got += len(heard.recv(2000))
            except BlockingIOError:
                break
    assert 30_000 < got < 200_000


def echo_request(number: int) -> bytes:
    body = b"\x08\x00\x00\x00" + number.to_bytes(2, "big") + b"\x00\x01" + b"cloudjar"
    words = sum(int.from_bytes(body[i : i + 2], "big") for i in range(0, len(body), 2))
    total = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF
    return body[:2] + total.to_bytes(2, "big") + body[4:]


def ping(host: Host, guest: str, address: str) -> str:
    def raw() -> socket.socket:
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    with namespaces.inside(host.namespace(guest), raw) if guest else raw() as s:
        s.settimeout(0.25)
        s.connect((address, 0))
        s.send(echo_request(4711))
        try:
            while (answer := s.recv(200)[20:])[0] != 0:
                pass
        except TimeoutError:
            return "dropped"
        assert answer[4:6] == (4711).to_bytes(2, "big")
        return "open"


def test_ping_needs_its_own_rule(host: Host) -> None:
    enis = (eni(1, "subnet-public", "10.0.1.5", "sg-web", public=host.public(5)), eni(2, "subnet-private", "10.0.2.5"))
    web = group("sg-web", allow("tcp", 80))
    host.net.apply(vpc(*enis, groups=(OPEN, web)))
    assert [ping(host, "", host.public(5)), ping(host, "i-2", "10.0.1.5")] == ["dropped"] * 2
    host.net.apply(vpc(*enis, groups=(OPEN, group("sg-web", allow("icmp", 8, to=-1)))))
    assert [ping(host, "", host.public(5)), ping(host, "i-2", "10.0.1.5")] == ["open"] * 2
    assert ping(host, "i-2", "10.0.2.1") == "dropped"  # routers do not answer


def test_big_frames_inside_and_ordinary_ones_outside(host: Host) -> None:
    host.net.apply(vpc(eni(1, "subnet-public", "10.0.1.5", public=host.public(5)),
                       eni(2, "subnet-public", "10.0.1.6", public=host.public(6))))
    with host.socket("i-1", socket.SOCK_DGRAM) as s, host.socket("i-2", socket.SOCK_DGRAM) as heard:
        heard.bind(("", 7000))
        heard.settimeout(0.25)
        s.setsockopt(0, 10, 2)  # never fragment
        s.sendto(bytes(8900), ("10.0.1.6", 7000))
        assert len(heard.recv(9000)) == 8900
    for guest, target in (("i-1", "10.0.1.6"), ("i-1", host.public(6)), ("", host.public(6))):
        with host.socket("i-2") as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("", 7001))
            server.listen()
            with host.connect(guest, target, 7001) as sender, server.accept()[0] as receiver:
                sender.settimeout(5)
                receiver.settimeout(5)
                thread = threading.Thread(target=sender.sendall, args=(bytes(300_000),))
                thread.start()
                got = 0
                while got < 300_000:
                    got += len(receiver.recv(65536))
                thread.join()
