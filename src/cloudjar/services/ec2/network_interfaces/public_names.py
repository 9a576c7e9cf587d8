"""Which of an interface's public names is its own: that of its IPv4 address, of its IPv6 address, or of both.

All of them resolve; inside the VPC an IPv4 address is the private one.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import naming
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface

IPV4, IPV6, BOTH = "public-ipv4-dns-name", "public-ipv6-dns-name", "public-dual-stack-dns-name"


@op("ModifyPublicIpDnsNameOptions")
def modify_public_ip_dns_name_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An interface takes the name of addresses that it has."""
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    kind = req["HostnameType"]
    if not names(eni).get(kind):
        raise AwsError(
            "InvalidParameterValue",
            f"The network interface '{eni.id}' does not have the addresses that the hostname type {kind} needs.",
        )
    ctx.db[NetworkInterface].put(replace(eni, public_name=kind))
    return {"Successful": True}


def names(eni: NetworkInterface) -> dict[str, str]:
    """The public names of an interface by their types, as far as it has the addresses."""
    four = eni.primary.public.ip if eni.primary.public else ""
    six = eni.ipv6[0] if eni.ipv6 else ""
    found = {IPV4: naming.public_dns(eni.region, four)} if four else {}
    found |= {IPV6: naming.spelled(eni.region, six)} if six else {}
    return found | ({BOTH: naming.spelled(eni.region, six, four)} if six and four else {})


def own_name(eni: NetworkInterface) -> str:
    """The public name of an interface; empty when the addresses that it had are gone."""
    return names(eni).get(eni.public_name or IPV4, "")


def show(eni: NetworkInterface) -> dict[str, Any] | None:
    """AWS's PublicIpDnsNameOptions; None for an interface without public names."""
    found = names(eni)
    if not found:
        return None
    return {
        "DnsHostnameType": eni.public_name or IPV4,
        "PublicIpv4DnsName": found.get(IPV4),
        "PublicIpv6DnsName": found.get(IPV6),
        "PublicDualStackDnsName": found.get(BOTH),
    }


def refuse_losing(eni: NetworkInterface, private_ip: str) -> None:
    """Raise when the last public IPv4 address of an interface that is named by both is to be taken."""
    left = [a for a in eni.addresses if a.public is not None and a.ip != private_ip]
    if eni.public_name == BOTH and private_ip == eni.primary.ip and not left and names(eni).get(BOTH):
        raise AwsError(
            "OperationNotPermitted",
            f"The address cannot be disassociated: the public name of '{eni.id}' is a dual-stack one.",
        )
