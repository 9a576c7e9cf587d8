"""EC2 Instance Connect Endpoints: made, described, changed, deleted.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateInstanceConnectEndpoint.html
"""

from __future__ import annotations

import zlib
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instance_connect_endpoints.records import ConnectEndpoint
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.network_interfaces import making
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import op

PER_REGION = 5
"""Endpoints of an account in a Region, and one in a VPC; Service Quotas does not list them."""
READY = ("create-complete", "update-complete")

_FILTERS = by_path(
    {
        "availability-zone": "AvailabilityZone",
        "instance-connect-endpoint-id": "InstanceConnectEndpointId",
        "state": "State",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    }
)


@op("CreateInstanceConnectEndpoint")
def create_instance_connect_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An interface in a subnet, from which tunnels lead."""
    _refuse_unbuilt(req)
    subnet = need(ctx, Subnet, req["SubnetId"])
    _check_room(ctx, subnet)
    groups = making.check_groups(ctx, subnet.vpc_id, req.get("SecurityGroupIds") or ())
    key = ctx.new_id("eice")
    eni = making.make_interface(
        ctx, subnet, groups, description=f"EC2 Instance Connect Endpoint {key}",
        interface_type="ec2_instance_connect_endpoint", requester_id="amazon-aws",
    )  # fmt: skip
    eni = making.attach(ctx, eni, eni.id, 1, powered=True, instance_owner="amazon-aws")
    made = ctx.db[ConnectEndpoint].add(
        ConnectEndpoint(
            id=key, vpc_id=subnet.vpc_id, subnet_id=subnet.id, zone=subnet.zone, zone_id=subnet.zone_id, groups=groups,
            interface_id=eni.id, created=ctx.now, tags=tags.specified(req, "instance-connect-endpoint"),
        )
    )  # fmt: skip
    return {"InstanceConnectEndpoint": show(made), "ClientToken": req.get("ClientToken")}


def _refuse_unbuilt(req: dict[str, Any]) -> None:
    if req.get("PreserveClientIp"):
        raise errors.not_built("An EC2 Instance Connect Endpoint that keeps the client's address")
    if req.get("IpAddressType") not in (None, "ipv4"):
        raise errors.not_built(f"An EC2 Instance Connect Endpoint with {req['IpAddressType']} addresses")


def _check_room(ctx: Ctx, subnet: Subnet) -> None:
    held = ctx.db[ConnectEndpoint].all()
    if any(one.vpc_id == subnet.vpc_id for one in held):
        raise AwsError(
            "InstanceConnectEndpointLimitExceeded", f"{subnet.vpc_id} already has an EC2 Instance Connect Endpoint."
        )
    if len(held) >= PER_REGION:
        raise AwsError(
            "InstanceConnectEndpointLimitExceeded",
            "The maximum number of EC2 Instance Connect Endpoints has been reached.",
        )


@op("DescribeInstanceConnectEndpoints")
def describe_instance_connect_endpoints(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Endpoints by id or filter."""
    found = describe(ctx, req, ConnectEndpoint, "InstanceConnectEndpointIds", show, _FILTERS)
    return {"InstanceConnectEndpoints": found}


@op("ModifyInstanceConnectEndpoint")
def modify_instance_connect_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other security groups."""
    _refuse_unbuilt(req)
    endpoint = need(ctx, ConnectEndpoint, req["InstanceConnectEndpointId"])
    if endpoint.state not in READY:
        raise AwsError("IncorrectState", f"{endpoint.id} is in the state {endpoint.state}")
    groups = endpoint.groups
    if req.get("SecurityGroupIds"):
        groups = making.check_groups(ctx, endpoint.vpc_id, req["SecurityGroupIds"])
        eni = ctx.db[NetworkInterface].need(endpoint.interface_id)
        ctx.db[NetworkInterface].put(replace(eni, groups=groups))
    ctx.db[ConnectEndpoint].put(replace(endpoint, groups=groups, state="update-in-progress"))
    return {"Return": True}


@op("DeleteInstanceConnectEndpoint")
def delete_instance_connect_endpoint(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an endpoint; its tunnels end."""
    endpoint = need(ctx, ConnectEndpoint, req["InstanceConnectEndpointId"])
    endpoint = ctx.db[ConnectEndpoint].put(replace(endpoint, state="delete-in-progress"))
    return {"InstanceConnectEndpoint": show(endpoint)}


def show(endpoint: ConnectEndpoint) -> dict[str, Any]:
    """AWS's Ec2InstanceConnectEndpoint."""
    names = {"DnsName": _name(endpoint, ""), "FipsDnsName": _name(endpoint, "fips.")}
    return {
        "AvailabilityZone": endpoint.zone,
        "AvailabilityZoneId": endpoint.zone_id,
        "CreatedAt": endpoint.created,
        **names,
        "InstanceConnectEndpointArn": arn_of(endpoint),
        "InstanceConnectEndpointId": endpoint.id,
        "IpAddressType": "ipv4",
        "NetworkInterfaceIds": [endpoint.interface_id],
        "OwnerId": endpoint.account,
        "PreserveClientIp": False,
        "PublicDnsNames": {"Ipv4": names},
        "SecurityGroupIds": list(endpoint.groups),
        "State": endpoint.state,
        "StateMessage": "",
        "SubnetId": endpoint.subnet_id,
        "Tags": tags.as_list(endpoint.tags),
        "VpcId": endpoint.vpc_id,
    }


def _name(endpoint: ConnectEndpoint, fips: str) -> str:
    token = f"{zlib.crc32(endpoint.id.encode()):08x}"
    return f"{endpoint.id}.{token}.{fips}ec2-instance-connect-endpoint.{endpoint.region}.amazonaws.com"
