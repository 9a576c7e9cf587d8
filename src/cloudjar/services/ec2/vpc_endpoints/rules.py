"""What an endpoint may be, and the interfaces of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.policy.document import Flavour, PolicySyntaxError, parse
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import need_all
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.route_tables.records import RouteTable
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpc_endpoint_services.finding import check_zones, is_own
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpcs.records import Vpc

EVERYTHING = (
    '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}],"Version":"2008-10-17"}'
)


def policy(ctx: Ctx, text: str | None) -> str:
    """An endpoint policy, checked; everything is allowed without one."""
    if not text:
        return EVERYTHING
    limit = ctx.limit("vpc", "L-3248932A")
    if limit is not None and len(text) > limit:
        raise AwsError("PolicyLimitExceeded", f"The policy exceeds the maximum of {limit:.0f} characters.")
    try:
        parse(text, Flavour.ENDPOINT)
    except PolicySyntaxError as error:
        raise AwsError("InvalidPolicyDocument", f"The policy document is not valid: {error}") from None
    return text


def refuse_conflict(ctx: Ctx, vpc: Vpc, name: str, own: str = "") -> None:
    """Private DNS needs the VPC's names, and each name once."""
    if not vpc.dns_support or not vpc.dns_hostnames:
        raise AwsError(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
            f"for {vpc.id}",
        )
    for other in ctx.db[VpcEndpoint].all(vpc_id=vpc.id):
        if other.id != own and other.private_dns and name == other.service:
            raise AwsError(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{name.rpartition('.')[2]}.{vpc.region}.amazonaws.com in the VPC {vpc.id}",
            )


def tables(ctx: Ctx, vpc: Vpc, service: str, keys: Iterable[str], own: str = "") -> tuple[str, ...]:
    """Route tables of the VPC that have no endpoint for this service yet."""
    found = need_all(ctx, RouteTable, keys)
    others = [e for e in ctx.db[VpcEndpoint].all(vpc_id=vpc.id) if e.id != own and e.type == "Gateway"]
    for table in found:
        if table.vpc_id != vpc.id:
            raise errors.invalid_value(f"Route table {table.id} does not belong to VPC {vpc.id}")
        if any(e.service == service and table.id in e.route_tables and e.state != "deleting" for e in others):
            raise AwsError(
                "RouteAlreadyExists", f"route table {table.id} already has a route with destination-prefix-list-id"
            )
    return tuple(table.id for table in found)


def subnets(ctx: Ctx, vpc: Vpc, keys: Iterable[str], present: Iterable[str] = ()) -> list[Subnet]:
    """Subnets of the VPC, each of another zone."""
    found = need_all(ctx, Subnet, keys)
    zones = {ctx.db[Subnet].need(key).zone for key in present}
    for subnet in found:
        if subnet.vpc_id != vpc.id:
            raise AwsError("InvalidParameter", f"Subnet {subnet.id} does not belong to VPC {vpc.id}")
        if subnet.zone in zones:
            raise AwsError(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet.id}. VPC endpoint subnets "
                "should be in different availability zones supported by the VPC endpoint service.",
            )
        zones.add(subnet.zone)
    return found


def private_name(ctx: Ctx, endpoint: VpcEndpoint) -> str:
    """The private name of somebody's own service, which must be proven; "" for a service of AWS's."""
    if not is_own(endpoint.service):
        return ""
    service = ctx.db.find(EndpointService, endpoint.service.rpartition(".")[2])
    if service is None or service.private_state != "verified":
        raise AwsError(
            "InvalidParameter",
            f"Private DNS can't be enabled because the service {endpoint.service} does not provide a verified private "
            "DNS name.",
        )
    return service.private_name


def check_service_zones(ctx: Ctx, endpoint: VpcEndpoint, found: Sequence[Subnet]) -> None:
    """Refuse subnets in zones in which somebody's own service is not."""
    service = ctx.db.find(EndpointService, endpoint.service.rpartition(".")[2]) if is_own(endpoint.service) else None
    if service is not None:
        check_zones(ctx.db, service, found)


def plug(ctx: Ctx, endpoint: VpcEndpoint, found: Sequence[Subnet]) -> VpcEndpoint:
    """One more interface in each of these subnets."""
    made = []
    for subnet in found:
        eni = making.make_interface(
            ctx,
            subnet,
            endpoint.groups,
            description=f"VPC Endpoint Interface {endpoint.id}",
            interface_type="vpc_endpoint",
            requester_id="amazon-vpce",
        )
        made.append(making.attach(ctx, eni, eni.id, 1, powered=True, instance_owner="amazon-aws").id)
    return ctx.db[VpcEndpoint].put(
        replace(
            endpoint,
            subnets=(*endpoint.subnets, *(s.id for s in found)),
            interfaces=(*endpoint.interfaces, *made),
        )
    )


def unplug(ctx: Ctx, endpoint: VpcEndpoint, keys: Iterable[str]) -> VpcEndpoint:
    """Remove the interfaces in these subnets."""
    gone = set(keys)
    kept = []
    for subnet, key in zip(endpoint.subnets, endpoint.interfaces, strict=True):
        if subnet not in gone:
            kept.append((subnet, key))
            continue
        eni = ctx.db[NetworkInterface].get(key)
        if eni is not None:
            making.remove(ctx, eni)
    return ctx.db[VpcEndpoint].put(
        replace(endpoint, subnets=tuple(s for s, _ in kept), interfaces=tuple(i for _, i in kept))
    )


def wear(ctx: Ctx, endpoint: VpcEndpoint, groups: tuple[str, ...]) -> VpcEndpoint:
    """Have all interfaces wear these security groups."""
    for key in endpoint.interfaces:
        ctx.db[NetworkInterface].put(replace(ctx.db[NetworkInterface].need(key), groups=groups))
    return ctx.db[VpcEndpoint].put(replace(endpoint, groups=groups))
