"""VPC endpoints in AWS's words."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.db import Db
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.security_groups.records import SecurityGroup
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpc_endpoints.services import ending, private_name

FILTERS = by_path(
    {
        "ip-address-type": "IpAddressType",
        "service-name": "ServiceName",
        "service-region": "ServiceRegion",
        "vpc-endpoint-id": "VpcEndpointId",
        "vpc-endpoint-state": "State",
        "vpc-endpoint-type": "VpcEndpointType",
        "vpc-id": "VpcId",
    }
)


def names_of(endpoint: VpcEndpoint, zones: Mapping[str, str]) -> list[str]:
    """The DNS names of an interface endpoint: its own, one for each zone, and the service's with private DNS.

    `zones` is the zone of each subnet.
    """
    found = [own_name(endpoint), *(zone_name(endpoint, zones[key]) for key in endpoint.subnets if key in zones)]
    return found + ([service_name(endpoint)] if endpoint.private_dns else [])


def own_name(endpoint: VpcEndpoint) -> str:
    """The name of all addresses of an interface endpoint."""
    return _named(endpoint, "")


def zone_name(endpoint: VpcEndpoint, zone: str) -> str:
    """The name of its address in one zone."""
    return _named(endpoint, f"-{zone}")


def service_name(endpoint: VpcEndpoint) -> str:
    """The public name of the service, which private DNS takes over inside the VPC."""
    return endpoint.private_name or private_name(endpoint.region, ending(endpoint.region, endpoint.service))


def _named(endpoint: VpcEndpoint, place: str) -> str:
    token = f"{zlib.crc32(endpoint.id.encode()):08x}"
    end = ending(endpoint.region, endpoint.service)
    return f"{endpoint.id}-{token}{place}.{end}.{endpoint.region}.vpce.amazonaws.com"


class Scene:
    """What views of endpoints need besides their own records, loaded once."""

    def __init__(self, db: Db) -> None:
        self.groups = {group.id: group.name for group in db[SecurityGroup].all()}
        self.zones = {subnet.id: subnet.zone for subnet in db[Subnet].all()}

    def show(self, endpoint: VpcEndpoint) -> dict[str, Any]:
        """AWS's VpcEndpoint."""
        interface = endpoint.type == "Interface"
        return {
            "CreationTimestamp": endpoint.created,
            "DnsEntries": [{"DnsName": name} for name in names_of(endpoint, self.zones)] if interface else [],
            "Groups": [{"GroupId": g, "GroupName": self.groups.get(g, "")} for g in endpoint.groups],
            "IpAddressType": "ipv4",
            "DnsOptions": {"DnsRecordIpType": "ipv4"} if interface else None,
            "NetworkInterfaceIds": list(endpoint.interfaces),
            "OwnerId": endpoint.account,
            "PolicyDocument": endpoint.document,
            "PrivateDnsEnabled": endpoint.private_dns,
            "RequesterManaged": False,
            "RouteTableIds": list(endpoint.route_tables),
            "ServiceName": endpoint.service,
            "ServiceRegion": endpoint.region,
            "State": endpoint.state,
            "SubnetIds": list(endpoint.subnets),
            "Tags": tags.as_list(endpoint.tags),
            "VpcEndpointId": endpoint.id,
            "VpcEndpointType": endpoint.type,
            "VpcId": endpoint.vpc_id,
        }
