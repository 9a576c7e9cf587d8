"""What costs money: a load balancer by the hour. Its capacity units are not counted yet (README.md).

https://aws.amazon.com/elasticloadbalancing/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.elbv2.records import LoadBalancer


@meters(LoadBalancer)
def hours(_: LoadBalancer) -> Iterable[Meter]:
    """The load balancer, for as long as it is there."""
    return (Meter("AWSELB", "LoadBalancerUsage", "LoadBalancing:Application", "Hrs"),)
