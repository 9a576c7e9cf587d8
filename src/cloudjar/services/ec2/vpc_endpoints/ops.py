"""VPC endpoints: gateways (a route to S3 or DynamoDB) and interfaces (an address in the VPC that is the API).

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import FORMS, Row, describe, is_id, narrow, need
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.vpc_endpoint_services import notifying
from cloudjar.services.ec2.vpc_endpoint_services.finding import is_own, service_named
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService
from cloudjar.services.ec2.vpc_endpoint_services.views import show_offer
from cloudjar.services.ec2.vpc_endpoints import rules, services
from cloudjar.services.ec2.vpc_endpoints.records import GATEWAYS_PER_REGION, INTERFACES_PER_VPC, VpcEndpoint
from cloudjar.services.ec2.vpc_endpoints.views import FILTERS, Scene
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

_NOT_BUILT = ("SubnetConfigurations", "ServiceNetworkArn", "ResourceConfigurationArn")


def _asked_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of an endpoint that is not made yet."""
    own = _own(ctx, req.get("ServiceName") or "")
    return {
        "ec2:VpceServiceName": req.get("ServiceName") or "",
        "ec2:VpceServiceOwner": own.account if own is not None else "amazon",
        "ec2:VpceServiceRegion": req.get("ServiceRegion") or ctx.region,
    }


@op("CreateVpcEndpoint", keys=_asked_keys)
def create_vpc_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A way to a service out of a VPC that needs no gateway to the Internet."""
    _refuse_unbuilt(ctx, req)
    kind = req.get("VpcEndpointType") or "Gateway"
    vpc = need(ctx, Vpc, req["VpcId"])
    own = _own(ctx, req.get("ServiceName") or "")
    service = own.name if own is not None and kind == "Interface" else _service(ctx, req.get("ServiceName") or "", kind)
    _refuse_foreign_members(req, kind)
    _within_limit(ctx, vpc, kind)
    endpoint = ctx.db[VpcEndpoint].add(
        VpcEndpoint(
            id=ctx.new_id("vpce"),
            vpc_id=vpc.id,
            type="Gateway" if kind == "Gateway" else "Interface",
            service=service,
            created=ctx.now,
            state=_first_state(own, kind),
            document=rules.policy(ctx, req.get("PolicyDocument")),
            service_owner=own.account if own is not None else "amazon",
            connection=ctx.new_id("vpce-con") if own is not None else "",
            tags=tags.specified(req, "vpc-endpoint"),
        )
    )
    endpoint = _gateway(ctx, vpc, endpoint, req) if kind == "Gateway" else _interfaces(ctx, vpc, endpoint, req)
    if own is not None:
        notifying.tell(ctx, own, endpoint, "Connect")
    return {"VpcEndpoint": Scene(ctx.db).show(endpoint), "ClientToken": req.get("ClientToken")}


def _own(ctx: Ctx, name: str) -> EndpointService | None:
    """Somebody's own service that the caller may connect to."""
    return service_named(ctx, name) if is_own(name) else None


def _first_state(own: EndpointService | None, kind: str) -> str:
    if kind == "Gateway":
        return "available"
    return "pendingAcceptance" if own is not None and own.acceptance else "pending"


def _refuse_unbuilt(ctx: Ctx, req: dict[str, Any]) -> None:
    errors.refuse(req, *_NOT_BUILT)
    if req.get("IpAddressType") not in (None, "ipv4"):
        raise errors.not_built(f"An endpoint with {req['IpAddressType']} addresses")
    if req.get("ServiceRegion") not in (None, ctx.region):
        raise errors.not_built("An endpoint to another region")
    if req.get("VpcEndpointType") not in (None, "Gateway", "Interface"):
        raise errors.not_built(f"An endpoint of type {req['VpcEndpointType']}")
    dns = req.get("DnsOptions") or {}
    errors.refuse(dns, "PrivateDnsOnlyForInboundResolverEndpoint", "PrivateDnsPreference", "PrivateDnsSpecifiedDomains")
    if dns.get("DnsRecordIpType") not in (None, "ipv4", "service-defined"):
        raise errors.not_built(f"DNS records of type {dns['DnsRecordIpType']}")


def _service(ctx: Ctx, name: str, kind: str) -> str:
    end = services.ending(ctx.region, name)
    if services.is_offered(ctx, end, kind):
        return name
    if services.is_offered(ctx, end, "Gateway" if kind == "Interface" else "Interface"):
        raise AwsError("InvalidParameter", f"The service {name} does not support endpoints of type {kind}.")
    raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")


def _refuse_foreign_members(req: dict[str, Any], kind: str) -> None:
    """Members that mean something to the other kind alone."""
    wrong = ("SubnetIds", "SecurityGroupIds") if kind == "Gateway" else ("RouteTableIds",)
    for member in wrong:
        if req.get(member):
            raise AwsError("InvalidParameter", f"{member} must be empty for an endpoint of type {kind}")
    if kind == "Gateway" and req.get("PrivateDnsEnabled"):
        raise AwsError("InvalidParameter", "Private DNS can only be enabled for interface endpoints")


def _within_limit(ctx: Ctx, vpc: Vpc, kind: str) -> None:
    quota = GATEWAYS_PER_REGION if kind == "Gateway" else INTERFACES_PER_VPC
    where = {"type": kind} | ({"vpc_id": vpc.id} if quota.per else {})
    limit = ctx.limit(*quota.code)
    if limit is not None and ctx.db[VpcEndpoint].count(**where) >= limit:
        raise AwsError(*quota.error)


def _gateway(ctx: Ctx, vpc: Vpc, endpoint: VpcEndpoint, req: dict[str, Any]) -> VpcEndpoint:
    found = rules.tables(ctx, vpc, endpoint.service, req.get("RouteTableIds") or (), endpoint.id)
    return ctx.db[VpcEndpoint].put(replace(endpoint, route_tables=found))


def _interfaces(ctx: Ctx, vpc: Vpc, endpoint: VpcEndpoint, req: dict[str, Any]) -> VpcEndpoint:
    wanted = req.get("PrivateDnsEnabled")
    by_itself = not is_own(endpoint.service) and endpoint.service.rpartition(".")[2] not in ("s3", "dynamodb")
    private = (wanted is not False and by_itself) or bool(wanted)
    if is_own(endpoint.service) and req.get("PolicyDocument"):
        raise AwsError("InvalidParameter", f"The service {endpoint.service} does not support endpoint policies.")
    if private:
        rules.refuse_conflict(ctx, vpc, endpoint.service, endpoint.id)
        endpoint = replace(endpoint, private_name=rules.private_name(ctx, endpoint))
    groups = making.check_groups(ctx, vpc.id, req.get("SecurityGroupIds") or ())
    endpoint = ctx.db[VpcEndpoint].put(replace(endpoint, groups=groups, private_dns=private))
    found = rules.subnets(ctx, vpc, req.get("SubnetIds") or ())
    rules.check_service_zones(ctx, endpoint, found)
    return rules.plug(ctx, endpoint, found)


@op("DescribeVpcEndpoints")
def describe_vpc_endpoints(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Endpoints by id or filter."""
    return {"VpcEndpoints": describe(ctx, req, VpcEndpoint, "VpcEndpointIds", Scene(ctx.db).show, FILTERS)}


@op("ModifyVpcEndpoint")
def modify_vpc_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another policy, other route tables, subnets or security groups, private DNS on or off."""
    _refuse_unbuilt(ctx, req)
    endpoint = need(ctx, VpcEndpoint, req["VpcEndpointId"])
    if endpoint.state == "deleting":
        raise AwsError("IncorrectState", f"The Vpc Endpoint '{endpoint.id}' is being deleted")
    vpc = ctx.db[Vpc].need(endpoint.vpc_id)
    if req.get("ResetPolicy") and req.get("PolicyDocument"):
        raise errors.combination("The parameters resetPolicy and policyDocument cannot be used together.")
    if is_own(endpoint.service) and req.get("PolicyDocument"):
        raise AwsError("InvalidParameter", f"The service {endpoint.service} does not support endpoint policies.")
    if req.get("ResetPolicy") or req.get("PolicyDocument"):
        endpoint = replace(endpoint, document=rules.policy(ctx, req.get("PolicyDocument")))
    kind = endpoint.type
    for member in _MEMBERS["Interface" if kind == "Gateway" else "Gateway"]:
        if req.get(member):
            raise AwsError("InvalidParameter", f"{member} must be empty for an endpoint of type {kind}")
    endpoint = ctx.db[VpcEndpoint].put(endpoint)
    if kind == "Gateway":
        kept = [t for t in endpoint.route_tables if t not in (req.get("RemoveRouteTableIds") or ())]
        added = rules.tables(ctx, vpc, endpoint.service, req.get("AddRouteTableIds") or (), endpoint.id)
        tables = tuple(dict.fromkeys((*kept, *added)))
        ctx.db[VpcEndpoint].put(replace(endpoint, route_tables=tables))
    else:
        _modify_interfaces(ctx, vpc, endpoint, req)
    return {"Return": True}


_MEMBERS = {
    "Gateway": ("AddRouteTableIds", "RemoveRouteTableIds"),
    "Interface": (
        "AddSubnetIds",
        "RemoveSubnetIds",
        "AddSecurityGroupIds",
        "RemoveSecurityGroupIds",
        "PrivateDnsEnabled",
    ),
}


def _modify_interfaces(ctx: Ctx, vpc: Vpc, endpoint: VpcEndpoint, req: dict[str, Any]) -> None:
    if req.get("PrivateDnsEnabled"):
        rules.refuse_conflict(ctx, vpc, endpoint.service, endpoint.id)
    if req.get("PrivateDnsEnabled") is not None:
        name = rules.private_name(ctx, endpoint) if req["PrivateDnsEnabled"] else ""
        endpoint = ctx.db[VpcEndpoint].put(replace(endpoint, private_dns=req["PrivateDnsEnabled"], private_name=name))
    endpoint = rules.unplug(ctx, endpoint, req.get("RemoveSubnetIds") or ())
    added = [key for key in req.get("AddSubnetIds") or () if key not in endpoint.subnets]
    found = rules.subnets(ctx, vpc, added, endpoint.subnets)
    rules.check_service_zones(ctx, endpoint, found)
    endpoint = rules.plug(ctx, endpoint, found)
    if req.get("AddSecurityGroupIds") or req.get("RemoveSecurityGroupIds"):
        gone = set(req.get("RemoveSecurityGroupIds") or ())
        wanted = [g for g in endpoint.groups if g not in gone] + list(req.get("AddSecurityGroupIds") or ())
        if not wanted:
            raise AwsError("InvalidParameter", "An interface endpoint must have at least one security group")
        rules.wear(ctx, endpoint, making.check_groups(ctx, vpc.id, wanted))


@op("DeleteVpcEndpoints")
def delete_vpc_endpoints(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove endpoints; those that are not there are told, the others go."""
    unsuccessful = []
    for key in dict.fromkeys(req["VpcEndpointIds"]):
        endpoint = ctx.db[VpcEndpoint].get(key) if is_id(FORMS["vpc-endpoint"][0], key) else None
        if endpoint is None:
            error = {
                "Code": "InvalidVpcEndpoint.NotFound",
                "Message": f"The VpcEndpoint Id '{key}' does not exist",
            }
            unsuccessful.append({"ResourceId": key, "Error": error})
        elif endpoint.state != "deleting":
            endpoint = ctx.db[VpcEndpoint].put(replace(endpoint, state="deleting"))
            own = ctx.db.find(EndpointService, endpoint.service.rpartition(".")[2])
            if own is not None:
                notifying.tell(ctx, own, endpoint, "Delete")
    return {"Unsuccessful": unsuccessful}


@op("DescribeVpcEndpointServices")
def describe_vpc_endpoint_services(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What endpoints can lead to here."""
    errors.refuse(req, "ServiceRegions")
    offers = [one for one in ctx.db.everywhere(EndpointService) if service_named(ctx, one.name) is not None]
    details = [*services.details(ctx), *(show_offer(ctx.db, one, ctx.account) for one in offers)]
    wanted = req.get("ServiceNames") or []
    for name in wanted:
        if not any(one["ServiceName"] == name for one in details):
            raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    rows = [Row({}, one) for one in details if not wanted or one["ServiceName"] in wanted]
    shown = narrow(req, services.FILTERS, rows)
    return {"ServiceNames": sorted({one["ServiceName"] for one in shown}), "ServiceDetails": shown}
