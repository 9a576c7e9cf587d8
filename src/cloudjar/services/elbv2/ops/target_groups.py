"""Target groups: made, listed, changed, removed."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import defaults, errors, naming, tagging
from cloudjar.services.elbv2.ops.load_balancers import check_name
from cloudjar.services.elbv2.records import LoadBalancer, TargetGroup
from cloudjar.services.elbv2.views import show_group, users

_CODES = re.compile(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*")
_CHECK = {
    "HealthCheckProtocol": "HTTP", "HealthCheckPort": "traffic-port", "HealthCheckEnabled": True,
    "HealthCheckPath": "/", "HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 2, "Matcher": {"HttpCode": "200"},
}  # fmt: skip
_CHECK_RELAYED = {
    "HealthCheckProtocol": "TCP", "HealthCheckPort": "traffic-port", "HealthCheckEnabled": True,
    "HealthCheckIntervalSeconds": 30, "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 2,
}  # fmt: skip
_MEMBERS = (*_CHECK,)
_HTTP = ("HTTP", "HTTPS")
_RANGES = {
    "HealthCheckIntervalSeconds": (5, 300), "HealthCheckTimeoutSeconds": (2, 120), "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
}  # fmt: skip


@op("CreateTargetGroup")
def create_target_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Instances or addresses that requests of a load balancer may go to."""
    name = check_name("target group", req["Name"])
    kind, protocol = req.get("TargetType") or "instance", req.get("Protocol")
    _refuse(req, kind, protocol)
    if not protocol:
        raise errors.validation("A protocol must be specified")
    if not req.get("Port"):
        raise errors.validation("A port must be specified")
    if not req.get("VpcId"):
        raise errors.validation("A VPC ID must be specified")
    if ctx.find("ec2", "vpc", req["VpcId"]) is None:
        raise errors.validation(f"The VPC ID '{req['VpcId']}' is not found")
    check = _checked(protocol, _with_defaults(protocol, _asked(req)))
    existing = ctx.db[TargetGroup].all(name=name)
    if existing:
        return {"TargetGroups": [_again(ctx, existing[0], (protocol, req["Port"], req["VpcId"], kind, check))]}
    suffix = naming.suffix()
    group = TargetGroup(
        arn=naming.arn(ctx, f"targetgroup/{name}/{suffix}"), name=name, suffix=suffix, protocol=protocol,
        port=req["Port"], vpc_id=req["VpcId"], target_type=kind, check=check, created=ctx.now,
        tags=tagging.asked(req),
    )  # fmt: skip
    return {"TargetGroups": [show_group(ctx, ctx.db[TargetGroup].add(group))]}


def _refuse(req: dict[str, Any], kind: str, protocol: str | None) -> None:
    if kind not in ("instance", "ip"):
        raise errors.not_built(f"The target type {kind}")
    if protocol not in (None, *_HTTP, *defaults.RELAYED):
        raise errors.not_built(f"A target group of protocol {protocol}")
    if protocol in defaults.RELAYED and req.get("ProtocolVersion"):
        raise errors.validation("Protocol version is not supported for target groups of network load balancers")
    if (req.get("ProtocolVersion") or "HTTP1") != "HTTP1":
        raise errors.not_built(f"The protocol version {req['ProtocolVersion']}")
    if (req.get("IpAddressType") or "ipv4") != "ipv4" or req.get("TargetControlPort"):
        raise errors.not_built("IPv6 targets and target control ports")


def _asked(req: dict[str, Any]) -> dict[str, Any]:
    return {name: req[name] for name in _MEMBERS if req.get(name) is not None}


def _with_defaults(protocol: str, given: dict[str, Any]) -> dict[str, Any]:
    """A check in full: what is not given depends on the protocol, the group's and the check's own."""
    if protocol not in defaults.RELAYED:
        return {**_CHECK, **given}
    kind = given.get("HealthCheckProtocol") or "TCP"
    timeout = 6 if kind == "HTTP" else 10
    by_http = {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200-399"}} if kind in _HTTP else {}
    return {**_CHECK_RELAYED, "HealthCheckTimeoutSeconds": timeout, **by_http, **given}


def _checked(protocol: str, check: dict[str, Any]) -> dict[str, Any]:
    kinds = ("TCP", *_HTTP) if protocol in defaults.RELAYED else _HTTP
    if check["HealthCheckProtocol"] not in kinds:
        listed = " or ".join(f"'{kind}'" for kind in kinds)
        raise errors.validation(f"Health check protocol '{check['HealthCheckProtocol']}' must be one of {listed}")
    if not check["HealthCheckEnabled"]:
        raise errors.validation(
            "Health check enabled must be true for target groups with target type 'instance' or 'ip'"
        )
    port = str(check["HealthCheckPort"])
    if port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65535):
        raise errors.validation(
            f"Health check port '{port}' must be either 'traffic-port' or in the range '1' to '65535'"
        )
    for name, (low, high) in _RANGES.items():
        if not low <= check[name] <= high:
            raise errors.validation(f"{name} '{check[name]}' must be between '{low}' and '{high}'")
    if check["HealthCheckTimeoutSeconds"] >= check["HealthCheckIntervalSeconds"]:
        raise errors.validation("Health check interval must be greater than the timeout.")
    if check["HealthCheckProtocol"] == "TCP":
        if check.get("HealthCheckPath") or check.get("Matcher"):
            raise errors.validation("Health check path and matcher are not supported for TCP health checks")
        return check
    path = check["HealthCheckPath"]
    if not path.startswith("/") or not path.isprintable() or not path.isascii():
        raise errors.validation(f"Health check path '{path}' must begin with a '/' and be printable ASCII")
    codes = str((check["Matcher"] or {}).get("HttpCode") or "")
    highest = 599 if protocol in defaults.RELAYED else 499
    if not _CODES.fullmatch(codes) or any(not 200 <= int(code) <= highest for code in re.findall(r"\d{3}", codes)):
        raise errors.validation(f"Health check matcher HTTP code '{codes}' must be within '200-{highest}' inclusive")
    return check


def _again(ctx: Ctx, group: TargetGroup, asked: tuple[Any, ...]) -> dict[str, Any]:
    if (group.protocol, group.port, group.vpc_id, group.target_type, group.check) != asked:
        raise errors.same_name("target group", "DuplicateTargetGroupName", group.name)
    return show_group(ctx, group)


@op("DescribeTargetGroups")
def describe_target_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Target groups: all, those named by ARN or name, or those of a load balancer."""
    table = ctx.db[TargetGroup]
    if req.get("Names"):
        by_name = {group.name: group for group in table.all()}
        if any(name not in by_name for name in req["Names"]):
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        found = [by_name[name] for name in req["Names"]]
    elif req.get("TargetGroupArns"):
        found = [table.need(arn) for arn in req["TargetGroupArns"]]
    else:
        found = table.all()
    if req.get("LoadBalancerArn"):
        balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
        found = [group for group in found if balancer.arn in users(ctx, group.arn)]
    return {"TargetGroups": [show_group(ctx, group) for group in found]}


@op("ModifyTargetGroup")
def modify_target_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change how targets are probed."""
    group = ctx.db[TargetGroup].need(req["TargetGroupArn"])
    check = _checked(group.protocol, _modified(group.check, _asked(req)))
    group = ctx.db[TargetGroup].put(replace(group, check=check))
    wake_users(ctx, group.arn)
    return {"TargetGroups": [show_group(ctx, group)]}


def _modified(check: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A check of another protocol has other members."""
    before, after = check["HealthCheckProtocol"], given.get("HealthCheckProtocol") or check["HealthCheckProtocol"]
    if after == "TCP":
        check = {name: value for name, value in check.items() if name not in ("HealthCheckPath", "Matcher")}
    elif before == "TCP":
        check = {**check, "HealthCheckPath": "/", "Matcher": {"HttpCode": "200-399"}}
    return {**check, **given}


@op("DeleteTargetGroup")
def delete_target_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a target group that no listener or rule sends to; nothing when it is not there."""
    group = ctx.db[TargetGroup].get(req["TargetGroupArn"])
    if group is None:
        return {}
    if users(ctx, group.arn):
        raise AwsError("ResourceInUse", f"Target group '{group.arn}' is currently in use by a listener or a rule")
    ctx.db[TargetGroup].drop(group)
    return {}


def wake_users(ctx: Ctx, group_arn: str) -> None:
    """Have the load balancers looked at that send to a target group."""
    for arn in users(ctx, group_arn):
        ctx.wake(ctx.db[LoadBalancer].need(arn))
