"""Names and ARNs of load balancers; what their DNS names mean.

https://docs.aws.amazon.com/general/latest/gr/elb.html
"""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.caller import service as service_caller
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.names import resolves
from cloudjar.services.elbv2 import actions, planning
from cloudjar.services.elbv2.planning import lit
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule, TargetGroup
from cloudjar.spec import regions

HOSTED_ZONES = {
    "us-east-1": "Z35SXDOTRQ7X7K", "us-east-2": "Z3AADJGX6KTTL2", "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5", "eu-west-1": "Z32O12XQLNTSW2", "eu-west-2": "ZHURV8PSTC4K8",
    "eu-west-3": "Z3Q77PNBQS71R4", "eu-central-1": "Z215JYRZR1TBD5", "eu-north-1": "Z23TAZ6LKFMNIO",
    "ap-southeast-1": "Z1LMS91P8CMLE5", "ap-southeast-2": "Z1GM3OXH4ZPM65", "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-south-1": "ZP97RAFLXTNZK", "ca-central-1": "ZQSVJUPU6J1EY", "sa-east-1": "Z2P70J7HTTTPLU",
}  # fmt: skip
NETWORK_ZONES = {
    "us-east-1": "Z26RNL4JYFTOTI", "us-east-2": "ZLMOA37VPKANP", "us-west-1": "Z24FKFUX50B4VW",
    "us-west-2": "Z18D5FSROUN65G", "eu-west-1": "Z2IFOLAFXWLO4F", "eu-west-2": "ZD4D7Y8KGAS4G",
    "eu-west-3": "Z1CMS0P5QUZ6D5", "eu-central-1": "Z3F0SRJ5LGBH90", "eu-north-1": "Z1UDT6IFJ4EJM",
    "ap-southeast-1": "ZKVM4W9LS7TM", "ap-southeast-2": "ZCT6FZBF4DROD", "ap-northeast-1": "Z31USIVHYNEOWT",
    "ap-south-1": "ZVDDRBQ08TROA", "ca-central-1": "Z2EPGBW3API2WT", "sa-east-1": "ZTK26PT1VY4CU",
}  # fmt: skip
DOMAIN = ".elb.amazonaws.com"


def suffix() -> str:
    """The 16 hexadecimal digits at the end of an ARN."""
    return ids.entropy(8).hex()


def arn(ctx: Ctx, resource: str) -> str:
    """An ARN of this account and Region."""
    return f"arn:{arns.PARTITION}:elasticloadbalancing:{ctx.region}:{ctx.account}:{resource}"


def dns_name(ctx: Ctx, kind: str, name: str, suffix: str, scheme: str) -> str:
    """``web-1234567890.eu-west-3.elb.amazonaws.com``, with ``internal-`` in front of an internal one; a Network Load
    Balancer's: ``web-0123456789abcdef.elb.eu-west-3.amazonaws.com``."""
    if kind == "net":
        return f"{name}-{suffix}{network_domain(ctx.region)}"
    front = "internal-" if scheme == "internal" else ""
    return f"{front}{name}-{10**9 + ids.below(9 * 10**9)}.{ctx.region}{DOMAIN}"


def network_domain(region: str) -> str:
    """What names of Network Load Balancers end with."""
    return f".elb.{region}.amazonaws.com"


@resolves(DOMAIN)
def addresses(world: World, _: str, name: str) -> tuple[str, ...]:
    """What a load balancer's name resolves to, inside VPCs and out: public addresses, or an internal one's private
    ones."""
    with world.state.database.lock:
        ctx = Ctx(world, "", "", service_caller("elasticloadbalancing.amazonaws.com", ""))
        for balancer in ctx.db.everywhere(LoadBalancer):
            if balancer.dns_name.lower() in (name, name.partition(".")[2]):
                zone = "" if balancer.dns_name.lower() == name else name.partition(".")[0]
                return _addresses(ctx.at(balancer.account, balancer.region), balancer, zone)
    return ()


for _region in regions.NAMES:
    resolves(network_domain(_region))(addresses)


def _addresses(ctx: Ctx, balancer: LoadBalancer, zone: str) -> tuple[str, ...]:
    """Of all its zones, or of the one that a Network Load Balancer's name begins with."""
    lender = interfaces.lender(ctx)
    asked = [z for z in lit(ctx, balancer) if not zone or (z.name == zone and balancer.kind == "net")]
    if not zone:
        well = _well(ctx, balancer)
        asked = [z for z in asked if z.name in well] or asked
    lent = [lender.look(ctx, z.interface_id) for z in asked]
    return tuple(e.private if balancer.scheme == "internal" else e.public for e in lent if e is not None)


def _well(ctx: Ctx, balancer: LoadBalancer) -> set[str]:
    """The zones whose node has a healthy target to send to: the others are not told to clients while there are any."""
    acting = [item.actions for item in ctx.db[Listener].all(load_balancer_arn=balancer.arn)]
    acting += [item.actions for item in ctx.db[Rule].all(load_balancer_arn=balancer.arn)]
    found = (ctx.db[TargetGroup].get(arn) for given in acting for arn in actions.groups_of(given))
    return {
        zone.name
        for group in found if group is not None
        for target in group.targets if (probed := group.health.get(target.place)) and probed.state == "healthy"
        for zone in balancer.zones if planning.serves(balancer, group, target, zone)
    }  # fmt: skip
