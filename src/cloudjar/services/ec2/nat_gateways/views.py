"""NAT gateways in AWS's words."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.services.ec2.nat_gateways.records import NatAddress, NatGateway


def show_nat_gateway(gateway: NatGateway) -> dict[str, Any]:
    """AWS's NatGateway."""
    return {
        "AvailabilityMode": "zonal",
        "ConnectivityType": gateway.connectivity,
        "CreateTime": gateway.created,
        "DeleteTime": gateway.deleted,
        "FailureCode": gateway.failure_code or None,
        "FailureMessage": gateway.failure_message or None,
        "NatGatewayAddresses": [show_address(gateway, a, primary=not i) for i, a in enumerate(gateway.addresses)],
        "NatGatewayId": gateway.id,
        "State": gateway.state,
        "SubnetId": gateway.subnet_id,
        "Tags": tags.as_list(gateway.tags),
        "VpcId": gateway.vpc_id,
    }


_STATUS = {"pending": "associating", "failed": "failed", "deleting": "disassociating", "deleted": "succeeded"}


def show_address(gateway: NatGateway, address: NatAddress, *, primary: bool) -> dict[str, Any]:
    """AWS's NatGatewayAddress."""
    return {
        "AllocationId": address.allocation_id or None,
        "AssociationId": address.association_id or None,
        "IsPrimary": primary,
        "NetworkInterfaceId": gateway.interface_id or None,
        "PrivateIp": address.private_ip or None,
        "PublicIp": address.public_ip or None,
        "FailureMessage": address.failure or None,
        "Status": _STATUS.get(gateway.state, address.status),
    }
