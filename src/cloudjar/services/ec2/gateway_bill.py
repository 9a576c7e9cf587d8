"""What costs money at the edges of a VPC: NAT gateways and interface endpoints, by the hour.

https://aws.amazon.com/vpc/pricing/ https://aws.amazon.com/privatelink/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.transit_gateways.peering_records import TransitPeering
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint

NAT = Meter("AmazonEC2", "NatGateway-Hours", "NatGateway", "Hrs")


@meters(NatGateway)
def nat_gateway_hours(gateway: NatGateway) -> Iterable[Meter]:
    """A NAT gateway, for as long as it is available."""
    return (NAT,) if gateway.state == "available" else ()


@meters(VpcEndpoint)
def endpoint_hours(endpoint: VpcEndpoint) -> Iterable[Meter]:
    """An interface endpoint, in each of its zones; gateways to S3 and DynamoDB cost nothing."""
    if endpoint.state != "available" or not endpoint.interfaces:
        return ()
    return (Meter("AmazonVPC", "VpcEndpoint-Hours", "VpcEndpoint", "Hrs", Decimal(len(endpoint.interfaces))),)


@meters(TransitPeering)
def transit_peering_hours(item: TransitPeering) -> Iterable[Meter]:
    """A peering of transit gateways, for each gateway's owner: each has a copy, or one for both."""
    if item.state != "available":
        return ()
    here = sum((side.account, side.region) == (item.account, item.region) for side in item.sides)
    return (Meter("AmazonVPC", "TransitGateway-Hours", "TransitGatewayPeering", "Hrs", Decimal(here)),)


@meters(TransitAttachment)
def transit_attachment_hours(item: TransitAttachment) -> Iterable[Meter]:
    """An attachment to a transit gateway; the VPC's owner pays."""
    if not item.mine or not item.live:
        return ()
    return (Meter("AmazonVPC", "TransitGateway-Hours", "TransitGatewayVPC", "Hrs"),)
