"""The services of AWS that an endpoint can lead to here, and their names.

https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.prefix_lists.references import GATEWAY_SERVICES
from cloudjar.spec import regions

# End of the endpoint service's name -> botocore's name of the service.
INTERFACE_SERVICES = {
    "access-analyzer": "accessanalyzer",
    "ec2": "ec2",
    "kms": "kms",
    "secretsmanager": "secretsmanager",
    "servicequotas": "service-quotas",
    "cloudtrail": "cloudtrail",
    "ssm": "ssm",
    "sts": "sts",
    "sqs": "sqs",
    "sns": "sns",
    "s3": "s3",
    "dynamodb": "dynamodb",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "events": "events",
    "lambda": "lambda",
    "ecr.api": "ecr",
    "elasticloadbalancing": "elbv2",
    "autoscaling": "autoscaling",
}

FILTERS = by_path(
    {
        "owner": "Owner",
        "service-name": "ServiceName",
        "service-region": "ServiceRegion",
        "service-type": "ServiceType[].ServiceType",
        "supported-ip-address-types": "SupportedIpAddressTypes",
    }
)


def ending(region: str, name: str) -> str:
    """``s3`` of ``com.amazonaws.eu-west-3.s3``, the id of somebody's own service; empty when it is none of this
    region's."""
    for head in (f"com.amazonaws.{region}.", f"com.amazonaws.vpce.{region}."):
        if name.startswith(head):
            return name.removeprefix(head)
    return ""


def offered(ctx: Ctx, kind: str) -> list[str]:
    """Endings of the services that there are endpoints of a kind for: interfaces to what this jar can answer."""
    if kind == "Gateway":
        return list(GATEWAY_SERVICES)
    return [end for end, service in sorted(INTERFACE_SERVICES.items()) if ctx.world.load(service)]


def is_offered(ctx: Ctx, end: str, kind: str) -> bool:
    """Whether there are endpoints of a kind to one service."""
    if kind == "Gateway":
        return end in GATEWAY_SERVICES
    return end in INTERFACE_SERVICES and ctx.world.load(INTERFACE_SERVICES[end])


def botocore_name(service: str) -> str:
    """Whose requests an endpoint carries: ``com.amazonaws.eu-west-3.monitoring`` -> ``cloudwatch``."""
    return INTERFACE_SERVICES.get(service.split(".", 3)[-1], "")


def private_name(region: str, end: str) -> str:
    """The public name of the service's API, which private DNS takes over: ``ec2.eu-west-3.amazonaws.com``."""
    return f"{'.'.join(reversed(end.split('.')))}.{region}.amazonaws.com"


def details(ctx: Ctx) -> list[dict[str, Any]]:
    """AWS's ServiceDetails of everything offered."""
    return [_detail(ctx, end, kind) for kind in ("Gateway", "Interface") for end in offered(ctx, kind)]


def _detail(ctx: Ctx, end: str, kind: str) -> dict[str, Any]:
    zones = regions.zones(ctx.region, ctx.account)
    name = private_name(ctx.region, end)
    interface = kind == "Interface"
    shown: dict[str, Any] = {
        "AcceptanceRequired": False,
        "AvailabilityZoneIds": [zone.id for zone in zones],
        "AvailabilityZones": [zone.name for zone in zones],
        "BaseEndpointDnsNames": [f"{end}.{ctx.region}.vpce.amazonaws.com" if interface else name],
        "ManagesVpcEndpoints": False,
        "Owner": "amazon",
        "ServiceName": f"com.amazonaws.{ctx.region}.{end}",
        "ServiceRegion": ctx.region,
        "ServiceType": [{"ServiceType": kind}],
        "SupportedIpAddressTypes": ["ipv4"],
        "Tags": [],
        "VpcEndpointPolicySupported": True,
    }
    if interface:
        shown["PrivateDnsName"] = name
        shown["PrivateDnsNames"] = [{"PrivateDnsName": name}]
        shown["PrivateDnsNameVerificationState"] = "verified"
    return shown
