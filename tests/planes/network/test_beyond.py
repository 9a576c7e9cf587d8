"""What is beyond a VPC, by the plan alone: routes, tunnels, filters and the reasons that `reach` gives."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import flowlog
from cloudjar.planes.network.plan import plan, show
from cloudjar.planes.network.port import (
    Endpoint,
    Interface,
    NatGateway,
    PeerGroup,
    Peering,
    PrefixList,
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
from cloudjar.planes.network.reach import World, reach
from cloudjar.planes.network.routing import route_for
from cloudjar.planes.network.site import any_address, site
from cloudjar.planes.network.steps import Answer
from cloudjar.planes.network.transit import onward, transit_plan
from tests.planes.network.test_plan import kept
from tests.planes.network.topology import ANYWHERE, OPEN, PRIVATE, PUBLIC, TO_INTERNET, allow, eni, group, vpc

SITE = site("test", "198.18.0.0/16")
BLOCK = SITE.pool6.replace("::/40", ":0:100::/56")
replace = msgspec.structs.replace


def six(subnet: int, host: int) -> str:
    return BLOCK.replace("100::/56", f"10{subnet}::{host}")


def everything() -> Vpc:
    """One of each: the picture that the snapshot keeps."""
    nat = replace(eni(9, "subnet-public", "10.0.1.9", public="198.18.0.9", guest="nat-1"), groups=())
    app = replace(eni(1, "subnet-private", "10.0.2.5", "sg-app"), ipv6=(six(2, 5),), logged=True)
    app_group = group("sg-app", allow("tcp", 80, "pl-1"), allow("tcp", 22, "sg-theirs"),
                      allow("icmpv6", 128, "::/0", to=-1))
    private = tuple(Route(destination=d, kind=k, target=t) for d, k, t in (  # type: ignore[arg-type] # kinds
        (ANYWHERE, "nat-gateway", "nat-1"), ("::/0", "egress-only-gateway", "eigw-1"),
        ("10.9.0.0/16", "peering", "pcx-1"), ("10.8.0.0/16", "transit-gateway", "tgw-1"),
        ("pl-s3", "endpoint", "vpce-1")))
    return replace(
        vpc(nat, app, groups=(OPEN, app_group),
            subnets=(replace(PUBLIC, ipv6_cidr=BLOCK.replace("100::/56", "101::/64")),
                     replace(PRIVATE, ipv6_cidr=BLOCK.replace("100::/56", "102::/64"))),
            tables=(RouteTable(id="rtb-public", routes=(TO_INTERNET,)), RouteTable(id="rtb-private", routes=private))),
        ipv6_cidrs=(BLOCK,), egress_only_gateway="eigw-1", nat_gateways=(NatGateway(id="nat-1", interface=nat.id),),
        peerings=(Peering(id="pcx-1", vpc="vpc-9", cidrs=("10.9.0.0/16",)),),
        peer_groups=(PeerGroup(id="sg-theirs", members=("10.9.1.5",)),),
        prefix_lists=(PrefixList(id="pl-1", cidrs=("10.7.0.0/17", "10.7.128.0/17")),
                      PrefixList(id="pl-s3", cidrs=("198.51.100.0/28",))),
        endpoints=(Endpoint(id="vpce-1", kind="gateway"),),
        transit_attachments=(TransitAttachment(id="tgw-attach-1", gateway="tgw-1", subnet="subnet-private"),))


def test_one_of_everything() -> None:
    kept("everything", show(plan(everything(), SITE)))


@pytest.mark.parametrize(("broken", "words"), [
    (replace(everything(), ipv6_cidrs=("2001:db8::/56",)), "not one of this installation's pool"),
    (replace(everything(), ipv6_cidrs=(SITE.pool6.replace("::/40", ":ff:ff00::/56"),)), "the installation's own"),
    (replace(everything(), nat_gateways=(NatGateway(id="nat-1", interface="eni-gone"),)), "nat-1 has an interface"),
    (replace(everything(), endpoints=(Endpoint(id="vpce-1", kind="interface", interfaces=("eni-gone",)),)),
     "vpce-1 has"),
    (replace(everything(), peerings=(Peering(id="pcx-1", vpc="vpc-2", cidrs=("10.0.128.0/17",)),)), "same addresses"),
    (replace(everything(), peerings=(Peering(id="pcx-../1", vpc="vpc-2", cidrs=()),)), "cannot name"),
    (replace(everything(), peerings=(Peering(id="vpc-7", vpc="vpc-2", cidrs=()),)), "not the id of a peering"),
    (vpc(eni(1, "subnet-public", "10.0.1.5", guest="pcx-1")), "cannot be the name of a guest"),
    (vpc(eni(1, "subnet-public", "10.0.1.5", guest="edge6")), "cannot be the name of a guest"),
    (vpc(replace(eni(1, "subnet-public", "10.0.1.5"), ipv6=("fd00::1",))), "has no IPv6 block"),
])
def test_what_contradicts_itself_is_refused(broken: Vpc, words: str) -> None:
    with pytest.raises(PlaneError, match=words):
        plan(broken, SITE)


def test_a_route_of_ones_own_comes_before_a_prefix_lists_and_the_longest_before_all() -> None:
    lists = (PrefixList(id="pl-1", cidrs=("172.16.0.0/16", "172.17.0.0/16")),)
    table = RouteTable(id="rtb-public", routes=(
        Route(destination="172.16.0.0/16", kind="internet-gateway", target="igw-1"),
        Route(destination="pl-1", kind="peering", target="pcx-1"),
        Route(destination="172.17.1.0/24", kind="blackhole")))
    laid = replace(vpc(tables=(table,)), prefix_lists=lists,
                   peerings=(Peering(id="pcx-1", vpc="vpc-9", cidrs=("172.16.0.0/12",)),))

    def kind(target: str) -> str:
        route = route_for(laid, PUBLIC, any_address(target))
        return route.kind if route else ""

    assert [kind(t) for t in ("10.0.9.9", "172.16.0.1", "172.17.0.1", "172.17.1.1", "9.9.9.9", "2001:db8::1")] \
        == ["local", "internet-gateway", "peering", "", "", ""]
    assert route_for(replace(laid, peerings=()), PUBLIC, any_address("172.17.0.1")) is None


def ask(world: World, source: Interface, target: str, port: int = 80) -> Answer:
    return reach(world, source.id, target, "tcp", port)


def test_reach_says_why_a_nat_gateway_does_not_help() -> None:
    laid = everything()
    app, world = laid.interfaces[1], World(site=SITE, vpcs=(laid,))
    assert ask(world, app, "1.1.1.1").path[-1] == "1.1.1.1 is on the Internet, outside of this installation"
    assert f"the NAT gateway at {laid.interfaces[0].id} translates 10.0.2.5 to 10.0.1.9" \
        in ask(world, app, "1.1.1.1").path
    no_address = replace(laid, interfaces=(replace(laid.interfaces[0], private=(("10.0.1.9", ""),)), app))
    assert ask(World(site=SITE, vpcs=(no_address,)), app, "1.1.1.1").path[-1] \
        == "10.0.1.9 has no public address, so igw-1 drops it"
    no_way = replace(laid, route_tables=(RouteTable(id="rtb-public"), laid.route_tables[1]))
    assert ask(World(site=SITE, vpcs=(no_way,)), app, "1.1.1.1").path[-1] == "rtb-public has no route to 1.1.1.1"
    assert reach(world, "internet", "198.18.0.9", "tcp", 80).path[-1] \
        == f"{laid.interfaces[0].id} is a NAT gateway's: it answers nobody"


def far(*routes: Route) -> Vpc:
    """vpc-9 at the other end of pcx-1 and of tgw-1."""
    table = RouteTable(id="rtb-9", routes=routes)
    subnet = Subnet(id="subnet-9", cidr="10.9.1.0/24", zone="us-east-1a", route_table="rtb-9")
    return Vpc(id="vpc-9", region="us-east-1", cidrs=("10.9.0.0/16",), subnets=(subnet,), route_tables=(table,),
               groups=(OPEN,), interfaces=(eni(90, "subnet-9", "10.9.1.5"),),
               peerings=(Peering(id="pcx-1", vpc="vpc-1", cidrs=("10.0.0.0/16",)),),
               transit_attachments=(TransitAttachment(id="tgw-attach-9", gateway="tgw-1", subnet="subnet-9"),))


HOME = Route(destination="10.0.0.0/16", kind="peering", target="pcx-1")
JOINED = TransitGateway(
    id="tgw-1", route_tables=(TransitRouteTable(id="tgw-rtb-1", routes=(
        TransitRoute(destination="10.0.0.0/16", attachment="tgw-attach-1"),
        TransitRoute(destination="10.8.0.0/15", attachment="tgw-attach-9"), TransitRoute(destination="10.9.7.0/24"))),),
    associations=tuple(TransitAssociation(attachment=f"tgw-attach-{n}", vpc=f"vpc-{n}", route_table="tgw-rtb-1")
                       for n in (1, 9)))


def test_reach_follows_peerings_there_and_back() -> None:
    laid = everything()
    app = laid.interfaces[1]
    assert ask(World(site=SITE, vpcs=(laid, far(HOME))), app, "10.9.1.5").status == "open"
    assert ask(World(site=SITE, vpcs=(laid, far())), app, "10.9.1.5").path[-1] == "rtb-9 has no route back to 10.0.2.5"
    assert ask(World(site=SITE, vpcs=(laid,)), app, "10.9.1.5").path[-1] == "pcx-1 has no other side"
    assert ask(World(site=SITE, vpcs=(laid, far(HOME))), app, "10.9.1.6").path[-1] \
        == "nothing in vpc-9 has the address 10.9.1.6"
    by_transit = Route(destination="10.0.0.0/16", kind="transit-gateway", target="tgw-1")
    crooked = World(site=SITE, vpcs=(laid, far(by_transit)), transits=(JOINED,))
    assert ask(crooked, app, "10.9.1.5").status == "open"  # the answer may take another way


def test_a_transit_gateway_is_what_its_tables_say() -> None:
    assert [a.vpc if (a := onward(JOINED, "tgw-attach-1", any_address(t))) else "" for t in
            ("10.9.1.5", "10.9.7.1", "10.0.1.1", "9.9.9.9")] == ["vpc-9", "", "vpc-1", ""]
    assert onward(JOINED, "tgw-attach-7", any_address("10.9.1.5")) is None
    text = [f"{r.target} {r.device or r.kind}" for r in transit_plan(JOINED, SITE, {"tgw-attach-1"}).routes]
    assert text == ["0.0.0.0/0 blackhole", "::/0 blackhole", f"10.0.0.0/16 {plan(everything(), SITE).tunnels[1].name}",
                    "10.8.0.0/15 blackhole", "10.9.7.0/24 blackhole"]


def test_a_tally_tells_what_is_new_and_survives_what_the_kernel_forgets() -> None:
    tally, name = flowlog.Tally(), "flows-accept-ingress-tcp4"

    def told(packets: int, size: int, link: str = "eni-a") -> list[int]:
        fields = [link, "10.0.0.1", "10.0.0.2", 4000, 80]
        listed = {name: [{"val": {"concat": fields}, "counter": {"packets": packets, "bytes": size}}]}
        return [n for f in tally.flows(listed, {"eni-a": "eni-1"}) for n in (f.packets, f.bytes)]

    assert told(3, 180) == [3, 180]
    assert told(3, 180) == []
    assert told(5, 300) == [2, 120]
    assert told(1, 60) == [1, 60]
    assert told(9, 540, "eni-b") == []  # not logged any more


def test_a_nat_gateway_has_ipv6_only_of_the_prefix_that_it_translates() -> None:
    def led(*destinations: str) -> Vpc:
        six = tuple(Route(destination=d, kind="nat-gateway", target="nat-1") for d in destinations)
        laid = everything()
        return replace(laid, route_tables=tuple(
            replace(t, routes=(*(r for r in t.routes if ":" not in r.destination), *six)) for t in laid.route_tables))

    for elsewhere in ("::/0", "64:ff9b::/64", "2001:db8::/32"):
        wanted = plan(led(elsewhere), SITE)
        assert not any(link.sixfour for link in wanted.links)
        assert all(way.kind == "blackhole" for way in wanted.routes if way.target == elsewhere)
    wanted = plan(led("64:ff9b::/96", "64:ff9b::c000:200/120"), SITE)
    [link] = [link for link in wanted.links if link.sixfour]
    assert (link.role, link.guest) == ("nat", "nat-1")
    ways = {(way.target, way.device, way.via) for way in wanted.routes if way.target.startswith("64:")}
    assert ways == {(d, link.name, "fe80::64") for d in ("64:ff9b::/96", "64:ff9b::c000:200/120")}
    assert [n.mac for n in wanted.neighbours if n.address == "fe80::64"] == [link.mac]


def test_reach_follows_what_a_nat_gateway_translates() -> None:
    laid = everything()
    way = Route(destination="64:ff9b::/96", kind="nat-gateway", target="nat-1")
    laid = replace(laid, groups=(OPEN, group("sg-app", out=(allow("-1", -1, "::/0", direction="egress"),))))
    tables = tuple(replace(t, routes=(*t.routes, way)) for t in laid.route_tables)
    world = World(site=SITE, vpcs=(replace(laid, route_tables=tables),))
    [app] = [i for i in laid.interfaces if i.ipv6]
    assert reach(world, app.id, "64:ff9b::101:101", "tcp", 443).status == "open"
    assert reach(World(site=SITE, vpcs=(laid,)), app.id, "64:ff9b::101:101", "tcp", 443).status == "dropped"
