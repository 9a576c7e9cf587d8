"""Tunnels as data: GRE's bytes, what the BGP speaker is told and tells, and where packets go."""

from __future__ import annotations

import struct

import msgspec
import pytest

from cloudjar.planes.network import gre, speaking, tunnels
from cloudjar.planes.network.connect import Announcement, Connect, ConnectPeer, Learned, PeerSeen
from cloudjar.planes.network.filtering import table_number
from cloudjar.planes.network.port import TransitAssociation, TransitGateway, TransitRoute, TransitRouteTable
from cloudjar.planes.network.site import site, tunnel_name
from cloudjar.planes.network.transit import transit_plan

HOST = site("t", "198.18.0.0/24")
ONE = ConnectPeer(id="tgw-connect-peer-1", own="10.99.0.1", peer="10.2.1.5", inside=("169.254.6.0/29",), asn=65001)
TWO = ConnectPeer(id="tgw-connect-peer-2", own="10.99.0.2", peer="10.2.1.6",
                  inside=("169.254.7.0/29", "fd00::/125"), asn=65001)  # fmt: skip
CONNECT = Connect(attachment="tgw-attach-c", transport="tgw-attach-2", peers=(ONE, TWO), announced=(
    Announcement(block="10.1.0.0/16"), Announcement(block="fd12::/48", path=(65009, 65010))))  # fmt: skip
IPV4 = bytes.fromhex("4500001400000000400100000a0101050a320001")
OUTER = bytes.fromhex("4500001400000000402f00000a0201050a630001")


def test_a_packet_goes_in_and_comes_out() -> None:
    assert gre.wrapped(IPV4) == b"\0\0\x08\0" + IPV4
    assert gre.unwrapped(OUTER + gre.wrapped(IPV4)) == IPV4
    six = b"\x60" + bytes(39)
    assert gre.unwrapped(OUTER + gre.wrapped(six)) == six
    assert gre.wrapped(b"") == gre.wrapped(b"\x10junk") == b""


@pytest.mark.parametrize("header", [
    "2000080000000001",  # a key
    "1000080000000001",  # a sequence number
    "40000800",  # routing
    "00010800",  # another version
    "000086dd",  # not what is inside
    "0000",  # cut off
    "8000080012340000",  # a wrong checksum
])  # fmt: skip
def test_what_must_not_be_taken_is_not(header: str) -> None:
    assert gre.unwrapped(OUTER + bytes.fromhex(header) + IPV4) == b""


def test_a_right_checksum_is_taken() -> None:
    head, rest = b"\x80\0\x08\0", b"\0\0" + IPV4 + b"odd"
    total = sum(struct.unpack(f"!{len(head + b'00' + rest + b'0') // 2}H", head + b"\0\0" + rest + b"\0"))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    packet = head + struct.pack("!H", ~total & 0xFFFF) + rest
    assert gre.unwrapped(OUTER + packet) == IPV4 + b"odd"


def test_the_program_is_told_every_tunnel() -> None:
    first = f"{tunnel_name(ONE.id)} 10.99.0.1 10.2.1.5 {table_number('tgw-attach-2'):#x}\n"
    assert tunnels.lines((CONNECT,)).startswith(first)
    assert tunnels.lines((CONNECT,)).count("\n") == 2


def test_the_speaker_is_told_sessions_and_what_to_announce() -> None:
    text = speaking.configuration("tgw-1", 64512, (CONNECT,))
    four, six = (speaking.table(CONNECT.attachment, version) for version in (4, 6))
    assert f"protocol static s{four} {{\n  ipv4 {{ table {four}; }};\n  route 10.1.0.0/16 blackhole;\n}}" in text
    assert "route fd12::/48 blackhole { bgp_path.prepend(65010); bgp_path.prepend(65009); };" in text
    assert text.count("protocol bgp ") == 4
    assert text.count("  interface ") == 2  # of two sessions with one neighbour just one may name its device
    assert text.count(f"ipv6 {{ table {six}; import ") == 2  # only one of the tunnels has IPv6 in it
    assert "local 169.254.6.2 as 64512;\n  neighbor 169.254.6.1 as 65001;" in text
    # A change of one peer leaves the others' words as they are.
    less = speaking.configuration("tgw-1", 64512, (msgspec.structs.replace(CONNECT, peers=(TWO,)),))
    assert set(less.splitlines()) < set(text.splitlines())


def test_what_the_speaker_says_is_understood() -> None:
    first, second = (speaking.session(ONE.id, n) for n in (0, 1))
    shown = (
        "2002-Name       Proto      Table      State  Since         Info\n"
        "1002-device1    Device     ---        up     23:52:38.626  \n"
        f" {first}        BGP        ---        up     23:53:16.129  Established   \n"
        f" {second}        BGP        ---        start  23:53:16.257  Active        Socket: Connection refused\n"
        "0000 \n"
    )
    assert speaking.sessions(shown) == {first}
    routes = (
        "1007-Table t4:\n"
        " 10.2.0.0/16          blackhole [st4 23:52:38.626] * (200)\n"
        "1008-\tType: static univ\n"
        f"1007-10.50.0.0/16         unicast [{first} 23:53:16.256] * (100) [AS65001i]\n"
        " \tvia 169.254.6.1 on gre1\n"
        "1008-\tType: BGP univ\n"
        "1012-\tBGP.origin: IGP\n"
        " \tBGP.as_path: 65001 65002\n"
        " \tBGP.next_hop: 169.254.6.1\n"
        " \tBGP.med: 7\n"
        f"1007-                     unicast [{second} 23:53:16.299] (100) [AS65001i]\n"
        " \tvia 169.254.6.1 on gre1\n"
        "1012-\tBGP.as_path: 65001\n"
        "0000 \n"
    )
    told = speaking.routes(routes)
    assert [(name, one.block, one.path, one.discriminator) for name, one in told] == [
        ("st4", "10.2.0.0/16", (), 0),
        (first, "10.50.0.0/16", (65001, 65002), 7),
        (second, "10.50.0.0/16", (65001,), 0),
    ]
    assert speaking.heard((CONNECT,), {first}, told) == {
        ONE.id: PeerSeen(up=(True, False), learned=(Learned(block="10.50.0.0/16", path=(65001,)),)),
        TWO.id: PeerSeen(),
    }


def _gateway(*peers: str) -> TransitGateway:
    rows = (TransitRoute(destination="10.2.0.0/16", attachment="tgw-attach-2"),
            TransitRoute(destination="10.50.0.0/16", attachment="tgw-attach-c", peers=peers))  # fmt: skip
    return TransitGateway(
        id="tgw-1",
        associations=(TransitAssociation(attachment="tgw-attach-2", vpc="vpc-2", route_table="tgw-rtb-a"),
                      TransitAssociation(attachment="tgw-attach-c", vpc="", route_table="tgw-rtb-a")),
        route_tables=(TransitRouteTable(id="tgw-rtb-a", routes=rows),),
        connects=(CONNECT,),
    )  # fmt: skip


def test_tunnels_that_tell_the_same_share_a_route() -> None:
    plan = transit_plan(_gateway(ONE.id, TWO.id), HOST, {"tgw-attach-2", ONE.id, TWO.id})
    [way] = [w for w in plan.routes if w.target == "10.50.0.0/16"]
    assert (way.device, way.more, way.via) == (tunnel_name(ONE.id), (tunnel_name(TWO.id),), "")
    # Outer packets leave by the attachment that carries them; both tunnels' packets obey their attachment's table.
    [out] = [w for w in plan.routes if w.table == table_number("tgw-attach-2")]
    assert (out.target, out.device) == ("0.0.0.0/0", tunnel_name("tgw-attach-2"))
    assert out.table in plan.marks
    assert {key for key, _ in plan.rules.sets[0].elements} == {
        f'"{tunnel_name(key)}"' for key in ("tgw-attach-2", ONE.id, TWO.id)
    }


def test_what_a_tunnel_is_made_of_is_for_the_gateway_itself() -> None:
    own = [("10.2.1.5", "10.99.0.1"), ("169.254.6.1", "169.254.6.3"), ("fd00::1", "fd00::2")]
    others = [("10.2.1.5", "10.99.0.2"), ("10.2.1.9", "10.99.0.1"), ("10.2.1.5", "10.1.1.5")]
    assert [tunnels.ends_here((CONNECT,), *both) for both in (*own, *others)] == [True] * 3 + [False] * 3


def test_a_tunnel_that_is_not_there_leads_nowhere() -> None:
    plan = transit_plan(_gateway(TWO.id), HOST, {"tgw-attach-2", ONE.id})
    [way] = [w for w in plan.routes if w.target == "10.50.0.0/16"]
    assert way.kind == "blackhole"
    assert [block for _, block in plan.holes] == ["10.50.0.0/16"]
