"""Network interfaces for services that live in a VPC: the service that owns interfaces lends, the others plug in.

An interface that is lent is attached to a guest of the borrower's choice: a network namespace of that name in which
the borrower's plane runs whatever is to be reached there. It is shown as AWS shows interfaces of managed services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from cloudjar.kit.context import Ctx


class Lent(NamedTuple):
    """An interface as its borrower sees it; `public` is "" when there is no public address."""

    id: str
    private: str
    public: str


class Lender(Protocol):
    """All inside the caller's transaction; EC2's own answers (`AwsError`) come through."""

    def lend(
        self,
        ctx: Ctx,
        guest: str,
        subnet_id: str,
        groups: Sequence[str],
        *,
        description: str,
        owner: str,
        public: bool,
        kind: str = "interface",
        relays: bool = False,
        guarded: bool = True,
        private: str = "",
        allocation: str = "",
    ) -> Lent:
        """A new interface in a subnet, attached to `guest`. `owner` is an alias like ``amazon-elb``.

        One that `relays` passes flows on in their own names; without `guarded` it has no security groups and none
        decide. `private` is the address it must have, `allocation` the Elastic IP in front of it.
        """
        ...

    def look(self, ctx: Ctx, interface_id: str) -> Lent | None:
        """What an interface has now."""
        ...

    def regroup(self, ctx: Ctx, interface_id: str, groups: Sequence[str]) -> None:
        """Change its security groups."""
        ...

    def expose(self, ctx: Ctx, interface_id: str, public: bool) -> None:
        """Whether a public address of the pool stands in front of it."""
        ...

    def guard_links(self, ctx: Ctx, interface_id: str, guarded: bool) -> None:
        """Whether its security groups decide about what comes by private links."""
        ...

    def offered(self, ctx: Ctx, balancer_arn: str) -> bool:
        """Whether a network load balancer is part of an endpoint service."""
        ...

    def take_back(self, ctx: Ctx, interface_id: str) -> None:
        """Remove it and its public address; nothing when it is gone."""
        ...

    def address_of(self, ctx: Ctx, instance_id: str) -> str:
        """The primary private address of an instance's first interface, or ""."""
        ...

    def groups_of(self, ctx: Ctx, vpc_id: str, groups: Sequence[str]) -> tuple[str, ...]:
        """Security groups of a VPC, checked; its default group when there are none."""
        ...

    def zone_of(self, ctx: Ctx, vpc_id: str, address: str) -> str:
        """The zone of the subnet that holds a private address, or ""."""
        ...

    def has_internet_gateway(self, ctx: Ctx, vpc_id: str) -> bool:
        """Whether one is attached to the VPC."""
        ...

    def default_subnets(self, ctx: Ctx) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The default VPC and its subnets, as (id, zone) by zone; "" and none when it was deleted."""
        ...


_LENDERS: list[Lender] = []


def lends(lender: Lender) -> None:
    """Declare who owns interfaces (at import)."""
    _LENDERS[:] = [lender]


def lender(ctx: Ctx) -> Lender:
    """Who owns interfaces; its service is loaded when it is not yet."""
    ctx.world.load("ec2")
    return _LENDERS[0]
