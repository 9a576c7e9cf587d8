"""What costs money: a load balancer by the hour. Its capacity units are not counted yet (README.md).

https://aws.amazon.com/elasticloadbalancing/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.elbv2.records import LoadBalancer

OPERATIONS = {"app": "LoadBalancing:Application", "net": "LoadBalancing:Network"}


@meters(LoadBalancer)
def hours(balancer: LoadBalancer) -> Iterable[Meter]:
    """The load balancer, for as long as it is there."""
    return (Meter("AWSELB", "LoadBalancerUsage", OPERATIONS[balancer.kind], "Hrs"),)
