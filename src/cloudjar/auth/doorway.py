"""What authentication and authorisation ask of VPC endpoints: a port, so that they know no service.

https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.policy.document import parse
from cloudjar.policy.evaluate import Policy
from cloudjar.policy.grammar import Flavour
from cloudjar.wire.message import Request


class Doorway(NamedTuple):
    """An endpoint as a request finds it: botocore's name of the one service behind it, and its policy's text."""

    service: str
    document: str


FindDoorway = Callable[[str], Doorway | None]
"""By the endpoint's id; None when no such endpoint is open."""


def admit(find: FindDoorway, request: Request, service: str) -> None:
    """Refuse a request that came by an endpoint of another service, or by one that is gone."""
    if not request.vpce:
        return
    door = find(request.vpce)
    if door is None:
        raise _gone(request.vpce)
    if door.service != service:
        raise AwsError(
            "SignatureDoesNotMatch",
            f"Credential should be scoped to correct service: '{door.service}' (the VPC endpoint {request.vpce} leads "
            f"to no other).",
            403,
        )


def policy(find: FindDoorway, request: Request | None) -> Policy | None:
    """The policy of the endpoint that a request came by; None for a request that came by none."""
    if request is None or not request.vpce:
        return None
    door = find(request.vpce)
    if door is None:
        raise _gone(request.vpce)
    return Policy(parse(door.document, Flavour.ENDPOINT), f"the policy of {request.vpce}")


def _gone(endpoint_id: str) -> AwsError:
    return AwsError("AccessDenied", f"The VPC endpoint {endpoint_id} is not available.", 403)
