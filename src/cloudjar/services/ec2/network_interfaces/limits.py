"""How many interfaces, and addresses on each, an instance type carries.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/AvailableIpPerENI.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.spec import instance_types


def refuse_too_many(kind: str, interfaces: int, addresses: int) -> None:
    """Raise AttachmentLimitExceeded or PrivateIpAddressLimitExceeded when a type does not carry so many.

    `addresses` are IPv4 addresses of one interface.
    """
    facts = instance_types.facts(kind)["NetworkInfo"]
    if interfaces > facts["MaximumNetworkInterfaces"]:
        raise AwsError("AttachmentLimitExceeded", f"Interface count {interfaces} exceeds the limit for {kind}")
    if addresses > facts["Ipv4AddressesPerInterface"]:
        raise AwsError("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")


def refuse_too_many6(kind: str, addresses: int) -> None:
    """Raise when a type does not carry so many IPv6 addresses on one interface."""
    facts = instance_types.facts(kind)["NetworkInfo"]
    if not facts.get("Ipv6Supported"):
        raise AwsError("InvalidParameterCombination", f"The instance type {kind} does not support IPv6.")
    if addresses > facts["Ipv6AddressesPerInterface"]:
        raise AwsError("Ipv6AddressLimitExceeded", "Number of IPv6 addresses will exceed limit.")
