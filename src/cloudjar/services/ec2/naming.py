"""DNS names that follow from addresses.

https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html
"""

from __future__ import annotations

from cloudjar.planes.dns.spelled import spelled as spelled


def private_domain(region: str) -> str:
    """Where the names of private addresses end; also the search domain of guests."""
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


def private_dns(region: str, ip: str) -> str:
    """``ip-10-0-1-5.eu-west-3.compute.internal``."""
    return f"ip-{ip.replace('.', '-')}.{private_domain(region)}"


def resource_name(region: str, instance_id: str) -> str:
    """``i-0123456789abcdef0.eu-west-3.compute.internal``."""
    return f"{instance_id}.{private_domain(region)}"


def host_name(kind: str, region: str, instance_id: str, ip: str) -> str:
    """An instance's own name; `kind` is ``ip-name`` or ``resource-name``."""
    return resource_name(region, instance_id) if kind == "resource-name" else private_dns(region, ip)


def public_dns(region: str, ip: str) -> str:
    """``ec2-198-18-0-5.eu-west-3.compute.amazonaws.com``."""
    zone = "compute-1" if region == "us-east-1" else f"{region}.compute"
    return f"ec2-{ip.replace('.', '-')}.{zone}.amazonaws.com"
