"""Flow logs: made for VPCs, subnets, interfaces, transit gateways and their attachments, described, removed.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.flow_logs import buckets, transit_lines
from cloudjar.services.ec2.flow_logs.lines import DEFAULT, KNOWN
from cloudjar.services.ec2.flow_logs.records import FlowLog
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment, TransitGateway
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

Logged = Vpc | Subnet | NetworkInterface | TransitGateway | TransitAttachment
_KINDS: dict[str, type[Logged]] = {
    "VPC": Vpc,
    "Subnet": Subnet,
    "NetworkInterface": NetworkInterface,
    "TransitGateway": TransitGateway,
    "TransitGatewayAttachment": TransitAttachment,
}
_PER_RESOURCE = 2
"""Flow logs of one resource (with the same traffic and destination there is only one)."""
_FORMAT = re.compile(r"\$\{([a-z-]+)\}")
FILTERS = by_path(
    {
        "deliver-log-status": "DeliverLogsStatus",
        "flow-log-id": "FlowLogId",
        "log-destination-type": "LogDestinationType",
        "log-group-name": "LogGroupName",
        "resource-id": "ResourceId",
        "traffic-type": "TrafficType",
    }
)


class _Wanted(NamedTuple):
    """What a request asks for, of each of its resources."""

    traffic: str
    group: str
    role: str
    fields: tuple[str, ...]
    interval: int
    bucket: str = ""
    hive: bool = False
    hourly: bool = False


@op("CreateFlowLogs")
def create_flow_logs(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A log for each resource; those that cannot have one are told, the others get theirs."""
    kind = req["ResourceType"]
    if kind not in _KINDS:
        raise errors.not_built(f"A flow log of a {kind}")
    errors.refuse(req, "DeliverCrossAccountRole", "TagFieldSpecifications")
    transit = kind.startswith("TransitGateway")
    if not transit and not req.get("TrafficType"):
        raise errors.missing_one("TrafficType")
    if transit and req.get("TrafficType"):
        raise invalid(f"TrafficType is not supported for {kind}.")
    where = req.get("LogDestinationType") or "cloud-watch-logs"
    interval = req.get("MaxAggregationInterval") or (60 if transit else 600)
    if interval not in ((60,) if transit else (60, 600)):
        raise invalid("Invalid Flow Log Max Aggregation Interval")
    fields = _fields(req.get("LogFormat"), transit_lines.KNOWN if transit else KNOWN)
    resources: list[Logged] = [need(ctx, _KINDS[kind], key) for key in dict.fromkeys(req["ResourceIds"])]
    traffic = req.get("TrafficType") or "ALL"
    if where == "s3":
        wanted = _Wanted(traffic, "", "", fields, interval, buckets.destination(req), **buckets.options(req))
        if denied := buckets.refusal(ctx, wanted.bucket, hive=wanted.hive):
            return _none_made(req, [_unsuccessful(item.id, *denied) for item in resources])
    elif where != "cloud-watch-logs":
        return _nowhere(req, [item.id for item in resources])
    else:
        wanted = _Wanted(traffic, _group(ctx, req), _role(req), fields, interval)
    held = tags.specified(req, "vpc-flow-log")
    made, unsuccessful = [], []
    for item in resources:
        refusal = _refusal(ctx, item.id, wanted)
        if refusal is not None:
            unsuccessful.append(_unsuccessful(item.id, *refusal))
            continue
        log = FlowLog(
            id=ctx.new_id("fl"),
            vpc_id=item.id if isinstance(item, Vpc) else "" if transit else getattr(item, "vpc_id", ""),
            gateway_id=_gateway_of(item),
            resource_id=item.id,
            created=ctx.now,
            tags=held,
            **wanted._asdict(),
        )
        made.append(_stored(ctx, ctx.db[FlowLog].add(log)).id)
    return {"ClientToken": req.get("ClientToken"), "FlowLogIds": made, "Unsuccessful": unsuccessful}


def _gateway_of(item: Logged) -> str:
    if isinstance(item, TransitGateway):
        return item.id
    return item.gateway_id if isinstance(item, TransitAttachment) else ""


def _stored(ctx: Ctx, log: FlowLog) -> FlowLog:
    """Have a transit gateway laid out again, as VPCs are of themselves."""
    if log.gateway_id:
        ctx.world.state.wakes.wake("ec2/transit-gateway", log.account, log.region, log.gateway_id)
    return log


def invalid(message: str) -> AwsError:
    """A parameter that cannot be, in the words of these operations."""
    return AwsError("InvalidParameter", message)


def _nowhere(req: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """What AWS says of a delivery stream that is not there: none is here yet."""
    target = req.get("LogDestination")
    if not target:
        raise invalid("LogDestination can't be empty if LogGroupName is not provided.")
    if req.get("LogGroupName"):
        raise invalid("LogDestination type must be cloud-watch-logs if LogGroupName is provided.")
    refused = [_unsuccessful(key, "400", f"LogDestination: {target} does not exist") for key in keys]
    return _none_made(req, refused)


def _none_made(req: dict[str, Any], refused: list[dict[str, Any]]) -> dict[str, Any]:
    return {"ClientToken": req.get("ClientToken"), "FlowLogIds": [], "Unsuccessful": refused}


def _unsuccessful(key: str, code: str, message: str) -> dict[str, Any]:
    return {"ResourceId": key, "Error": {"Code": code, "Message": message}}


def _group(ctx: Ctx, req: dict[str, Any]) -> str:
    errors.refuse(req, "DestinationOptions")
    name, target = req.get("LogGroupName"), req.get("LogDestination")
    if name and target:
        raise invalid("Please only provide LogGroupName or only provide LogDestination.")
    if name:
        return str(name)
    if not target:
        raise invalid("LogDestination can't be empty if LogGroupName is not provided.")
    parsed = arns.parse(str(target))
    here = parsed is not None and (parsed.service, parsed.region, parsed.account) == ("logs", ctx.region, ctx.account)
    if parsed is None or not here or not parsed.resource.startswith("log-group:"):
        raise invalid(f"Invalid LogDestination: {target}")
    return parsed.resource.removeprefix("log-group:").partition(":")[0]


def _role(req: dict[str, Any]) -> str:
    role = req.get("DeliverLogsPermissionArn")
    if not role:
        raise invalid("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
    return str(role)


def _fields(text: str | None, known: Mapping[str, int]) -> tuple[str, ...]:
    if not text:
        return DEFAULT if known is KNOWN else transit_lines.DEFAULT
    parts = text.split()
    names = [found.group(1) for part in parts if (found := _FORMAT.fullmatch(part))]
    if len(names) != len(parts) or not names:
        raise invalid("Invalid Flow Log format: fields are written as ${field}, with blanks between them")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise invalid(f"Invalid Flow Log format: unknown fields {', '.join(unknown)}")
    if len(set(names)) != len(names):
        raise invalid("Invalid Flow Log format: a field stands twice")
    return tuple(names)


def _refusal(ctx: Ctx, key: str, wanted: _Wanted) -> tuple[str, str] | None:
    held = ctx.db[FlowLog].all(resource_id=key)
    if any((log.traffic, log.group, log.bucket) == (wanted.traffic, wanted.group, wanted.bucket) for log in held):
        return "FlowLogAlreadyExists", (
            "Error. There is an existing Flow Log with the same configuration and log destination."
        )
    if len(held) >= _PER_RESOURCE:
        return "FlowLogsLimitExceeded", f"You have reached the limit of flow logs of {key}."
    return None


def show_flow_log(log: FlowLog) -> dict[str, Any]:
    """AWS's FlowLog."""
    told = {
        "CreationTime": log.created,
        "DeliverLogsErrorMessage": log.error or None,
        "DeliverLogsPermissionArn": log.role or None,
        "DeliverLogsStatus": "FAILED" if log.error else "SUCCESS",
        "FlowLogId": log.id,
        "FlowLogStatus": "ACTIVE",
        "LogDestination": arns.make("logs", log.region, log.account, f"log-group:{log.group}"),
        "LogDestinationType": "cloud-watch-logs",
        "LogFormat": " ".join(f"${{{name}}}" for name in log.fields),
        "LogGroupName": log.group or None,
        "MaxAggregationInterval": log.interval,
        "ResourceId": log.resource_id,
        "Tags": tags.as_list(log.tags),
        "TrafficType": None if log.gateway_id else log.traffic,
    }
    return told | buckets.shown(log) if log.bucket else told


@op("DescribeFlowLogs")
def describe_flow_logs(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Logs by id or filter."""
    asked = {**req, "Filters": req.get("Filter")}
    return {"FlowLogs": describe(ctx, asked, FlowLog, "FlowLogIds", show_flow_log, FILTERS)}


@op("DeleteFlowLogs")
def delete_flow_logs(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop logging; what was delivered stays. All of them are there, or nothing happens."""
    wanted = list(dict.fromkeys(req["FlowLogIds"]))
    missing = [key for key in wanted if ctx.db[FlowLog].get(key) is None]
    if missing:
        raise AwsError(
            "InvalidFlowLogId.NotFound",
            f"These flow log ids in the input list are not found: [TotalCount: {len(missing)}] {', '.join(missing)}",
        )
    for key in wanted:
        log = ctx.db[FlowLog].need(key)
        ctx.db[FlowLog].drop(log)
        _stored(ctx, log)
    return {"Unsuccessful": []}
