"""Multicast domains as they are stored: the domains, which subnets are in them, who is in their groups.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-multicast-overview.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Quota, Record, record


@record(
    "ec2",
    "transit-gateway-multicast-domain",
    index=("gateway_id",),
    missing=(
        "InvalidTransitGatewayMulticastDomainId.NotFound",
        "Transit Gateway Multicast Domain {key} was deleted or does not exist.",
    ),
    quotas=(
        Quota(
            ("ec2", "L-31775423"),
            ("TransitGatewayMulticastDomainLimitExceeded", "You have reached the limit of {limit} domains of {per}."),
            per="gateway_id",
            counts=lambda domain: domain.state != "deleted",
        ),
    ),
    parent=("ec2/transit-gateway", "gateway_id"),
)
class MulticastDomain(Record, frozen=True, kw_only=True):
    """A domain of a transit gateway of the account's own."""

    id: str
    gateway_id: str
    created: datetime
    state: str = "pending"
    static_sources: bool = False
    """Only who is registered as a source may send; else everybody in the domain's subnets."""
    auto_accept: bool = False
    tags: dict[str, str] = {}


@record("ec2", "multicast-association", key="subnet_id", index=("domain_id", "vpc_id", "attachment_id"),
        parent=("ec2/vpc", "vpc_id"))  # fmt: skip
class MulticastAssociation(Record, frozen=True, kw_only=True):
    """A subnet in a domain; it can be in one alone."""

    subnet_id: str
    domain_id: str
    attachment_id: str
    vpc_id: str
    state: str = "associating"


@record("ec2", "multicast-registration", index=("domain_id", "vpc_id", "interface_id"), parent=("ec2/vpc", "vpc_id"))
class MulticastRegistration(Record, frozen=True, kw_only=True):
    """An interface in a group, as a member or a source."""

    id: str
    domain_id: str
    group: str
    interface_id: str
    subnet_id: str
    vpc_id: str
    source: bool


def registration_id(domain_id: str, group: str, interface_id: str, *, source: bool) -> str:
    """The key of a registration."""
    return f"{domain_id}/{group}/{interface_id}/{'source' if source else 'member'}"
