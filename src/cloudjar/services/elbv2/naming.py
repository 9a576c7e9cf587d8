"""Names and ARNs of load balancers; what their DNS names mean.

https://docs.aws.amazon.com/general/latest/gr/elb.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.caller import service as service_caller
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx, World
from cloudjar.services.elbv2.records import LoadBalancer

HOSTED_ZONES = {
    "us-east-1": "Z35SXDOTRQ7X7K", "us-east-2": "Z3AADJGX6KTTL2", "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5", "eu-west-1": "Z32O12XQLNTSW2", "eu-west-2": "ZHURV8PSTC4K8",
    "eu-west-3": "Z3Q77PNBQS71R4", "eu-central-1": "Z215JYRZR1TBD5", "eu-north-1": "Z23TAZ6LKFMNIO",
    "ap-southeast-1": "Z1LMS91P8CMLE5", "ap-southeast-2": "Z1GM3OXH4ZPM65", "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-south-1": "ZP97RAFLXTNZK", "ca-central-1": "ZQSVJUPU6J1EY", "sa-east-1": "Z2P70J7HTTTPLU",
}  # fmt: skip
DOMAIN = ".elb.amazonaws.com"


def suffix() -> str:
    """The 16 hexadecimal digits at the end of an ARN."""
    return ids.entropy(8).hex()


def arn(ctx: Ctx, resource: str) -> str:
    """An ARN of this account and Region."""
    return f"arn:{arns.PARTITION}:elasticloadbalancing:{ctx.region}:{ctx.account}:{resource}"


def dns_name(ctx: Ctx, name: str, scheme: str) -> str:
    """``web-1234567890.eu-west-3.elb.amazonaws.com``, with ``internal-`` in front of an internal one."""
    front = "internal-" if scheme == "internal" else ""
    return f"{front}{name}-{10**9 + ids.below(9 * 10**9)}.{ctx.region}{DOMAIN}"


def addresses(world: World, name: str) -> tuple[str, ...] | None:
    """What a load balancer's name resolves to, inside VPCs and out: public addresses, or an internal one's private
    ones. None when it is not the name of one."""
    if not name.endswith(DOMAIN):
        return None
    with world.state.database.lock:
        ctx = Ctx(world, "", "", service_caller("elasticloadbalancing.amazonaws.com", ""))
        for balancer in ctx.db.everywhere(LoadBalancer):
            if balancer.dns_name.lower() == name:
                return _addresses(ctx.at(balancer.account, balancer.region), balancer)
    return ()


def _addresses(ctx: Ctx, balancer: LoadBalancer) -> tuple[str, ...]:
    lender = interfaces.lender(ctx)
    lent = [lender.look(ctx, zone.interface_id) for zone in balancer.zones]
    return tuple(e.private if balancer.scheme == "internal" else e.public for e in lent if e is not None)
