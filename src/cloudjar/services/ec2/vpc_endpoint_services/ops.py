"""Endpoint services: made, described, changed, deleted; who may connect.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpointServiceConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, describe, narrow
from cloudjar.services.ec2.vpc_endpoint_services import private_dns
from cloudjar.services.ec2.vpc_endpoint_services.finding import endpoints_of, principal_type
from cloudjar.services.ec2.vpc_endpoint_services.records import Balancer, EndpointService, Permission
from cloudjar.services.ec2.vpc_endpoint_services.views import (
    CONFIGURATIONS,
    PERMISSIONS,
    show_permission,
    show_service,
)

_ENDED = ("rejected", "deleting")


def _name_key(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of the private name that a request gives."""
    name = req.get("PrivateDnsName")
    return {"ec2:VpceServicePrivateDnsName": name} if name else {}


@op("CreateVpcEndpointServiceConfiguration", keys=_name_key)
def create_vpc_endpoint_service_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Offer what is behind network load balancers; nobody else may connect until he is admitted."""
    errors.refuse(req, "GatewayLoadBalancerArns")
    _only_ipv4(req.get("SupportedIpAddressTypes") or ())
    _only_here(ctx, req.get("SupportedRegions") or ())
    arns = req.get("NetworkLoadBalancerArns") or ()
    if not arns:
        raise errors.missing("The request must contain the parameter networkLoadBalancerArn")
    service = EndpointService(
        id=ctx.new_id("vpce-svc"),
        created=ctx.now,
        acceptance=req.get("AcceptanceRequired") is not False,
        balancers=tuple(_balancer(ctx, arn) for arn in dict.fromkeys(arns)),
        tags=tags.specified(req, "vpc-endpoint-service"),
    )
    service = ctx.db[EndpointService].add(private_dns.named(service, req.get("PrivateDnsName") or ""))
    return {"ServiceConfiguration": show_service(ctx.db, service), "ClientToken": req.get("ClientToken")}


def _only_ipv4(types: Iterable[str]) -> None:
    for kind in types:
        if kind != "ipv4":
            raise errors.not_built(f"An endpoint service with {kind} addresses")


def _only_here(ctx: Ctx, regions: Iterable[str]) -> None:
    if any(region != ctx.region for region in regions):
        raise errors.not_built("An endpoint service for other regions")


def _balancer(ctx: Ctx, arn: str, own: str = "") -> Balancer:
    """A network load balancer of the account that is no other service's."""
    found: Any = ctx.find("elasticloadbalancing", "loadbalancer/net/", arn)
    if found is None or found.kind != "net":
        raise AwsError("InvalidParameter", f"The network load balancer '{arn}' does not exist")
    for service in ctx.db[EndpointService].all():
        if service.id != own and any(balancer.arn == arn for balancer in service.balancers):
            raise AwsError(
                "InvalidParameter", f"The network load balancer '{arn}' is already associated with {service.id}"
            )
    return Balancer(arn=arn, vpc_id=found.vpc_id)


@op("DescribeVpcEndpointServiceConfigurations")
def describe_vpc_endpoint_service_configurations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's own services, by id or filter."""
    found = describe(
        ctx, req, EndpointService, "ServiceIds", lambda one: show_service(ctx.db, one), CONFIGURATIONS
    )
    return {"ServiceConfigurations": found}


@op("ModifyVpcEndpointServiceConfiguration", keys=_name_key)
def modify_vpc_endpoint_service_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other load balancers, another private name, acceptance on or off."""
    service = ctx.db[EndpointService].need(req["ServiceId"])
    errors.refuse(req, "AddGatewayLoadBalancerArns", "RemoveGatewayLoadBalancerArns")
    _only_ipv4(req.get("AddSupportedIpAddressTypes") or ())
    if "ipv4" in (req.get("RemoveSupportedIpAddressTypes") or ()):
        raise AwsError("InvalidParameter", f"{service.id} must support an IP address type")
    _only_here(ctx, req.get("AddSupportedRegions") or ())
    name = req.get("PrivateDnsName")
    if name and req.get("RemovePrivateDnsName"):
        raise errors.combination("PrivateDnsName and RemovePrivateDnsName cannot be used together.")
    if name or req.get("RemovePrivateDnsName"):
        service = private_dns.named(service, name or "")
    if req.get("AcceptanceRequired") is not None:
        service = replace(service, acceptance=req["AcceptanceRequired"])
    ctx.db[EndpointService].put(replace(service, balancers=_balancers(ctx, service, req)))
    wake_consumers(ctx, service)
    return {"Return": True}


def _balancers(ctx: Ctx, service: EndpointService, req: dict[str, Any]) -> tuple[Balancer, ...]:
    gone = set(req.get("RemoveNetworkLoadBalancerArns") or ())
    unknown = gone - {balancer.arn for balancer in service.balancers}
    if unknown:
        raise AwsError("InvalidParameter", f"{', '.join(sorted(unknown))} is not associated with {service.id}")
    kept = [balancer for balancer in service.balancers if balancer.arn not in gone]
    known = {balancer.arn for balancer in kept}
    added = [arn for arn in dict.fromkeys(req.get("AddNetworkLoadBalancerArns") or ()) if arn not in known]
    found = (*kept, *(_balancer(ctx, arn, service.id) for arn in added))
    if not found:
        raise AwsError("InvalidParameter", f"{service.id} must have a network load balancer")
    return found


def wake_consumers(ctx: Ctx, service: EndpointService) -> None:
    """Have the VPCs of a service's endpoints laid out again."""
    for endpoint in endpoints_of(ctx.db, service):
        ctx.world.state.wakes.wake("ec2/vpc", endpoint.account, endpoint.region, endpoint.vpc_id)


@op("DeleteVpcEndpointServiceConfigurations")
def delete_vpc_endpoint_service_configurations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove services; those that are not there, or that somebody is connected to, are told, the others go."""
    unsuccessful = []
    for key in dict.fromkeys(req["ServiceIds"]):
        service = ctx.db[EndpointService].get(key)
        if service is None:
            code, text = "InvalidVpcEndpointService.NotFound", f"The VpcEndpointService Id '{key}' does not exist"
            unsuccessful.append({"ResourceId": key, "Error": {"Code": code, "Message": text}})
        elif any(one.state not in _ENDED for one in endpoints_of(ctx.db, service)):
            text = "Service has existing active VPC Endpoint connections!"
            unsuccessful.append(
                {"ResourceId": key, "Error": {"Code": "ExistingVpcEndpointConnections", "Message": text}}
            )
        else:
            ctx.db[EndpointService].drop(service)
    return {"Unsuccessful": unsuccessful}


@op("ModifyVpcEndpointServicePayerResponsibility")
def modify_vpc_endpoint_service_payer_responsibility(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The service's owner pays for the endpoints from now on; there is no way back, as on AWS."""
    service = ctx.db[EndpointService].need(req["ServiceId"])
    ctx.db[EndpointService].put(replace(service, owner_pays=True))
    return {"ReturnValue": True}


# -- who may connect
@op("ModifyVpcEndpointServicePermissions")
def modify_vpc_endpoint_service_permissions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Admit principals, or admit them no more; who is connected stays so."""
    errors.refuse(req, "PermissionType")
    service = ctx.db[EndpointService].need(req["ServiceId"])
    gone = set(req.get("RemoveAllowedPrincipals") or ())
    kept = tuple(one for one in service.permissions if one.principal not in gone)
    known = {one.principal for one in kept}
    added = []
    for principal in dict.fromkeys(req.get("AddAllowedPrincipals") or ()):
        principal_type(principal)
        if principal not in known:
            added.append(Permission(id=ctx.new_id("vpce-svc-perm"), principal=principal))
    service = ctx.db[EndpointService].put(replace(service, permissions=(*kept, *added)))
    return {"AddedPrincipals": [show_permission(service, one) for one in added], "ReturnValue": True}


@op("DescribeVpcEndpointServicePermissions")
def describe_vpc_endpoint_service_permissions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who may connect to a service."""
    service = ctx.db[EndpointService].need(req["ServiceId"])
    rows = [Row({}, show_permission(service, one)) for one in service.permissions]
    return {"AllowedPrincipals": narrow(req, PERMISSIONS, rows)}


@op("StartVpcEndpointServicePrivateDnsVerification")
def start_vpc_endpoint_service_private_dns_verification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Look for the record that proves whose the domain is."""
    service = ctx.db[EndpointService].need(req["ServiceId"])
    if not service.private_name:
        raise AwsError("InvalidParameter", f"{service.id} has no private DNS name")
    ctx.db[EndpointService].put(private_dns.looked_at(ctx.world, service))
    return {"ReturnValue": True}
