"""How much one load balancer may hold: targets, target groups, a VPC's interfaces. Asked after a change, which an
`AwsError` undoes.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.elbv2 import actions
from cloudjar.services.elbv2.life import over
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Registered, Rule, TargetGroup
from cloudjar.services.elbv2.views import users

_SERVICE = "elasticloadbalancing"
_TARGETS = {"app": "L-7E6692B2", "net": "L-EEF1AD04"}
_TARGETS_IN_ZONE = "L-B211E961"
_INTERFACES = "L-23568085"
GROUPS_PER_BALANCER = 100
REGISTRATIONS_PER_ID = 1000
LISTENERS_PER_NETWORK_BALANCER = 50
"""Fixed: Service Quotas does not list these three."""


def check_targets(ctx: Ctx, balancer: LoadBalancer) -> None:
    """Raise TooManyTargets, TooManyRegistrationsForTargetId or TooManyUniqueTargetGroupsPerLoadBalancer."""
    groups = [group for arn in _groups(ctx, balancer) if (group := ctx.db[TargetGroup].get(arn)) is not None]
    if balancer.kind == "app" and len(groups) > GROUPS_PER_BALANCER:
        raise AwsError(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            f"The maximum number of target groups has been reached for load balancer '{balancer.arn}'",
        )
    held = [target for group in groups for target in group.targets if not over(target.draining_until, ctx.now)]
    _check_count(ctx, _TARGETS[balancer.kind], len(held), f"load balancer '{balancer.arn}'")
    if balancer.kind == "app":
        _check_registrations(held)
    else:
        for zone, count in Counter(target.home or target.zone for target in held).items():
            _check_count(ctx, _TARGETS_IN_ZONE, count, f"load balancer '{balancer.arn}' in '{zone}'")


def _groups(ctx: Ctx, balancer: LoadBalancer) -> list[str]:
    given = [item.actions for item in ctx.db[Listener].all(load_balancer_arn=balancer.arn)]
    given += [item.actions for item in ctx.db[Rule].all(load_balancer_arn=balancer.arn)]
    return sorted({arn for one in given for arn in actions.groups_of(one)})


def _check_count(ctx: Ctx, code: str, count: int, where: str) -> None:
    limit = ctx.limit(_SERVICE, code)
    if limit is not None and count > limit:
        raise AwsError("TooManyTargets", f"The maximum number of targets has been reached for {where}")


def _check_registrations(held: Collection[Registered]) -> None:
    for key, count in Counter(target.id for target in held).items():
        if count > REGISTRATIONS_PER_ID:
            raise AwsError(
                "TooManyRegistrationsForTargetId",
                f"You've reached the limit on the number of times a target can be registered: '{key}'",
            )


def check_users(ctx: Ctx, group_arn: str) -> None:
    """The same of every load balancer that sends to a target group."""
    for arn in users(ctx, group_arn):
        balancer = ctx.db[LoadBalancer].get(arn)
        if balancer is not None:
            check_targets(ctx, balancer)


def check_interfaces(ctx: Ctx, vpc_id: str) -> None:
    """Raise InvalidConfigurationRequest when Network Load Balancers have too many interfaces in a VPC."""
    limit = ctx.limit(_SERVICE, _INTERFACES)
    nodes = [b for b in ctx.db[LoadBalancer].all() if b.kind == "net" and b.vpc_id == vpc_id]
    if limit is not None and sum(len(balancer.zones) for balancer in nodes) > limit:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"The maximum number of network interfaces of network load balancers has been reached for VPC '{vpc_id}'",
        )


def check_listeners(ctx: Ctx, listener: Listener) -> None:
    """Raise TooManyListeners for one too many of a Network Load Balancer."""
    count = ctx.db[Listener].count(load_balancer_arn=listener.load_balancer_arn)
    if listener.kind == "net" and count > LISTENERS_PER_NETWORK_BALANCER:
        raise AwsError(
            "TooManyListeners",
            f"The maximum number of listeners has been reached for load balancer '{listener.load_balancer_arn}'",
        )
