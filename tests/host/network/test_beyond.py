"""What is beyond a VPC, with real packets: NAT gateways, peering, prefix lists."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.planes.network.port import (
    NatGateway,
    NatTraffic,
    PeerGroup,
    Peering,
    PrefixList,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Vpc,
)
from tests.host.network.conftest import Host, Open
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

pytestmark = pytest.mark.host
replace = msgspec.structs.replace
NAT_ROUTE = Route(destination=ANYWHERE, kind="nat-gateway", target="nat-1")
WITH_NAT = (RouteTable(id="rtb-public", routes=(TO_INTERNET,)), RouteTable(id="rtb-private", routes=(NAT_ROUTE,)))


def nat(host: Host, *, subnet: str = "subnet-public", address: str = "10.0.1.9", public: str = "") -> Vpc:
    """A VPC with a NAT gateway, an instance behind it, and one in public that the world would ask."""
    own = replace(eni(9, subnet, address, public=public or host.public(9), guest="nat-1"), groups=())
    return replace(
        vpc(own, eni(2, "subnet-private", "10.0.2.5"), eni(3, "subnet-public", "10.0.1.7", public=host.public(7)),
            tables=WITH_NAT),
        nat_gateways=(NatGateway(id="nat-1", interface=own.id),))


def test_a_nat_gateway_lets_out_under_its_own_public_address_and_counts(host: Host) -> None:
    laid = nat(host)
    host.net.apply(laid)
    assert host.net.nat_traffic("nat-1") == NatTraffic()
    host.listen("i-3", 80)
    assert host.seen_as("i-2", host.public(7), 80) == host.public(9)
    traffic = host.net.nat_traffic("nat-1")
    assert traffic.packets_out >= 3
    assert traffic.packets_in >= 2
    assert traffic.bytes_out > 100 < traffic.bytes_in
    assert traffic.connections >= 1
    assert host.net.nat_traffic("nat-2") == NatTraffic()
    assert host.net.reachable(laid.interfaces[1].id, host.public(7), "tcp", 80) == "open"


def test_a_nat_gateway_uses_its_addresses_in_turn_and_drains_one_that_goes(host: Host) -> None:
    laid = nat(host)
    pairs = (("10.0.1.9", host.public(9)), ("10.0.1.10", host.public(10)))
    own = replace(laid.interfaces[0], private=pairs)

    def with_addresses(*own_ones: str) -> Vpc:
        return replace(laid, interfaces=(own, *laid.interfaces[1:]),
                       nat_gateways=(NatGateway(id="nat-1", interface=own.id, addresses=own_ones),))

    host.net.apply(with_addresses("10.0.1.9", "10.0.1.10"))
    host.listen("i-3", 80)
    assert {host.seen_as("i-2", host.public(7), 80) for _ in range(2)} == {host.public(9), host.public(10)}
    with host.connect("i-2", host.public(7), 80) as one, host.connect("i-2", host.public(7), 80) as other:
        before = host.net.nat_traffic("nat-1").packets_out
        host.net.apply(with_addresses("10.0.1.10"))
        assert {_asked(one), _asked(other)} == {host.public(9), host.public(10)}
        assert {host.seen_as("i-2", host.public(7), 80) for _ in range(3)} == {host.public(10)}
    assert host.net.nat_traffic("nat-1").packets_out > before  # the counters are the same ones
    assert host.net.reachable(laid.interfaces[1].id, host.public(7), "tcp", 80) == "open"


def _asked(connection: Open) -> str:
    connection.sendall(b"?")
    return connection.recv(64).decode()


def test_nobody_comes_in_through_a_nat_gateway(host: Host) -> None:
    host.net.apply(nat(host))
    host.listen("i-2", 80)
    assert host.tcp("", host.public(9), 80) == "dropped"
    assert host.tcp("i-3", "10.0.1.9", 80) == "dropped"
    assert host.tcp("i-3", "10.0.2.5", 80) == "open"


def test_a_nat_gateway_is_no_better_than_its_own_subnet(host: Host) -> None:
    lost = nat(host, subnet="subnet-private", address="10.0.2.9")
    host.net.apply(lost)  # its own default route leads back to itself
    host.listen("i-3", 80)
    assert host.tcp("i-2", host.public(7), 80) == "dropped"
    assert host.net.reachable(lost.interfaces[1].id, host.public(7), "tcp", 80) == "dropped"
    laid = nat(host)
    private = replace(laid.interfaces[0], private=(("10.0.1.9", ""),))
    host.net.apply(replace(laid, interfaces=(private, *laid.interfaces[1:])))  # no Elastic IP
    assert host.tcp("i-2", host.public(7), 80) == "dropped"
    host.net.apply(laid)
    assert host.tcp("i-2", host.public(7), 80) == "open"
    host.net.apply(replace(laid, internet_gateway=""))
    assert host.tcp("i-2", host.public(7), 80) == "dropped"


def test_a_nat_gateways_network_acl_needs_both_legs(host: Host) -> None:
    both = [(10, "in", True, "tcp", 80, 80, "10.0.2.0/24"), (10, "out", True, "tcp", 80, 80, ANYWHERE),
            (20, "in", True, "tcp", 1024, 65535, ANYWHERE), (20, "out", True, "tcp", 1024, 65535, "10.0.2.0/24")]
    # The server must be elsewhere: inside the gateway's own subnet its ACL has no say.
    other = vpc(eni(4, "subnet-public", "10.0.1.7", public=host.public(8)), name="vpc-2")
    host.net.apply(other)
    host.listen("i-4", 80)
    for missing in (None, 0, 1, 2, 3):
        entries = [e for n, e in enumerate(both) if n != missing]
        laid = replace(nat(host), acls=(acl("acl-1", *entries),),
                       subnets=(replace(PUBLIC, network_acl="acl-1"), PRIVATE))
        host.net.apply(laid)
        assert host.tcp("i-2", host.public(8), 80) == ("open" if missing is None else "dropped"), missing


def test_a_nat_gateway_goes_and_routes_to_it_are_black_holes(host: Host) -> None:
    laid = nat(host)
    host.net.apply(laid)
    host.listen("i-3", 80)
    host.net.apply(replace(laid, nat_gateways=(), interfaces=laid.interfaces[1:]))
    assert host.tcp("i-2", host.public(7), 80) == "dropped"
    assert host.net.guests() == ["i-2", "i-3"]
    assert host.net.nat_traffic("nat-1") == NatTraffic()


def side(
    number: int, other: int, *peerings: int, groups: tuple[SecurityGroup, ...] = (OPEN,),
    peer_groups: tuple[PeerGroup, ...] = (),
) -> Vpc:
    """VPC `number` with 10.<number>.0.0/16 and one instance, peered with `other` (and with `peerings`)."""
    others = (other, *peerings)
    ids = {o: f"pcx-{min(number, o)}{max(number, o)}" for o in others}
    table = RouteTable(id=f"rtb-{number}", routes=tuple(
        Route(destination=f"10.{o}.0.0/16", kind="peering", target=ids[o]) for o in others))
    subnet = Subnet(id=f"subnet-{number}", cidr=f"10.{number}.1.0/24", zone="us-east-1a", route_table=table.id)
    return Vpc(
        id=f"vpc-{number}", region="us-east-1", cidrs=(f"10.{number}.0.0/16",), subnets=(subnet,),
        route_tables=(table,), groups=groups, peer_groups=peer_groups,
        interfaces=(eni(number, subnet.id, f"10.{number}.1.5"),),
        peerings=tuple(Peering(id=ids[o], vpc=f"vpc-{o}", cidrs=(f"10.{o}.0.0/16",)) for o in others))


def test_peered_vpcs_meet_under_private_addresses(host: Host) -> None:
    host.net.apply(side(1, 2))
    host.listen("i-1", 80)
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"  # the other side is not there yet
    host.net.apply(side(2, 1))
    host.listen("i-2", 80)
    assert host.seen_as("i-1", "10.2.1.5", 80) == "10.1.1.5"
    assert host.seen_as("i-2", "10.1.1.5", 80) == "10.2.1.5"
    host.net.apply(replace(side(2, 1), route_tables=(RouteTable(id="rtb-2"),)))
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"  # no way back
    host.net.apply(side(2, 1))
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    host.net.apply(replace(side(2, 1), peerings=()))
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    host.net.apply(side(2, 1))
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    host.net.remove("vpc-2")
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    host.net.apply(side(2, 1))
    host.listen("i-2", 80)
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"


def test_peering_is_not_transitive(host: Host) -> None:
    """1 - 2 - 3, with every route that could be wished for."""
    sides = {1: side(1, 2), 2: side(2, 1, 3), 3: side(3, 2)}
    for n, beyond in ((1, "10.3.0.0/16"), (3, "10.1.0.0/16")):
        table = sides[n].route_tables[0]
        via = sides[n].peerings[0].id
        more = Route(destination=beyond, kind="peering", target=via)
        sides[n] = replace(sides[n], route_tables=(replace(table, routes=(*table.routes, more)),))
    for laid in sides.values():
        host.net.apply(laid)
    for n in sides:
        host.listen(f"i-{n}", 80)
    assert [host.tcp("i-1", f"10.{n}.1.5", 80) for n in (2, 3)] == ["open", "dropped"]
    assert [host.tcp("i-3", f"10.{n}.1.5", 80) for n in (2, 1)] == ["open", "dropped"]
    assert host.net.reachable(sides[1].interfaces[0].id, "10.3.1.5", "tcp", 80) == "dropped"


def test_a_rule_may_name_a_group_of_the_other_side(host: Host) -> None:
    asks = group("sg-open", allow("tcp", 80, "sg-theirs"))
    known = PeerGroup(id="sg-theirs", members=("10.2.1.5",))
    host.net.apply(side(2, 1))
    host.net.apply(side(1, 2, groups=(asks,), peer_groups=(known,)))
    host.listen("i-1", 80)
    assert host.tcp("i-2", "10.1.1.5", 80) == "open"
    host.net.apply(side(1, 2, groups=(asks,), peer_groups=(replace(known, members=("10.2.1.6",)),)))
    assert host.tcp("i-2", "10.1.1.5", 80) == "dropped"


def test_a_later_process_finds_peerings_and_nat_gateways_as_they_are(host: Host) -> None:
    host.net.apply(side(1, 2))
    host.net.apply(side(2, 1))
    laid = nat(host)
    behind = replace(laid, id="vpc-9", interfaces=(laid.interfaces[0], replace(laid.interfaces[1], guest="i-7")))
    host.net.apply(behind)
    host.listen("i-2", 80)
    assert host.tcp("i-7", "198.51.100.1", 80, wait=0.1) != "refused"
    counted = host.net.nat_traffic("nat-1")
    assert counted.packets_out >= 1
    host.net.release()
    again = Host(host.state, tag=host.tag, pool=host.pool)
    for one in (side(1, 2), side(2, 1), behind):
        again.net.apply(one)
    assert again.net.nat_traffic("nat-1").packets_out >= counted.packets_out
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"
    again.net.apply(replace(side(1, 2), peerings=()))
    assert host.tcp("i-1", "10.2.1.5", 80) == "dropped"
    again.close()
    assert again.net.guests() == again.net.vpcs() == []


def test_prefix_lists_in_rules_and_routes(host: Host) -> None:
    known = PrefixList(id="pl-1", cidrs=("10.0.2.0/25", "10.0.2.0/24", f"{host.net.host_address}/32"))
    asks = group("sg-web", allow("tcp", 80, "pl-1"))
    laid = replace(vpc(eni(1, "subnet-public", "10.0.1.5", "sg-web", public=host.public(5)),
                       eni(2, "subnet-private", "10.0.2.200"), eni(3, "subnet-public", "10.0.1.6"),
                       groups=(OPEN, asks)), prefix_lists=(known,))
    host.net.apply(laid)
    host.listen("i-1", 80)
    assert [host.tcp(g, "10.0.1.5", 80) for g in ("i-2", "i-3")] == ["open", "dropped"]
    assert host.tcp("", host.public(5), 80) == "open"
    host.net.apply(replace(laid, prefix_lists=(replace(known, cidrs=("10.0.1.0/24", "10.0.2.0/26")),)))
    assert [host.tcp(g, "10.0.1.5", 80) for g in ("i-2", "i-3")] == ["dropped", "open"]
    by_list = (Route(destination="pl-1", kind="internet-gateway", target="igw-1"),)
    laid = replace(laid, route_tables=(RouteTable(id="rtb-public", routes=by_list), RouteTable(id="rtb-private")))
    host.net.apply(laid)
    assert host.tcp("", host.public(5), 80) == "open"
    host.net.apply(replace(laid, prefix_lists=(replace(known, cidrs=("10.0.0.0/16",)),)))
    assert host.tcp("", host.public(5), 80) == "dropped"
