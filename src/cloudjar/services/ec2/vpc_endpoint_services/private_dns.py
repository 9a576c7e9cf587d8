"""Private names of endpoint services, and how their owners prove that the domains are theirs.

https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.certificates import takes_word
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.names import texts
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(\*\.)?({_LABEL}\.)+[a-z]([a-z0-9-]*[a-z0-9])?")


def named(service: EndpointService, name: str) -> EndpointService:
    """The service with a private name that is still to be proven; without any for an empty one."""
    name = name.lower().rstrip(".")
    if name == service.private_name:
        return service
    if not name:
        return replace(service, private_name="", private_state="", private_value="", private_record="")
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise AwsError("InvalidParameter", f"The private DNS name '{name}' is not a valid domain name.")
    return replace(
        service,
        private_name=name,
        private_state="pendingVerification",
        private_value=f"vpce:{ids.token(20)}",
        private_record=f"_{ids.token(20).lower().replace('-', '0').replace('_', '0')}",
    )


def domain(service: EndpointService) -> str:
    """The domain that must be its owner's."""
    return service.private_name.removeprefix("*.")


def looked_at(world: World, service: EndpointService) -> EndpointService:
    """The service as it is once its domain was looked at: proven when the record says what it should."""
    said = texts(world, f"{service.private_record}.{domain(service)}")
    return replace(service, private_state="verified" if service.private_value in said else "failed")


@takes_word("vpc-endpoint-service/")
def prove(world: World, arn: str, name: str = "") -> list[str]:
    """Take somebody's word that a service's domain is its owner's; ValueError when nothing is asked."""
    parsed = arns.parse(arn)
    with world.state.database.transaction():
        ctx = Ctx(world, parsed.account if parsed else "", parsed.region if parsed else "",
                  service_caller("cloudjar.internal", ""))  # fmt: skip
        service = ctx.db[EndpointService].get(arn.rpartition("/")[2])
        if service is None or not service.private_name:
            raise ValueError(f"there is no endpoint service {arn} with a private name")
        if name and name != domain(service):
            raise ValueError(f"{arn} has no name {name}")
        ctx.db[EndpointService].put(replace(service, private_state="verified"))
        return []
