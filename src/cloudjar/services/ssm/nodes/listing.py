"""Managed nodes, listed.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm.nodes import agent
from cloudjar.services.ssm.nodes.records import Node

ONLINE, LOST = "Online", "ConnectionLost"
_PLATFORMS = {
    "debian-12": ("Debian GNU/Linux", "12"),
    "ubuntu-24.04": ("Ubuntu", "24.04"),
    "al2023": ("Amazon Linux", "2023"),
}
_KEYS = {
    "InstanceIds": "InstanceId",
    "AgentVersion": "AgentVersion",
    "PingStatus": "PingStatus",
    "PlatformTypes": "PlatformType",
    "PlatformType": "PlatformType",
    "PlatformName": "PlatformName",
    "ActivationIds": "ActivationId",
    "IamRole": "IamRole",
    "ResourceType": "ResourceType",
    "AssociationStatus": "AssociationStatus",
    "SourceIds": "SourceId",
    "SourceTypes": "SourceType",
}
View = dict[str, Any]


@op("DescribeInstanceInformation")
def describe_instance_information(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Instances whose agent reports, and those whose agent did."""
    wanted = [(one["key"], one["valueSet"]) for one in req.get("InstanceInformationFilterList") or ()]
    wanted += [(one["Key"], one["Values"]) for one in req.get("Filters") or ()]
    if req.get("InstanceInformationFilterList") and req.get("Filters"):
        raise AwsError("ValidationException", "Either InstanceInformationFilterList or Filters can be specified.")
    for key, _ in wanted:
        if key not in _KEYS and not key.startswith(("tag:", "tag-key")):
            raise AwsError("InvalidFilterKey", f"The specified filter key {key} is not valid.")
    found = [(vm, view) for vm in agent.instances(ctx) if (view := show(ctx, vm)) is not None]
    for key, values in wanted:
        found = [(vm, view) for vm, view in found if _admits(vm, view, key, values)]
    return {"InstanceInformationList": [view for _, view in found]}


def _admits(vm: agent.Instance, view: View, key: str, values: list[str]) -> bool:
    if key == "tag-key":
        return any(value in vm.tags for value in values)
    if key.startswith("tag:"):
        return vm.tags.get(key.removeprefix("tag:")) in values
    return view.get(_KEYS[key]) in values


def show(ctx: Ctx, vm: agent.Instance) -> View | None:
    """InstanceInformation; None for an instance that is no managed node."""
    if agent.reports(ctx, vm):
        status, ping = ONLINE, agent.last_ping(ctx, vm)
    else:
        known = ctx.db[Node].get(vm.id)
        if known is None or vm.state in ("shutting-down", "terminated"):
            return None
        status, ping = LOST, known.seen
    name, version = _PLATFORMS.get(vm.image_key, ("Linux", ""))
    return {
        "InstanceId": vm.id,
        "PingStatus": status,
        "LastPingDateTime": ping,
        "AgentVersion": agent.VERSION,
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "PlatformName": name,
        "PlatformVersion": version,
        "ResourceType": "EC2Instance",
        "IPAddress": vm.private_ip,
        "ComputerName": f"ip-{vm.private_ip.replace('.', '-')}.{_domain(vm.region)}",
        "SourceId": vm.id,
        "SourceType": "AWS::EC2::Instance",
    }


def _domain(region: str) -> str:
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


@op("GetConnectionStatus")
def get_connection_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a session with a node could begin now."""
    vm = agent.instance(ctx, req["Target"])
    connected = vm is not None and agent.connects(ctx, vm)
    return {"Target": req["Target"], "Status": "connected" if connected else "notconnected"}
