"""What is beyond a VPC, after deaths, meddling and many at once: the next start makes it whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from cloudjar.planes.network import layout, namespaces
from cloudjar.planes.network.leaks import leaks
from cloudjar.planes.network.linux import LinuxNetwork
from cloudjar.planes.network.netlink import Netlink
from cloudjar.planes.network.plan import plan
from cloudjar.planes.network.port import Endpoint, NatGateway, Peering, Route, RouteTable, Subnet, Vpc
from tests.host.network.conftest import Doors, Host, Metadata
from tests.host.network.test_beyond import side
from tests.host.network.test_converging import crash, held
from tests.host.network.test_ipv6 import OPEN6, at, block
from tests.host.network.test_transit import EVERYBODY, joined, spoke
from tests.planes.network.topology import ANYWHERE, eni

pytestmark = pytest.mark.host
replace = msgspec.structs.replace


def full(host: Host, n: int, other: int, *, narrow: bool = False) -> Vpc:
    """VPC n with a NAT gateway, a peering, a transit attachment, a gateway endpoint and both families."""
    base = spoke(n)
    own = replace(eni(n * 10, base.subnets[0].id, f"10.{n}.1.9", guest=f"nat-{n}"), groups=())
    peering = Peering(id="pcx-1", vpc=f"vpc-{other}", cidrs=(f"10.{other}.0.0/16",))
    routes = (Route(destination=ANYWHERE, kind="nat-gateway", target=f"nat-{n}"),
              Route(destination="::/0", kind="internet-gateway", target="igw-1"),
              Route(destination=f"10.{other}.0.0/16", kind="peering", target="pcx-1"),
              Route(destination="198.51.100.0/28", kind="endpoint", target=f"vpce-{n}"),
              Route(destination="10.0.0.0/8", kind="transit-gateway", target="tgw-1"))
    subnet: Subnet = replace(base.subnets[0], ipv6_cidr=block(host, n).replace("00::/56", "01::/64"))
    app = replace(base.interfaces[0], ipv6=(at(host, n, 1, 5),))
    laid = replace(
        base, subnets=(subnet,), ipv6_cidrs=(block(host, n),), internet_gateway="igw-1", interfaces=(app, own),
        nat_gateways=(NatGateway(id=f"nat-{n}", interface=own.id),), peerings=(peering,), groups=(OPEN6,),
        endpoints=(Endpoint(id=f"vpce-{n}", kind="gateway"),),
        route_tables=(RouteTable(id=f"rtb-{n}", routes=routes),))
    return replace(laid, peerings=(), endpoints=(), nat_gateways=(), interfaces=(app,)) if narrow else laid


def plane(host: Host) -> LinuxNetwork:
    """Another process's plane on the same state."""
    return LinuxNetwork(host.tag, host.pool, host.state, None, Metadata(), endpoints=Doors())


def whole(host: Host, wanted: Vpc) -> None:
    """The kernel holds the plan; what is inside guests is only ever written, so not looked at."""
    expected = layout.wanted_layout(plan(wanted, host.net.site))
    expected.guests6, expected.translations, expected.sixes = set(), set(), set()
    assert held(host, wanted.id)[0] == expected


@pytest.mark.slow
def test_a_kill_between_steps_is_mended(host: Host) -> None:
    """Dies after step 0, 11, 22, ... until the whole story gets through; each time the next start mends it."""
    pair = [full(host, 1, 2), full(host, 2, 1)]
    story = [*pair, full(host, 1, 2, narrow=True), full(host, 1, 2)]
    steps, deaths = 0, 0
    while crash(host, steps, story, "remove"):
        deaths += 1
        host.net = plane(host)
        host.net.apply_transit(joined({"tgw-rtb-a": EVERYBODY}, dict.fromkeys((1, 2), "tgw-rtb-a")))
        for one in reversed(pair):
            host.net.apply(one)
        for one in pair:
            whole(host, one)
        host.listen("i-2", 80)
        host.listen6("i-2", 80)
        assert host.tcp("i-1", "10.2.1.5", 80) == "open"
        assert host.tcp("i-1", at(host, 2, 1, 5), 80) == "open"
        host.net.close()
        assert leaks(host.tag) == []
        steps += 11
    assert deaths > 20


def test_meddling_with_tunnels_is_mended_at_the_next_start(host: Host) -> None:
    for laid in (side(1, 2), side(2, 1)):
        host.net.apply(laid)
    host.net.release()

    def meddle() -> None:
        with Netlink() as kernel:
            kernel.delete_link(next(k.name for k in kernel.links() if k.name.startswith("pcx-")))

    namespaces.inside(host.namespace("vpc-1"), meddle)
    namespaces.delete(host.net.site.hub_namespace("pcx-12"))
    host.net = plane(host)
    for laid in (side(1, 2), side(2, 1)):
        host.net.apply(laid)
    host.listen("i-2", 80)
    assert host.tcp("i-1", "10.2.1.5", 80) == "open"


def test_many_threads_join_and_part(host: Host) -> None:
    """A full mesh of four, laid out and taken away by many threads in any order."""
    mesh = [side(n, *(o for o in (1, 2, 3, 4) if o != n)) for n in (1, 2, 3, 4)]
    alone = [replace(m, peerings=()) for m in mesh]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(host.net.apply, [*mesh, *alone, *mesh, *alone, *mesh]))
    for m in mesh:
        host.net.apply(m)
    for n in (1, 2, 3, 4):
        host.listen(f"i-{n}", 80)
    assert {host.tcp(f"i-{n}", f"10.{o}.1.5", 80) for n in (1, 2, 3, 4) for o in (1, 2, 3, 4) if o != n} == {"open"}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(host.net.remove, host.net.vpcs()))
    assert namespaces.names(host.net.site.prefix) == []
