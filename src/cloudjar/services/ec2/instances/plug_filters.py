"""Filters of instances by their network interfaces, which are read whole: an instance shows less of them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
"""

from __future__ import annotations

from cloudjar.services.ec2.lookup import by_path

PREFIX = "network-interface."
PLUGS = "_Enis"
"""Where they stand in the answer that the filters read."""
_ASSOCIATION = {
    "allocation-id": "AllocationId",
    "association-id": "AssociationId",
    "carrier-ip": "CarrierIp",
    "customer-owned-ip": "CustomerOwnedIp",
    "ip-owner-id": "IpOwnerId",
    "public-dns-name": "PublicDnsName",
    "public-ip": "PublicIp",
}
_PATHS = {
    **{f"addresses.association.{n}": f"PrivateIpAddresses[].Association.{p}" for n, p in _ASSOCIATION.items()},
    "addresses.primary": "PrivateIpAddresses[].Primary",
    "addresses.private-dns-name": "PrivateIpAddresses[].PrivateDnsName",
    "addresses.private-ip-address": "PrivateIpAddresses[].PrivateIpAddress",
    **{f"association.{n}": f"Association.{p}" for n, p in _ASSOCIATION.items()},
    "attachment.attach-time": "Attachment.AttachTime",
    "attachment.attachment-id": "Attachment.AttachmentId",
    "attachment.delete-on-termination": "Attachment.DeleteOnTermination",
    "attachment.device-index": "Attachment.DeviceIndex",
    "attachment.instance-id": "Attachment.InstanceId",
    "attachment.instance-owner-id": "Attachment.InstanceOwnerId",
    "attachment.network-card-index": "Attachment.NetworkCardIndex",
    "attachment.status": "Attachment.Status",
    "availability-zone": "AvailabilityZone",
    "deny-all-igw-traffic": "DenyAllIgwTraffic",
    "description": "Description",
    "group-id": "Groups[].GroupId",
    "group-name": "Groups[].GroupName",
    "ipv4-prefixes.ipv4-prefix": "Ipv4Prefixes[].Ipv4Prefix",
    "ipv6-address": "Ipv6Addresses[].Ipv6Address",
    "ipv6-addresses.ipv6-address": "Ipv6Addresses[].Ipv6Address",
    "ipv6-addresses.is-primary-ipv6": "Ipv6Addresses[].IsPrimaryIpv6",
    "ipv6-native": "Ipv6Native",
    "ipv6-prefixes.ipv6-prefix": "Ipv6Prefixes[].Ipv6Prefix",
    "mac-address": "MacAddress",
    "network-interface-id": "NetworkInterfaceId",
    "operator.principal": "Operator.Principal",
    "outpost-arn": "OutpostArn",
    "owner-id": "OwnerId",
    "private-dns-name": "PrivateDnsName",
    "private-ip-address": "PrivateIpAddress",
    "public-dns-name": "PublicDnsName",
    "requester-id": "RequesterId",
    "requester-managed": "RequesterManaged",
    "source-dest-check": "SourceDestCheck",
    "status": "Status",
    "subnet-id": "SubnetId",
    "tag-key": "TagSet[].Key",
    "tag-value": "TagSet[].Value",
    "vpc-id": "VpcId",
}
PLUG_FILTERS = by_path({f"{PREFIX}{name}": f"{PLUGS}[].{path}" for name, path in _PATHS.items()})
PLUG_FILTERS[f"{PREFIX}operator.managed"] = lambda row: [
    bool((eni.get("Operator") or {}).get("Managed")) for eni in row.view[PLUGS]
]
