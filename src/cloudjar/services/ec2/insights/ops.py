"""Reachability Analyzer: paths, and analyses of them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StartNetworkInsightsAnalysis.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.insights.asking import end, plain
from cloudjar.services.ec2.insights.records import ANALYSES, PATHS, Analysis, Path
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.vpcs.making import op

PATH_FILTERS = by_path(
    {
        "destination": "Destination",
        "protocol": "Protocol",
        "source": "Source",
        "filter-at-source.source-address": "FilterAtSource.SourceAddress",
        "filter-at-source.destination-address": "FilterAtSource.DestinationAddress",
        "filter-at-destination.source-address": "FilterAtDestination.SourceAddress",
        "filter-at-destination.destination-address": "FilterAtDestination.DestinationAddress",
    }
)
ANALYSIS_FILTERS = by_path({"path-found": "NetworkPathFound", "status": "Status"})


def show_path(path: Path) -> dict[str, Any]:
    """AWS's NetworkInsightsPath."""
    return {
        "CreatedDate": path.created,
        "Destination": path.destination or None,
        "DestinationIp": path.destination_ip or None,
        "DestinationPort": path.port or None,
        "NetworkInsightsPathArn": arn_of(path),
        "NetworkInsightsPathId": path.id,
        "Protocol": path.protocol,
        "Source": path.source,
        "SourceIp": path.source_ip or None,
        "Tags": tags.as_list(path.tags),
        **path.filters,
    }


def show_analysis(analysis: Analysis) -> dict[str, Any]:
    """AWS's NetworkInsightsAnalysis."""
    return {
        "Explanations": analysis.explanations,
        "ForwardPathComponents": analysis.forward,
        "NetworkInsightsAnalysisArn": arn_of(analysis),
        "NetworkInsightsAnalysisId": analysis.id,
        "NetworkInsightsPathId": analysis.path_id,
        "NetworkPathFound": analysis.found,
        "ReturnPathComponents": analysis.back,
        "StartDate": analysis.started,
        "Status": analysis.status,
        "StatusMessage": analysis.message or None,
        "Tags": tags.as_list(analysis.tags),
    }


@op("CreateNetworkInsightsPath")
def create_network_insights_path(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Two ends and a kind of packets between them."""
    errors.refuse(req, "SourceIp")
    at_source, at_destination = req.get("FilterAtSource") or {}, req.get("FilterAtDestination") or {}
    errors.refuse(at_source, "SourceAddress")
    errors.refuse(at_destination, "SourceAddress", "SourcePortRange")
    source = end(ctx, req["Source"], "source")
    asked = at_source.get("DestinationAddress") or at_destination.get("DestinationAddress")
    address = _one(req.get("DestinationIp"), asked, "destinationIp") or ""
    if address and blocks.address(address) is None and blocks.address6(address) is None:
        raise errors.invalid_parameter(address, "destinationIp", "This is not a valid IP address.")
    if not req.get("Destination") and not address:
        raise errors.missing("The request must contain the parameter destination or a destination address")
    target = end(ctx, req["Destination"], "destination").id if req.get("Destination") else ""
    if target == source.id:
        raise errors.invalid_parameter(target, "destination", "It must not be the source itself.")
    if ctx.db[Path].count() >= PATHS:
        raise AwsError("NetworkInsightsPathLimitExceeded", "The maximum number of paths has been reached.")
    path = ctx.db[Path].add(
        Path(
            id=ctx.new_id("nip"),
            created=ctx.now,
            source=plain(req["Source"]),
            destination=target,
            destination_ip=address,
            protocol=str(req["Protocol"]).lower(),
            port=_port(req, at_source, at_destination),
            source_port=_single(at_source.get("SourcePortRange"), "SourcePortRange"),
            filters={k: req[k] for k in ("FilterAtSource", "FilterAtDestination") if req.get(k)},
            tags=tags.specified(req, "network-insights-path"),
        )
    )
    return {"NetworkInsightsPath": show_path(path)}


def _one(first: Any, second: Any, name: str) -> Any:
    if first and second and first != second:
        raise errors.combination(f"The parameter {name} and the filters say different things.")
    return first or second


def _port(req: Mapping[str, Any], at_source: Mapping[str, Any], at_destination: Mapping[str, Any]) -> int:
    """The port asked for; 0 when none is."""
    ranges = _one(at_source.get("DestinationPortRange"), at_destination.get("DestinationPortRange"), "filter")
    number = _one(req.get("DestinationPort"), _single(ranges, "DestinationPortRange"), "destinationPort") or 0
    if not 0 <= number <= 65535:
        raise errors.invalid_parameter(number, "destinationPort", "A port is between 0 and 65535.")
    return int(number)


def _single(ports: Mapping[str, Any] | None, name: str) -> int:
    if not ports:
        return 0
    low, high = ports.get("FromPort"), ports.get("ToPort")
    if low is None or (high is not None and high != low):
        raise errors.not_built(f"A {name} of more than one port")
    return int(low)


@op("DescribeNetworkInsightsPaths")
def describe_network_insights_paths(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Paths by id or filter."""
    return {"NetworkInsightsPaths": describe(ctx, req, Path, "NetworkInsightsPathIds", show_path, PATH_FILTERS)}


@op("DeleteNetworkInsightsPath")
def delete_network_insights_path(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a path that has no analyses."""
    path = need(ctx, Path, req["NetworkInsightsPathId"])
    if ctx.db[Analysis].count(path_id=path.id):
        raise AwsError(
            "AnalysisExistsForNetworkInsightsPath",
            f"The network insights path '{path.id}' has analyses and cannot be deleted.",
        )
    ctx.db[Path].drop(path)
    return {"NetworkInsightsPathId": path.id}


@op("StartNetworkInsightsAnalysis")
def start_network_insights_analysis(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Look at a path; the answer is described when it is there."""
    errors.refuse(req, "AdditionalAccounts", "FilterInArns", "FilterOutArns")
    path = need(ctx, Path, req["NetworkInsightsPathId"])
    if ctx.db[Analysis].count() >= ANALYSES:
        raise AwsError("NetworkInsightsAnalysisLimitExceeded", "The maximum number of analyses has been reached.")
    analysis = ctx.db[Analysis].add(
        Analysis(
            id=ctx.new_id("nia"),
            path_id=path.id,
            started=ctx.now,
            tags=tags.specified(req, "network-insights-analysis"),
        )
    )
    return {"NetworkInsightsAnalysis": show_analysis(analysis)}


@op("DescribeNetworkInsightsAnalyses")
def describe_network_insights_analyses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Analyses by id, path, time or filter."""
    if req.get("NetworkInsightsPathId"):
        need(ctx, Path, req["NetworkInsightsPathId"])
    member = "NetworkInsightsAnalysisIds"
    shown = describe(ctx, req, Analysis, member, show_analysis, ANALYSIS_FILTERS)
    return {"NetworkInsightsAnalyses": [one for one in shown if _within(one, req)]}


def _within(one: Mapping[str, Any], req: Mapping[str, Any]) -> bool:
    start, stop, path = req.get("AnalysisStartTime"), req.get("AnalysisEndTime"), req.get("NetworkInsightsPathId")
    if path and one["NetworkInsightsPathId"] != path:
        return False
    return (start is None or one["StartDate"] >= start) and (stop is None or one["StartDate"] <= stop)


@op("DeleteNetworkInsightsAnalysis")
def delete_network_insights_analysis(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget what was found."""
    analysis = need(ctx, Analysis, req["NetworkInsightsAnalysisId"])
    ctx.db[Analysis].drop(analysis)
    return {"NetworkInsightsAnalysisId": analysis.id}
