"""VPC endpoints, with real connections: the API inside a VPC, which knows by which of them a caller came."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.port import Endpoint, PrefixList, Route, RouteTable, Vpc
from tests.host.network.conftest import Host
from tests.planes.network.topology import OPEN, PRIVATE, PUBLIC, acl, allow, eni, group, vpc

pytestmark = pytest.mark.host
replace = msgspec.structs.replace


def hush(host: Host, endpoint: str) -> None:
    """Before an endpoint goes: a closed socket cannot be watched."""
    for s in host.doors.open[endpoint]:
        host.echo.selector.unregister(s)


def serve(host: Host, endpoint: str) -> None:
    for s in host.doors.open[endpoint]:
        host.echo.add(s)


def with_interface_endpoint(host: Host, *groups: str) -> Vpc:
    door = eni(9, "subnet-private", "10.0.2.9", *groups, guest="eni-door")
    laid = vpc(door, eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5"),
               groups=(OPEN, group("sg-door", allow("tcp", 443, "10.0.1.0/24"))))
    return replace(laid, endpoints=(Endpoint(id="vpce-1", kind="interface", interfaces=(door.id,)),))


def test_an_interface_endpoint_is_an_interface_with_groups(host: Host) -> None:
    host.net.apply(with_interface_endpoint(host, "sg-door"))
    serve(host, "vpce-1")
    assert host.doors.vpcs == {"vpce-1": "vpc-1"}
    assert host.seen_as("i-1", "10.0.2.9", 443) == "10.0.1.5"
    assert host.tcp("i-1", "10.0.2.9", 80) == "dropped"
    assert host.tcp("i-2", "10.0.2.9", 443) == "dropped"
    host.net.apply(with_interface_endpoint(host, "sg-open"))
    assert host.seen_as("i-2", "10.0.2.9", 80) == "10.0.2.5"
    gone = replace(with_interface_endpoint(host), endpoints=(), interfaces=with_interface_endpoint(host).interfaces[1:])
    hush(host, "vpce-1")
    host.net.apply(gone)
    assert host.doors.open == {}
    assert host.tcp("i-2", "10.0.2.9", 80) == "dropped"


def with_gateway_endpoint(*entries: tuple[int, str, bool, str, int, int, str]) -> Vpc:
    route = Route(destination="pl-s3", kind="endpoint", target="vpce-2")
    laid = vpc(eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5", "sg-s3"),
               groups=(OPEN, group("sg-s3", out=(allow("tcp", 443, "pl-s3", direction="egress"),))),
               tables=(RouteTable(id="rtb-public"), RouteTable(id="rtb-private", routes=(route,))), gateway="",
               acls=(acl("acl-1", *entries),) if entries else (),
               subnets=(PUBLIC, replace(PRIVATE, network_acl="acl-1") if entries else PRIVATE))
    return replace(laid, endpoints=(Endpoint(id="vpce-2", kind="gateway"),),
                   prefix_lists=(PrefixList(id="pl-s3", cidrs=("198.51.100.0/28",)),))


def test_a_gateway_endpoint_is_a_route(host: Host) -> None:
    host.net.apply(with_gateway_endpoint())
    serve(host, "vpce-2")
    assert host.seen_as("i-2", "198.51.100.7", 443) == "10.0.2.5"  # no gateway, no public address
    assert host.tcp("i-2", "198.51.100.7", 80) == "dropped"  # its own group's egress
    assert host.tcp("i-2", "198.51.100.17", 443) == "dropped"
    assert host.tcp("i-1", "198.51.100.7", 443) == "dropped"  # its table has no such route
    assert host.net.reachable("eni-00000000000000002", "198.51.100.7", "tcp", 443) == "open"
    web = (10, "out", True, "tcp", 443, 443, "0.0.0.0/0")
    host.net.apply(with_gateway_endpoint(web))
    assert host.tcp("i-2", "198.51.100.7", 443) == "dropped"
    host.net.apply(with_gateway_endpoint(web, (10, "in", True, "tcp", 1024, 65535, "0.0.0.0/0")))
    assert host.tcp("i-2", "198.51.100.7", 443) == "open"
    assert host.net.guests() == ["i-1", "i-2", "vpce-2"]


def test_release_gives_the_sockets_back_and_a_later_process_takes_over(host: Host) -> None:
    laid = with_gateway_endpoint()
    host.net.apply(laid)
    host.net.release()
    assert host.doors.open == {}
    again = Host(host.state, tag=host.tag, pool=host.pool)
    again.net.apply(laid)
    serve(again, "vpce-2")
    assert host.seen_as("i-2", "198.51.100.7", 443) == "10.0.2.5"
    hush(again, "vpce-2")
    again.close()


def test_an_endpoint_without_its_interface_is_refused(host: Host) -> None:
    laid = with_interface_endpoint(host)
    with pytest.raises(PlaneError, match="vpce-1 has an interface"):
        host.net.apply(replace(laid, interfaces=laid.interfaces[1:]))
