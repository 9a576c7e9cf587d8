"""Condition keys that stored resources bring to IAM, and where requests name resources by something else than an id.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.operation import resource_keys
from cloudjar.kit.record import Record
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.dhcp_options.records import DhcpOptions
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.key_pairs.records import KeyPair
from cloudjar.services.ec2.network_acls.records import NetworkAcl
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.route_tables.records import RouteTable
from cloudjar.services.ec2.security_groups.records import SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.subnets.records import Subnet
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


@resource_keys("ec2", "dhcp-options")
def _dhcp_options(options: DhcpOptions) -> dict[str, Any]:
    return {"ec2:Region": options.region, "ec2:DhcpOptionsID": options.id}
