"""The API under its public names, for guests: ``sts.eu-west-3.amazonaws.com`` leads from inside a VPC to this jar, over
the VPC's way to the Internet, at the ports of HTTP and HTTPS. A guest's calls never go to the real cloud.

https://docs.aws.amazon.com/general/latest/gr/rande.html
"""

from __future__ import annotations

from cloudjar.planes.network.port import NetworkPort
from cloudjar.spec.regions import regions
from cloudjar.wire import host

_DOMAIN = ".amazonaws.com"
_OWN = ("s3", "dynamodb")
"""Services with an address of their own, to which gateway endpoints lead."""


def certificate_names() -> tuple[str, ...]:
    """What a certificate has to hold so that clients believe any of these names; a wildcard stands for one label."""
    names = [f"*{_DOMAIN}", f"*.s3{_DOMAIN}"]
    for region in regions():
        names += [f"*.{region.name}{_DOMAIN}", f"*.s3.{region.name}{_DOMAIN}"]
    return tuple(names)


def service(name: str) -> str:
    """The endpoint prefix of the service that a name is an endpoint of, whether it is built or not; or empty."""
    name = name.lower().rstrip(".")
    if not name.endswith(_DOMAIN):
        return ""
    found = host.read(name)
    if found.service in ("s3", "s3-control"):
        return "s3"
    before, _, region = name.removesuffix(_DOMAIN).rpartition(".")
    is_region = region in {known.name for known in regions()}
    return found.service if (before if is_region else name.removesuffix(_DOMAIN)) == found.service else ""


def addresses(network: NetworkPort, vpc_id: str, name: str) -> tuple[str, ...] | None:
    """Where guests find the endpoint of that name; None: it is none, or nobody of a VPC asks."""
    found = service(name) if vpc_id else ""
    if not found:
        return None
    return (network.service_addresses[found] if found in _OWN else network.host_address,)
