"""Transit gateways with real packets."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.planes.network.port import (
    NatGateway,
    Route,
    RouteTable,
    Subnet,
    TransitAssociation,
    TransitAttachment,
    TransitGateway,
    TransitRoute,
    TransitRouteTable,
    Vpc,
)
from tests.host.network.conftest import Host
from tests.planes.network.topology import ANYWHERE, OPEN, TO_INTERNET, eni

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
TO_TGW = Route(destination="10.0.0.0/8", kind="transit-gateway", target="tgw-1")


def spoke(n: int, *routes: Route) -> Vpc:
    """10.<n>.0.0/16 with one instance, attached as tgw-attach-<n>."""
    table = RouteTable(id=f"rtb-{n}", routes=routes or (TO_TGW,))
    subnet = Subnet(id=f"subnet-{n}", cidr=f"10.{n}.1.0/24", zone="us-east-1a", route_table=table.id)
    return Vpc(id=f"vpc-{n}", region="us-east-1", cidrs=(f"10.{n}.0.0/16",), subnets=(subnet,), route_tables=(table,),
               groups=(OPEN,), interfaces=(eni(n, subnet.id, f"10.{n}.1.5"),),
               transit_attachments=(TransitAttachment(id=f"tgw-attach-{n}", gateway="tgw-1", subnet=subnet.id),))


def joined(tables: dict[str, dict[str, int]], uses: dict[int, str]) -> TransitGateway:
    """Tables of {CIDR: spoke (0 = black hole)}, and which spoke's attachment uses which table."""
    return TransitGateway(
        id="tgw-1",
        associations=tuple(TransitAssociation(attachment=f"tgw-attach-{n}", vpc=f"vpc-{n}", route_table=t)
                           for n, t in uses.items()),
        route_tables=tuple(TransitRouteTable(id=t, routes=tuple(
            TransitRoute(destination=c, attachment=f"tgw-attach-{n}" if n else "") for c, n in rows.items()))
            for t, rows in tables.items()))


EVERYBODY = {f"10.{n}.0.0/16": n for n in (1, 2, 3)}


def test_attached_vpcs_meet_as_the_tables_say(host: Host) -> None:
    for n in (1, 2):
        host.net.apply(spoke(n))
    host.net.apply_transit(joined({"tgw-rtb-a": EVERYBODY}, {1: "tgw-rtb-a", 2: "tgw-rtb-a", 3: "tgw-rtb-a"}))
    host.net.apply(spoke(3))  # attached after its gateway was laid out
    for n in (1, 2, 3):
        host.listen(f"i-{n}", 80)
    assert host.seen_as("i-1", "10.2.1.5", 80) == "10.1.1.5"
    assert host.seen_as("i-1", "10.3.1.5", 80) == "10.1.1.5"
    assert host.seen_as("i-3", "10.2.1.5", 80) == "10.3.1.5"
    # Isolation: 1 and 2 see only 3.
    apart = joined({"tgw-rtb-a": {"10.3.0.0/16": 3}, "tgw-rtb-b": EVERYBODY},
                   {1: "tgw-rtb-a", 2: "tgw-rtb-a", 3: "tgw-rtb-b"})
    host.net.apply_transit(apart)
    assert [host.tcp("i-1", f"10.{n}.1.5", 80) for n in (2, 3)] == ["dropped", "open"]
    assert host.tcp("i-3", "10.1.1.5", 80) == "open"
    # A black hole is more specific.
    holed = {**EVERYBODY, "10.2.1.0/24": 0}
    host.net.apply_transit(joined({"tgw-rtb-a": holed}, dict.fromkeys((1, 2, 3), "tgw-rtb-a")))
    assert [host.tcp("i-1", f"10.{n}.1.5", 80) for n in (2, 3)] == ["dropped", "open"]
    # An attachment without a table is nowhere.
    host.net.apply_transit(joined({"tgw-rtb-a": EVERYBODY}, {1: "tgw-rtb-a", 2: ""}))
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    host.net.apply_transit(joined({"tgw-rtb-a": EVERYBODY}, dict.fromkeys((1, 2, 3), "tgw-rtb-a")))
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    host.net.apply(replace(spoke(2), transit_attachments=()))
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    host.net.remove_transit("tgw-1")
    assert host.tcp("i-1", "10.3.1.5", 80) == "dropped"


def test_one_way_out_for_all(host: Host) -> None:
    """A spoke without gateways goes out through the NAT gateway of another VPC."""
    default = Route(destination=ANYWHERE, kind="transit-gateway", target="tgw-1")
    hub = spoke(2, Route(destination=ANYWHERE, kind="nat-gateway", target="nat-1"), TO_TGW)
    public = Subnet(id="subnet-out", cidr="10.2.9.0/24", zone="us-east-1a", route_table="rtb-out")
    own = replace(eni(9, "subnet-out", "10.2.9.9", public=host.public(9), guest="nat-1"), groups=())
    world = eni(8, "subnet-out", "10.2.9.8", public=host.public(8))
    hub = replace(hub, subnets=(*hub.subnets, public), internet_gateway="igw-1",
                  route_tables=(*hub.route_tables, RouteTable(id="rtb-out", routes=(TO_INTERNET, TO_TGW))),
                  interfaces=(*hub.interfaces, own, world), nat_gateways=(NatGateway(id="nat-1", interface=own.id),))
    laid = spoke(1, default)
    for one in (laid, hub):
        host.net.apply(one)
    host.net.apply_transit(joined({"tgw-rtb-a": {**EVERYBODY, ANYWHERE: 2}}, {1: "tgw-rtb-a", 2: "tgw-rtb-a"}))
    host.listen("i-8", 80)
    assert host.net.reachable(laid.interfaces[0].id, host.public(8), "tcp", 80) == "open"
    assert host.seen_as("i-1", host.public(8), 80) == host.public(9)
    back = tuple(t if t.id != "rtb-out" else replace(t, routes=(TO_INTERNET,)) for t in hub.route_tables)
    host.net.apply(replace(hub, route_tables=back))
    assert host.net.reachable(laid.interfaces[0].id, host.public(8), "tcp", 80) == "dropped"
    assert host.tcp("i-1", host.public(8), 80) == "dropped"


def test_it_counts_what_comes_leaves_and_is_lost(host: Host) -> None:
    tables = {"tgw-rtb-a": {"10.2.0.0/16": 2, "10.1.0.0/16": 1, "10.9.0.0/16": 0, "10.9.1.0/24": 2}}
    host.net.apply_transit(joined(tables, dict.fromkeys((1, 2), "tgw-rtb-a")))
    for n in (1, 2):
        host.net.apply(spoke(n))
    host.listen("i-2", 80)
    assert host.seen_as("i-1", "10.2.1.5", 80) == "10.1.1.5"
    quiet = host.net.transit_traffic("tgw-1")
    one, two = quiet["tgw-attach-1"], quiet["tgw-attach-2"]
    assert (one.blackhole_packets, one.no_route_packets) == (0, 0)
    assert two.bytes_out > two.packets_out >= 3
    assert one.packets_in >= two.packets_out
    for where in ("10.9.7.7", "10.7.7.7", "10.9.1.9"):
        assert host.tcp("i-1", where, 80) == "dropped"
    lost = host.net.transit_traffic("tgw-1")["tgw-attach-1"]
    assert lost.born == one.born
    assert lost.blackhole_bytes > lost.blackhole_packets >= 1  # 10.9.1.9 has a narrower route, to where nobody is
    assert lost.no_route_bytes > lost.no_route_packets >= 1
    came, gone = lost.packets_in - one.packets_in, lost.blackhole_packets + lost.no_route_packets
    assert came > gone
    assert host.net.transit_traffic("tgw-2") == {}


def test_it_counts_what_attachments_send_and_tells_flows_while_they_are_logged(host: Host) -> None:
    gateway = joined({"tgw-rtb-a": EVERYBODY}, dict.fromkeys((1, 2), "tgw-rtb-a"))
    host.net.apply_transit(gateway)
    for n in (1, 2):
        host.net.apply(spoke(n))
    host.listen("i-2", 80)
    assert host.seen_as("i-1", "10.2.1.5", 80) == "10.1.1.5"
    assert host.net.flows("tgw-1") == ()
    sent = host.net.carried("tgw-attach-1")
    assert sent is not None
    assert sent.amounts["sent"] >= 120
    host.net.apply_transit(replace(gateway, logged=True))
    still = host.net.carried("tgw-attach-1")
    assert still is not None
    assert still.born == sent.born  # it goes on where it was; the last words of the connection may have come meanwhile
    assert still.amounts["sent"] >= sent.amounts["sent"]
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    assert host.tcp("i-1", "10.9.1.5", 80) == "dropped"  # there is no way on
    told = host.net.flows("tgw-1")
    assert {(f.interface, f.source, f.target) for f in told if f.target_port == 80} == {
        ("tgw-attach-1", "10.1.1.5", "10.2.1.5"), ("tgw-attach-1", "10.1.1.5", "10.9.1.5"),
    }  # fmt: skip
    assert {f.interface for f in told if f.source_port == 80} == {"tgw-attach-2"}
    assert host.net.flows("tgw-1") == ()
    host.net.apply_transit(gateway)
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    assert host.net.flows("tgw-1") == ()


def test_a_later_process_finds_it_as_it_is(host: Host) -> None:
    gateway = joined({"tgw-rtb-a": EVERYBODY}, dict.fromkeys((1, 2), "tgw-rtb-a"))
    host.net.apply_transit(gateway)
    for n in (1, 2):
        host.net.apply(spoke(n))
    host.listen("i-2", 80)
    host.net.release()
    again = Host(host.state, tag=host.tag, pool=host.pool)
    for n in (1, 2):
        again.net.apply(spoke(n))
    again.net.apply_transit(gateway)
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    again.net.remove("vpc-2")
    assert again.net.vpcs() == ["vpc-1"]
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    again.net.remove_transit("tgw-1")
    again.close()


def peered(one: dict[str, str], other: dict[str, str]) -> tuple[TransitGateway, TransitGateway]:
    """Two gateways with a spoke each (1 and 2), and tables of {CIDR: attachment}."""
    def gateway(n: int, rows: dict[str, str]) -> TransitGateway:
        table = f"tgw-rtb-{n}"
        return TransitGateway(
            id=f"tgw-{n}",
            associations=(
                TransitAssociation(attachment=f"tgw-attach-{n}", vpc=f"vpc-{n}", route_table=table),
                TransitAssociation(attachment="tgw-attach-9", vpc="", peer=f"tgw-{3 - n}", route_table=table),
            ),
            route_tables=(TransitRouteTable(id=table, routes=tuple(
                TransitRoute(destination=c, attachment=a) for c, a in rows.items())),),
        )  # fmt: skip

    return gateway(1, one), gateway(2, other)


def test_peered_gateways_lead_on_as_their_tables_say(host: Host) -> None:
    here = {"10.1.0.0/16": "tgw-attach-1", "10.2.0.0/16": "tgw-attach-9"}
    there = {"10.2.0.0/16": "tgw-attach-2", "10.1.0.0/16": "tgw-attach-9"}
    one, other = peered(here, there)
    host.net.apply(spoke(1))
    way = (TransitAttachment(id="tgw-attach-2", gateway="tgw-2", subnet="subnet-2"),)
    to_other = Route(destination="10.0.0.0/8", kind="transit-gateway", target="tgw-2")
    host.net.apply(replace(spoke(2, to_other), transit_attachments=way))
    host.net.apply_transit(one)
    host.listen("i-2", 80)
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"  # the other gateway is not there yet
    host.net.apply_transit(other)
    eni_1 = spoke(1).interfaces[0].id
    assert host.seen_as("i-1", "10.2.1.5", 80) == "10.1.1.5"
    assert host.net.reachable(eni_1, "10.2.1.5", "tcp", 80) == "open"
    counted = host.net.carried("tgw-attach-1")
    assert counted is not None
    # No way back, then none there, then round and round.
    for rows in ({"10.2.0.0/16": "tgw-attach-2"}, {}, {"10.2.0.0/16": "tgw-attach-9", "10.1.0.0/16": "tgw-attach-9"}):
        host.net.apply_transit(peered(here, rows)[1])
        assert host.net.reachable(eni_1, "10.2.1.5", "tcp", 80) == "dropped"
        assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    host.net.release()
    again = Host(host.state, tag=host.tag, pool=host.pool)
    for gateway in (other, one):
        again.net.apply_transit(gateway)
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    again.net.apply_transit(replace(one, associations=one.associations[:1]))
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    again.net.apply_transit(one)
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    again.net.remove_transit("tgw-2")
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    again.net.close()
