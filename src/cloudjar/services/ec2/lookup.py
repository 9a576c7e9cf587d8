"""Finding records by the ids of a request, and answering Describe calls.

One id that is malformed or unknown fails the whole call, as on AWS. Filters read the answer itself, so what a filter
finds is what the caller sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from cloudjar.kit import filters, pages
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record, meta
from cloudjar.services.ec2 import errors
from cloudjar.spec.models import Paginator

R = TypeVar("R", bound=Record)
View = dict[str, Any]

_HEX = re.compile(r"[0-9a-f]{8}(?:[0-9a-f]{9})?")

# IAM resource type -> (prefix of its ids, code for an id of another form). Types that AWS publishes no such code for
# answer not-found instead.
FORMS: dict[str, tuple[str, str]] = {
    "capacity-reservation": ("cr", "InvalidCapacityReservationId.Malformed"),
    "capacity-reservation-fleet": ("crf", "InvalidCapacityReservationFleetId.Malformed"),
    "dedicated-host": ("h", "InvalidHostID.Malformed"),
    "dhcp-options": ("dopt", "InvalidDhcpOptionsId.Malformed"),
    "egress-only-internet-gateway": ("eigw", "InvalidEgressOnlyInternetGatewayId.Malformed"),
    "elastic-ip": ("eipalloc", ""),
    "fleet": ("fleet", ""),
    "spot-fleet-request": ("sfr", ""),
    "image": ("ami", "InvalidAMIID.Malformed"),
    "image-usage-report": ("amiur", ""),
    "instance": ("i", "InvalidInstanceID.Malformed"),
    "instance-connect-endpoint": ("eice", "InvalidInstanceConnectEndpointId.Malformed"),
    "instance-event-window": ("iew", "InvalidInstanceEventWindowId.Malformed"),
    "internet-gateway": ("igw", "InvalidInternetGatewayId.Malformed"),
    "launch-template": ("lt", "InvalidLaunchTemplateId.Malformed"),
    "natgateway": ("nat", "NatGatewayMalformed"),
    "network-acl": ("acl", "InvalidNetworkAclId.Malformed"),
    "network-interface": ("eni", "InvalidNetworkInterfaceId.Malformed"),
    "network-interface-permission": ("eni-perm", "InvalidNetworkInterfacePermissionID.Malformed"),
    "network-insights-access-scope": ("nis", "InvalidNetworkInsightsAccessScopeId.Malformed"),
    "network-insights-access-scope-analysis": ("nisa", "InvalidNetworkInsightsAccessScopeAnalysisId.Malformed"),
    "network-insights-analysis": ("nia", "InvalidNetworkInsightsAnalysisId.Malformed"),
    "network-insights-path": ("nip", "InvalidNetworkInsightsPathId.Malformed"),
    "prefix-list": ("pl", "InvalidPrefixListId.Malformed"),
    "replace-root-volume-task": ("replacevol", "InvalidReplaceRootVolumeTaskID.Malformed"),
    "reserved-instances": ("reserved", ""),
    "route-table": ("rtb", "InvalidRouteTableId.Malformed"),
    "security-group": ("sg", "InvalidGroupId.Malformed"),
    "security-group-rule": ("sgr", "InvalidSecurityGroupRuleId.Malformed"),
    "snapshot": ("snap", "InvalidSnapshotID.Malformed"),
    "spot-instances-request": ("sir", "InvalidSpotInstanceRequestID.Malformed"),
    "subnet-cidr-reservation": ("scr", "InvalidSubnetCidrReservationID.Malformed"),
    "subnet": ("subnet", "InvalidSubnetID.Malformed"),
    "transit-gateway": ("tgw", "InvalidTransitGatewayID.Malformed"),
    "transit-gateway-attachment": ("tgw-attach", "InvalidTransitGatewayAttachmentID.Malformed"),
    "transit-gateway-connect-peer": ("tgw-connect-peer", "InvalidTransitGatewayConnectPeerId.Malformed"),
    "transit-gateway-multicast-domain": (
        "tgw-mcast-domain", "InvalidTransitGatewayMulticastDomainId.Malformed",
    ),
    "transit-gateway-policy-table": ("tgw-ptb", "InvalidTransitGatewayPolicyTableId.Malformed"),
    "transit-gateway-route-table": ("tgw-rtb", "InvalidRouteTableId.Malformed"),
    "volume": ("vol", "InvalidVolumeID.Malformed"),
    "vpc": ("vpc", "InvalidVpcID.Malformed"),
    "vpc-block-public-access-exclusion": (
        "vpcbpa-exclude", "InvalidVpcBlockPublicAccessExclusionId.Malformed",
    ),
    "vpc-endpoint-connection-notification": ("vpce-nfn", ""),
    "vpc-endpoint-service": ("vpce-svc", ""),
    "vpc-flow-log": ("fl", ""),
    "vpc-endpoint": ("vpce", "InvalidVpcEndpointId.Malformed"),
    "vpc-peering-connection": ("pcx", "InvalidVpcPeeringConnectionId.Malformed"),
}


def is_id(prefix: str, value: str) -> bool:
    """Whether a text has the form of an id: a prefix, a hyphen and 8 or 17 hex digits."""
    head, _, tail = value.rpartition("-")
    return head == prefix and _HEX.fullmatch(tail) is not None


def check_form(cls: type[Record], value: str) -> None:
    """Raise the type's Malformed answer for an id of another form."""
    prefix, code = FORMS[meta(cls).noun]
    if code and not is_id(prefix, value):
        raise errors.malformed(code, value, prefix)


def need(ctx: Ctx, cls: type[R], value: str) -> R:
    """The record with this id; raises the type's Malformed or NotFound."""
    check_form(cls, value)
    return ctx.db[cls].need(value)


def need_all(ctx: Ctx, cls: type[R], values: Iterable[str]) -> list[R]:
    """The records with these ids, each once, in the order asked; forms are checked before existence."""
    wanted = dict.fromkeys(values)
    for value in wanted:
        check_form(cls, value)
    return ctx.db[cls].need_all(wanted)


class Row(NamedTuple):
    """A record's tags and its answer, as filters read them."""

    tags: Mapping[str, str]
    view: View


Paths = dict[str, filters.Getter]
"""Filter name -> how to read its value from a `Row`; made by `by_path`."""


def by_path(paths: Mapping[str, str]) -> Paths:
    """Filters by where their values stand in the answer: ``Associations[].Main``."""
    return {name: _reader(path) for name, path in paths.items()}


def _reader(path: str) -> filters.Getter:
    steps = [(step.removesuffix("[]"), step.endswith("[]")) for step in path.split(".")]
    if steps == [(path, False)]:
        return lambda row: row.view.get(path)

    def read(row: Row) -> list[Any]:
        level: list[Any] = [row.view]
        for name, many in steps:
            found = [value[name] for value in level if value.get(name) is not None]
            level = [item for items in found for item in items] if many else found
        return level

    return read


def _managed(row: Row) -> bool:
    return bool((row.view.get("Operator") or {}).get("Managed"))


UNMANAGED: dict[str, filters.Getter] = {
    "operator.managed": _managed,
    "operator.principal": lambda row: (row.view.get("Operator") or {}).get("Principal"),
}
"""Filters by the service that manages something for its account: none does here."""


def narrow(req: Mapping[str, Any], paths: Paths, rows: Sequence[Row]) -> list[View]:
    """The answers that the request's filters admit."""
    return [row.view for row in filters.apply(req.get("Filters"), paths, rows)]


def describe(
    ctx: Ctx, req: Mapping[str, Any], cls: type[R], member: str, show: Callable[[R], View], paths: Paths
) -> list[View]:
    """What a Describe call answers: the records with the ids in `member`, or all; then the filters."""
    values = req.get(member)
    if values and req.get("MaxResults"):
        name = member[0].lower() + member[1:]
        raise errors.combination(f"The parameter {name} cannot be used with the parameter maxResults")
    items = need_all(ctx, cls, values) if values else ctx.db[cls].all()
    return narrow(req, paths, [Row(getattr(item, "tags", {}), show(item)) for item in items])


def in_pages(req: Mapping[str, Any], operation: str, key: str, rows: Sequence[View]) -> dict[str, Any]:
    """One page of an answer whose paginator AWS's model does not have: ``MaxResults`` and ``NextToken`` as usual."""
    how = Paginator(("NextToken",), ("NextToken",), "MaxResults", (key,), "")
    return pages.cut(how, "ec2", operation, dict(req), {key: list(rows)})
