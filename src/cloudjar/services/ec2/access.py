"""Condition keys that stored resources bring to IAM, and where requests name resources by something else than an id.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds, request_keys, resource_keys
from cloudjar.kit.record import Record, arn_of
from cloudjar.services.ec2.addresses.records import AddressTransfer, ElasticIp
from cloudjar.services.ec2.dhcp_options.records import DhcpOptions
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.key_pairs.records import KeyPair
from cloudjar.services.ec2.launch_templates.finding import by_name
from cloudjar.services.ec2.launch_templates.records import LaunchTemplate
from cloudjar.services.ec2.network_acls.records import NetworkAcl
from cloudjar.services.ec2.network_interfaces.records import BorrowedInterface, NetworkInterface
from cloudjar.services.ec2.route_tables.records import RouteTable
from cloudjar.services.ec2.security_groups.records import SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import default_vpc
from cloudjar.services.ec2.vpcs.records import Vpc


def beside(item: Record, noun: str, key: str) -> str:
    """The ARN of another EC2 resource of the same account and region."""
    return arns.make("ec2", item.region, item.account, f"{noun}/{key}")


@resource_keys("ec2", "vpc")
def _vpc(vpc: Vpc) -> dict[str, Any]:
    return {"ec2:Region": vpc.region, "ec2:VpcID": vpc.id, "ec2:Tenancy": vpc.tenancy}


@resource_keys("ec2", "subnet")
def _subnet(subnet: Subnet) -> dict[str, Any]:
    return {
        "ec2:Region": subnet.region,
        "ec2:SubnetID": subnet.id,
        "ec2:Vpc": beside(subnet, "vpc", subnet.vpc_id),
        "ec2:AvailabilityZone": subnet.zone,
        "ec2:AvailabilityZoneId": subnet.zone_id,
    }


@resource_keys("ec2", "route-table")
def _route_table(table: RouteTable) -> dict[str, Any]:
    return {
        "ec2:Region": table.region,
        "ec2:RouteTableID": table.id,
        "ec2:Vpc": beside(table, "vpc", table.vpc_id),
    }


@resource_keys("ec2", "internet-gateway")
def _internet_gateway(gateway: InternetGateway) -> dict[str, Any]:
    return {"ec2:Region": gateway.region, "ec2:InternetGatewayID": gateway.id}


@resource_keys("ec2", "security-group")
def _security_group(group: SecurityGroup) -> dict[str, Any]:
    return {
        "ec2:Region": group.region,
        "ec2:SecurityGroupID": group.id,
        "ec2:Vpc": beside(group, "vpc", group.vpc_id),
    }


@resource_keys("ec2", "security-group-rule")
def _security_group_rule(rule: SecurityGroupRule) -> dict[str, Any]:
    return {"ec2:Region": rule.region}


@resource_keys("ec2", "network-acl")
def _network_acl(acl: NetworkAcl) -> dict[str, Any]:
    return {"ec2:Region": acl.region, "ec2:NetworkAclID": acl.id, "ec2:Vpc": beside(acl, "vpc", acl.vpc_id)}


@resource_keys("ec2", "network-interface")
def _network_interface(eni: NetworkInterface) -> dict[str, Any]:
    return {
        "ec2:Region": eni.region,
        "ec2:NetworkInterfaceID": eni.id,
        "ec2:AvailabilityZone": eni.zone,
        "ec2:Subnet": beside(eni, "subnet", eni.subnet_id),
        "ec2:Vpc": beside(eni, "vpc", eni.vpc_id),
    }


@resource_keys("ec2", "elastic-ip")
def _elastic_ip(elastic: ElasticIp) -> dict[str, Any]:
    return {
        "ec2:Region": elastic.region,
        "ec2:AllocationId": elastic.id,
        "ec2:Domain": "vpc",
        "ec2:PublicIpAddress": elastic.ip,
    }


@resource_keys("ec2", "key-pair")
def _key_pair(pair: KeyPair) -> dict[str, Any]:
    return {"ec2:Region": pair.region, "ec2:KeyPairName": pair.name, "ec2:KeyPairType": pair.type}


@resource_keys("ec2", "launch-template")
def _launch_template(template: LaunchTemplate) -> dict[str, Any]:
    return {"ec2:Region": template.region}


@finds("ec2:launch-template")
def _find_launch_template(ctx: Ctx, value: str) -> LaunchTemplate | None:
    """By name."""
    return by_name(ctx, value) if value else None


@resource_keys("ec2", "dhcp-options")
def _dhcp_options(options: DhcpOptions) -> dict[str, Any]:
    return {"ec2:Region": options.region, "ec2:DhcpOptionsID": options.id}


@request_keys("ec2")
def _asked(ctx: Ctx, operation: str, req: dict[str, Any]) -> dict[str, Any]:
    """Keys of every request, and of those that change an attribute or make what has keys before it is there."""
    keys: dict[str, Any] = {"ec2:Region": ctx.region}
    if operation in _ATTRIBUTES:
        keys.update(_attributes(operation, req))
    elif operation == "CreateKeyPair":
        keys["ec2:KeyPairType"] = req.get("KeyType") or "rsa"
    return keys


# Operations that change attributes -> members that are none: what is changed, and how to ask.
_ATTRIBUTES = {
    "ModifyCapacityReservation": ("CapacityReservationId", "DryRun"),
    "ModifyFleet": ("FleetId", "DryRun"),
    "ModifyHosts": ("HostIds",),
    "ModifyInstanceAttribute": ("InstanceId", "DryRun"),
    "ModifyInstanceCreditSpecification": ("DryRun", "ClientToken"),
    "ModifyInstanceMetadataOptions": ("InstanceId", "DryRun"),
    "ModifyInstanceEventStartTime": ("InstanceId", "InstanceEventId", "DryRun"),
    "ModifyNetworkInterfaceAttribute": ("NetworkInterfaceId", "DryRun"),
    "ModifySpotFleetRequest": ("SpotFleetRequestId", "DryRun"),
    "ModifySubnetAttribute": ("SubnetId", "DryRun"),
    "ModifyVpcAttribute": ("VpcId", "DryRun"),
}


def _attributes(operation: str, req: dict[str, Any]) -> dict[str, Any]:
    """``ec2:Attribute`` (which are set) and ``ec2:Attribute/Name`` (to what), where the value is a plain one."""
    given = {name: value for name, value in req.items() if name not in _ATTRIBUTES[operation] and value is not None}
    if operation == "ModifyInstanceCreditSpecification":
        asked = [one.get("CpuCredits") for one in req.get("InstanceCreditSpecifications") or ()]
        given = {"CpuCredits": [kind for kind in asked if kind]}
    if "Attribute" in given:  # the older form: a name and its value
        name = str(given.pop("Attribute"))
        given[name[:1].upper() + name[1:]] = given.pop("Value", None)
    keys: dict[str, Any] = {"ec2:Attribute": list(given)}
    for name, value in given.items():
        plain = value.get("Value") if isinstance(value, dict) else value
        if isinstance(plain, bool):
            keys[f"ec2:Attribute/{name}"] = "true" if plain else "false"
        elif isinstance(plain, str | int):
            keys[f"ec2:Attribute/{name}"] = str(plain)
        elif isinstance(plain, list) and all(isinstance(one, str) for one in plain):
            keys[f"ec2:Attribute/{name}"] = plain
    return keys


def _first(found: list[Any]) -> str | None:
    return arn_of(found[0]) if found else None


@finds("ec2:default-vpc")
def _find_default_vpc(ctx: Ctx, _: str) -> str | None:
    vpc = default_vpc(ctx)
    return None if vpc is None else arn_of(vpc)


@finds("ec2:elastic-ip")
def _find_elastic_ip(ctx: Ctx, value: str) -> str | None:
    """By association id or by address; one that another account offers is what it will be here."""
    if not value:
        return None
    member = "association_id" if value.startswith("eipassoc-") else "ip"
    found = _first(ctx.db[ElasticIp].all(**{member: value}))
    if found is None and member == "ip":
        offers = ctx.db.everywhere(AddressTransfer, ip=value)
        offer = next((one for one in offers if (one.to, one.region) == (ctx.account, ctx.region)), None)
        if offer is not None:
            return arns.make("ec2", ctx.region, ctx.account, f"elastic-ip/{offer.allocation_id}")
    return found


@finds("ec2:key-pair")
def _find_key_pair(ctx: Ctx, value: str) -> str | None:
    """By ``key-...`` id."""
    return _first(ctx.db[KeyPair].all(id=value)) if value else None


@finds("ec2:network-interface")
def _find_network_interface(ctx: Ctx, value: str) -> str | None:
    """By attachment id; another account's is asked about as the caller's own, as when it is attached."""
    if not value:
        return None
    for one in ctx.db[BorrowedInterface].all(attachment_id=value):
        return beside(one, "network-interface", one.interface_id)
    return _first(ctx.db[NetworkInterface].all(attachment_id=value))


@finds("ec2:route-table")
def _find_route_table(ctx: Ctx, value: str) -> str | None:
    """By association id, a main one too: the table that is obeyed now."""
    if not value:
        return None
    for subnet in ctx.db[Subnet].all(route_table_association_id=value):
        return beside(subnet, "route-table", subnet.route_table_id)
    for vpc in ctx.db[Vpc].all(main_association_id=value):
        return beside(vpc, "route-table", vpc.main_route_table_id)
    return None


@finds("ec2:security-group")
def _find_security_group(ctx: Ctx, value: str) -> str | None:
    """By name, in the default VPC."""
    vpc = default_vpc(ctx)
    found = ctx.db[SecurityGroup].all(name=value) if value else []
    return _first([group for group in found if vpc is not None and group.vpc_id == vpc.id])


@finds("ec2:subnet")
def _find_subnet(ctx: Ctx, value: str) -> str | None:
    """By the id of a route table or network ACL association, or of an interface in it."""
    if value.startswith("eni-"):
        eni = ctx.db[NetworkInterface].get(value)
        return None if eni is None else beside(eni, "subnet", eni.subnet_id)
    if value.startswith("rtbassoc-"):
        return _first(ctx.db[Subnet].all(route_table_association_id=value))
    if value.startswith("subnet-cidr-assoc-"):
        return _first(ctx.db[Subnet].all(ipv6_association_id=value))
    if value.startswith("aclassoc-"):
        return _first(ctx.db[Subnet].all(network_acl_association_id=value))
    return None


@finds("ec2:vpc")
def _find_vpc(ctx: Ctx, value: str) -> str | None:
    """By the association id of one of its blocks."""
    vpcs = ctx.db[Vpc].all()
    return _first([vpc for vpc in vpcs if any(block.id == value for block in (*vpc.cidrs, *vpc.ipv6_cidrs))])


@finds("ec2:instance")
def _find_instance(ctx: Ctx, value: str) -> str | None:
    """By the attachment id of an interface, or the association id of an instance profile."""
    if value.startswith("eni-attach-"):
        found = ctx.db[NetworkInterface].all(attachment_id=value) or ctx.db[BorrowedInterface].all(attachment_id=value)
        return beside(found[0], "instance", found[0].instance_id) if found else None
    instances = ctx.db[Instance].all() if value else []
    return _first([vm for vm in instances if vm.profile is not None and vm.profile.id == value])
