"""Which service a name means, who may connect to it, where it is, and who is connected.

https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpc_endpoint_services.records import NAMES, EndpointService
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.spec import regions

_PRINCIPAL = re.compile(r"arn:aws:iam::(\d{12}):(root|user/.+|role/.+)")


def is_own(name: str) -> bool:
    """Whether a service's name is of somebody's own service."""
    return name.startswith(NAMES)


def service_named(ctx: Ctx, name: str) -> EndpointService | None:
    """The service of this Region with a name, if the caller may know it."""
    found = ctx.db.find(EndpointService, name.rpartition(".")[2])
    if found is None or found.name != name or found.region != ctx.region:
        return None
    return found if may_connect(found, ctx.caller) else None


def may_connect(service: EndpointService, caller: Caller) -> bool:
    """Whether a principal may have endpoints to a service: its owner's, and those that it admits."""
    if caller.account == service.account:
        return True
    return any(_means(one.principal, caller) for one in service.permissions)


def _means(principal: str, caller: Caller) -> bool:
    if principal == "*":
        return True
    found = _PRINCIPAL.fullmatch(principal)
    if found is None or found[1] != caller.account:
        return False
    return found[2] == "root" or principal in (caller.arn, caller.role_arn)


def principal_type(principal: str) -> str:
    """AWS's word for a principal; raises InvalidPrincipal for what is none."""
    found = _PRINCIPAL.fullmatch(principal)
    if principal == "*":
        return "All"
    if found is None:
        raise AwsError("InvalidPrincipal", f"The principal '{principal}' is not valid.")
    return {"root": "Account", "user": "User", "role": "Role"}[found[2].partition("/")[0]]


def nodes(db: Db, service: EndpointService) -> list[NetworkInterface]:
    """The interfaces of a service's load balancers, first balancer first; `db` may be anybody's."""
    own = db.at(service.account, service.region)
    found: list[NetworkInterface] = []
    for balancer in service.balancers:
        enis = own[NetworkInterface].all(vpc_id=balancer.vpc_id)
        found += [eni for eni in enis if eni.description == f"ELB {balancer.tail}" and eni.requester_managed]
    return found


def zone_ids(db: Db, service: EndpointService) -> list[str]:
    """The zones in which a service has a node."""
    return sorted({eni.zone_id for eni in nodes(db, service)})


def zone_names(service: EndpointService, ids: Iterable[str], account: str) -> list[str]:
    """What an account calls zones."""
    wanted = set(ids)
    return [zone.name for zone in regions.zones(service.region, account) if zone.id in wanted]


def check_zones(db: Db, service: EndpointService, subnets: Iterable[Subnet]) -> None:
    """Refuse subnets in zones where the service is not."""
    ids = zone_ids(db, service)
    for subnet in subnets:
        if subnet.zone_id not in ids:
            raise AwsError(
                "InvalidParameter",
                f"The VPC endpoint service {service.name} does not support the availability zone of the subnet: "
                f"{subnet.id}.",
            )


def endpoints_of(db: Db, service: EndpointService) -> list[VpcEndpoint]:
    """Everybody's endpoints to a service, oldest first."""
    found = [one for one in db.everywhere(VpcEndpoint) if one.service == service.name]
    return sorted(found, key=lambda one: (one.created, one.id))
