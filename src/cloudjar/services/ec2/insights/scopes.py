"""Network Access Analyzer: access that should not be, and looks for it over all interfaces of an account here.

Every pair of ends that a scope speaks of is asked about like a path of Reachability Analyzer, in the same plan.
https://docs.aws.amazon.com/vpc/latest/network-access-analyzer/what-is-network-access-analyzer.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.insights.analysing import analyse
from cloudjar.services.ec2.insights.asking import end, plain, the_world
from cloudjar.services.ec2.insights.records import ANALYSES, PATHS, Path, Scope, ScopeAnalysis
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.vpcs.making import op

_GATEWAY, _INTERFACE, _INSTANCE = "AWS::EC2::InternetGateway", "AWS::EC2::NetworkInterface", "AWS::EC2::Instance"
_FILTERS = by_path({"network-insights-access-scope-id": "NetworkInsightsAccessScopeId"})
_ANALYSIS_FILTERS = by_path({"status": "Status", "findings-found": "FindingsFound"})
_ABSENT_HEADERS = (
    "SourceAddresses", "DestinationAddresses", "SourcePorts", "SourcePrefixLists", "DestinationPrefixLists"
)  # fmt: skip


def _show(scope: Scope) -> dict[str, Any]:
    return {
        "CreatedDate": scope.created,
        "NetworkInsightsAccessScopeArn": arn_of(scope),
        "NetworkInsightsAccessScopeId": scope.id,
        "Tags": tags.as_list(scope.tags),
        "UpdatedDate": scope.created,
    }


def _content(scope: Scope) -> dict[str, Any]:
    return {"ExcludePaths": scope.exclude, "MatchPaths": scope.match, "NetworkInsightsAccessScopeId": scope.id}


def _check(ctx: Ctx, paths: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Refuse what a look would not honour, and ends that are none."""
    for path in paths:
        errors.refuse(path, "ThroughResources")
        for side in ("Source", "Destination"):
            statement = path.get(side) or {}
            header, resource = statement.get("PacketHeaderStatement") or {}, statement.get("ResourceStatement") or {}
            errors.refuse(header, *_ABSENT_HEADERS)
            for number in header.get("DestinationPorts") or ():
                if not number.isdecimal():
                    raise errors.not_built("A range of ports in a Network Access Scope")
            for kind in resource.get("ResourceTypes") or ():
                if kind not in (_GATEWAY, _INTERFACE, _INSTANCE):
                    raise errors.not_built(f"The resource type {kind} in a Network Access Scope")
            for named in resource.get("Resources") or ():
                end(ctx, named, "resources")
    return paths


@op("CreateNetworkInsightsAccessScope")
def create_network_insights_access_scope(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say which access counts."""
    if ctx.db[Scope].count() >= PATHS:
        raise AwsError("NetworkInsightsAccessScopeLimitExceeded", "The maximum number of scopes has been reached.")
    scope = ctx.db[Scope].add(
        Scope(
            id=ctx.new_id("nis"),
            created=ctx.now,
            match=_check(ctx, req.get("MatchPaths") or []),
            exclude=_check(ctx, req.get("ExcludePaths") or []),
            tags=tags.specified(req, "network-insights-access-scope"),
        )
    )
    return {"NetworkInsightsAccessScope": _show(scope), "NetworkInsightsAccessScopeContent": _content(scope)}


@op("DescribeNetworkInsightsAccessScopes")
def describe_network_insights_access_scopes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Scopes by id or filter."""
    found = describe(ctx, req, Scope, "NetworkInsightsAccessScopeIds", _show, _FILTERS)
    return {"NetworkInsightsAccessScopes": found}


@op("GetNetworkInsightsAccessScopeContent")
def get_network_insights_access_scope_content(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a scope says."""
    return {"NetworkInsightsAccessScopeContent": _content(need(ctx, Scope, req["NetworkInsightsAccessScopeId"]))}


@op("DeleteNetworkInsightsAccessScope")
def delete_network_insights_access_scope(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a scope that has no analyses."""
    scope = need(ctx, Scope, req["NetworkInsightsAccessScopeId"])
    if ctx.db[ScopeAnalysis].count(scope_id=scope.id):
        raise AwsError(
            "AnalysisExistsForNetworkInsightsAccessScope", f"The Network Access Scope '{scope.id}' has analyses."
        )
    ctx.db[Scope].drop(scope)
    return {"NetworkInsightsAccessScopeId": scope.id}


@op("StartNetworkInsightsAccessScopeAnalysis")
def start_network_insights_access_scope_analysis(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Look for such access; what is found is described when it is there."""
    scope = need(ctx, Scope, req["NetworkInsightsAccessScopeId"])
    if ctx.db[ScopeAnalysis].count() >= ANALYSES:
        raise AwsError("NetworkInsightsAnalysisLimitExceeded", "The maximum number of analyses has been reached.")
    given = tags.specified(req, "network-insights-access-scope-analysis")
    made = ScopeAnalysis(id=ctx.new_id("nisa"), scope_id=scope.id, started=ctx.now, tags=given)
    return {"NetworkInsightsAccessScopeAnalysis": _show_analysis(ctx.db[ScopeAnalysis].add(made))}


def _show_analysis(one: ScopeAnalysis) -> dict[str, Any]:
    done = one.status == "succeeded"
    return {
        "AnalyzedEniCount": one.interfaces if done else None,
        "EndDate": one.ended,
        "FindingsFound": ("true" if one.findings else "false") if done else "unknown",
        "NetworkInsightsAccessScopeAnalysisArn": arn_of(one),
        "NetworkInsightsAccessScopeAnalysisId": one.id,
        "NetworkInsightsAccessScopeId": one.scope_id,
        "StartDate": one.started,
        "Status": one.status,
        "StatusMessage": one.message or None,
        "Tags": tags.as_list(one.tags),
    }


@op("DescribeNetworkInsightsAccessScopeAnalyses")
def describe_network_insights_access_scope_analyses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Analyses by id, scope, time or filter."""
    scope = req.get("NetworkInsightsAccessScopeId")
    if scope:
        need(ctx, Scope, scope)
    start, stop = req.get("AnalysisStartTimeBegin"), req.get("AnalysisStartTimeEnd")
    member = "NetworkInsightsAccessScopeAnalysisIds"
    found = describe(ctx, req, ScopeAnalysis, member, _show_analysis, _ANALYSIS_FILTERS)
    kept = [one for one in found if scope in (None, one["NetworkInsightsAccessScopeId"])]
    kept = [one for one in kept if (not start or one["StartDate"] >= start) and (not stop or one["StartDate"] <= stop)]
    return {"NetworkInsightsAccessScopeAnalyses": kept}


@op("GetNetworkInsightsAccessScopeAnalysisFindings")
def get_network_insights_access_scope_analysis_findings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Each access that was found, with the way that its packets take."""
    one = need(ctx, ScopeAnalysis, req["NetworkInsightsAccessScopeAnalysisId"])
    return {
        "AnalysisFindings": one.findings,
        "AnalysisStatus": one.status,
        "NetworkInsightsAccessScopeAnalysisId": one.id,
    }


@op("DeleteNetworkInsightsAccessScopeAnalysis")
def delete_network_insights_access_scope_analysis(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Forget what was found."""
    one = need(ctx, ScopeAnalysis, req["NetworkInsightsAccessScopeAnalysisId"])
    ctx.db[ScopeAnalysis].drop(one)
    return {"NetworkInsightsAccessScopeAnalysisId": one.id}


@reconciler(ScopeAnalysis)
def converge(step: Step, one: ScopeAnalysis | None) -> None:
    """Look once, on the network as its records are then; outside any transaction, because the pairs may be many."""
    if one is None or one.status != "running":
        return
    try:
        done = _done(step.ctx, one)
    except (AwsError, PlaneError) as error:
        done = replace(one, status="failed", message=str(error))
    step.change(
        ScopeAnalysis,
        lambda now: replace(done, ended=step.ctx.now, tags=now.tags) if now.status == "running" else None,
    )


def _done(ctx: Ctx, one: ScopeAnalysis) -> ScopeAnalysis:
    scope = ctx.db[Scope].get(one.scope_id)
    if scope is None:
        return replace(one, status="failed", message="The Network Access Scope was deleted.")
    with ctx.world.state.database.lock:
        world = the_world(ctx)
    left = {asked for path in scope.exclude for asked in _asked(ctx, path)}
    wide = {(source, target, protocol) for source, target, protocol, number in left if not number}
    findings: list[dict[str, Any]] = []
    for asked in dict.fromkeys(asked for path in scope.match for asked in _asked(ctx, path)):
        source, target, protocol, number = asked
        if asked in left or (source, target, protocol) in wide:
            continue
        path = Path(id="", created=ctx.now, source=source, destination=target, protocol=protocol, port=number)
        found = analyse(ctx, path, world)
        if found.found:
            findings.append(
                {
                    "FindingComponents": found.forward,
                    "FindingId": ctx.new_id("nisf"),
                    "NetworkInsightsAccessScopeAnalysisId": one.id,
                    "NetworkInsightsAccessScopeId": scope.id,
                }
            )
    count = ctx.db[NetworkInterface].count()
    return replace(one, status="succeeded", findings=findings, interfaces=count)


Asked = tuple[str, str, str, int]
"""Source, destination, protocol and port (0: any that a rule speaks of)."""


def _asked(ctx: Ctx, path: Mapping[str, Any]) -> Iterator[Asked]:
    """Every question that a path of a scope stands for."""
    source, target = path.get("Source") or {}, path.get("Destination") or {}
    headers = [side.get("PacketHeaderStatement") or {} for side in (source, target)]
    protocols = [p for header in headers for p in header.get("Protocols") or ()] or ["tcp", "udp"]
    ports = [int(n) for header in headers for n in header.get("DestinationPorts") or ()] or [0]
    for one in _ends(ctx, source):
        for other in _ends(ctx, target):
            if one != other and _side_by_side(ctx, one, other):
                yield from ((one, other, protocol, number) for protocol in protocols for number in ports)


def _side_by_side(ctx: Ctx, *ends: str) -> bool:
    """A gateway is an end of its own VPC's interfaces only; interfaces may be anywhere."""
    gateways = {gateway.vpc_id for key in ends if (gateway := ctx.db[InternetGateway].get(key)) is not None}
    others = {eni.vpc_id for key in ends if (eni := ctx.db[NetworkInterface].get(key)) is not None}
    return not gateways or gateways == others


def _ends(ctx: Ctx, side: Mapping[str, Any]) -> list[str]:
    """The interfaces and gateways that one side of a path means; all there are when it names none."""
    stated = side.get("ResourceStatement") or {}
    named, kinds = stated.get("Resources") or (), stated.get("ResourceTypes") or ()
    live = [eni for eni in ctx.db[NetworkInterface].all() if eni.powered]
    found: list[str] = []
    for key in map(plain, named):
        found += [eni.id for eni in live if key in (eni.id, eni.instance_id)] or [key]
    if _GATEWAY in kinds or not (named or kinds):
        found += [gateway.id for gateway in ctx.db[InternetGateway].all() if gateway.vpc_id]
    if _INTERFACE in kinds or not (named or kinds):
        found += [eni.id for eni in live]
    if _INSTANCE in kinds:
        found += [eni.id for eni in live if eni.instance_id.startswith("i-")]
    return found
