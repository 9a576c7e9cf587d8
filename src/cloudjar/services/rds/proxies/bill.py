"""What a proxy costs: by the hour for each vCPU of the instance behind it, of two at least.

https://aws.amazon.com/rds/proxy/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.rds.proxies.records import Proxy

_LEAST = 2


@meters(Proxy)
def hours(proxy: Proxy) -> Iterable[Meter]:
    """While it leads to an instance."""
    if proxy.state in ("available", "modifying") and proxy.vcpus:
        yield Meter("AmazonRDS", "RDS:ProxyUsage", "", "vCPU-Hours", Decimal(max(_LEAST, proxy.vcpus)))
