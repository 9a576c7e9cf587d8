"""Operations of findings and of the resources that were analyzed.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListFindingsV2.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.accessanalyzer import errors
from cloudjar.services.accessanalyzer.findings import external, filters, resources, views
from cloudjar.services.accessanalyzer.findings.keep import set_status
from cloudjar.services.accessanalyzer.lookup import by_arn
from cloudjar.services.accessanalyzer.lookup import finding as need_finding
from cloudjar.services.accessanalyzer.records import EXTERNAL, Analyzer, Finding


def _external(ctx: Ctx, arn: str) -> Analyzer:
    analyzer = by_arn(ctx, arn)
    if analyzer.type not in EXTERNAL:
        raise errors.validation("This operation is only supported for external access analyzers.")
    return analyzer


def _chosen(ctx: Ctx, analyzer: Analyzer, req: dict[str, Any]) -> list[Finding]:
    """The findings that a list asks for, in its order: the newest first unless it says otherwise."""
    criteria = filters.read(req.get("filter"))
    found = [f for f in ctx.db[Finding].all(analyzer=analyzer.name) if filters.meets(f, criteria)]
    sort = req.get("sort") or {}
    name = sort.get("attributeName") or "updatedAt"
    found.sort(key=lambda f: (filters.attribute(f, name) or [""], f.id))
    return found if sort.get("orderBy") == "ASC" else found[::-1]


@op("ListFindings")
def list_findings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Findings of external access."""
    analyzer = _external(ctx, req["analyzerArn"])
    return {"findings": [views.first(finding) for finding in _chosen(ctx, analyzer, req)]}


@op("ListFindingsV2")
def list_findings_v2(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Findings of any kind, without their details."""
    analyzer = by_arn(ctx, req["analyzerArn"])
    return {"findings": [views.second(finding) for finding in _chosen(ctx, analyzer, req)]}


@op("GetFinding")
def get_finding(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A finding of external access."""
    return {"finding": views.first(need_finding(ctx, _external(ctx, req["analyzerArn"]), req["id"]))}


@op("GetFindingV2")
def get_finding_v2(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A finding of any kind with its details."""
    finding = need_finding(ctx, by_arn(ctx, req["analyzerArn"]), req["id"])
    return {**views.second(finding), "findingDetails": views.details(finding)}


@op("UpdateFindings")
def update_findings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Archive findings or make them active, by their ids or by their resource."""
    analyzer = by_arn(ctx, req["analyzerArn"])
    if not req.get("ids") and not req.get("resourceArn"):
        raise errors.validation("Either ids or resourceArn must be specified.")
    found = [need_finding(ctx, analyzer, key) for key in req.get("ids") or ()]
    if req.get("resourceArn"):
        found += [f for f in ctx.db[Finding].all(analyzer=analyzer.name) if f.resource == req["resourceArn"]]
    for finding in found:
        set_status(ctx, analyzer, finding, req["status"])
    return {}


@op("GetFindingsStatistics")
def get_findings_statistics(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How many findings there are of which kind."""
    analyzer = by_arn(ctx, req["analyzerArn"])
    found = ctx.db[Finding].all(analyzer=analyzer.name)
    if not found:
        return {"findingsStatistics": [], "lastUpdatedAt": analyzer.last_at}
    return {"findingsStatistics": [views.statistics(found)], "lastUpdatedAt": analyzer.last_at}


# Resources ------------------------------------------------------------------------------------------


def _analyzed(ctx: Ctx, analyzer: Analyzer) -> Iterator[resources.Resource]:
    for account in sorted(external.zone_of(ctx, analyzer).accounts):
        yield from resources.all_of(ctx, account, analyzer.region)


@op("ListAnalyzedResources")
def list_analyzed_resources(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The resources with policies of their own in the zone of trust."""
    analyzer, wanted = _external(ctx, req["analyzerArn"]), req.get("resourceType")
    return {
        "analyzedResources": [
            {"resourceArn": r.arn, "resourceOwnerAccount": r.owner, "resourceType": r.type}
            for r in _analyzed(ctx, analyzer)
            if wanted in (None, r.type)
        ]
    }


@op("GetAnalyzedResource")
def get_analyzed_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One of them, with what its findings say together."""
    analyzer, arn = _external(ctx, req["analyzerArn"]), req["resourceArn"]
    resource = next((r for r in _analyzed(ctx, analyzer) if r.arn == arn), None)
    if resource is None:
        raise errors.missing("Resource", arn)
    found = [f for f in ctx.db[Finding].all(analyzer=analyzer.name) if f.resource == arn and f.status != "RESOLVED"]
    at = analyzer.last_at or analyzer.created
    status = "ACTIVE" if any(f.status == "ACTIVE" for f in found) else "ARCHIVED" if found else None
    return {
        "resource": {
            "resourceArn": arn,
            "resourceType": resource.type,
            "createdAt": min((f.created for f in found), default=analyzer.created),
            "analyzedAt": at,
            "updatedAt": max((f.updated for f in found), default=at),
            "isPublic": any(f.public for f in found),
            "actions": sorted({action for f in found for action in f.actions}) or None,
            "sharedVia": sorted({source["type"] for f in found for source in f.sources}) or None,
            "status": status,
            "resourceOwnerAccount": resource.owner,
        }
    }


@op("StartResourceScan")
def start_resource_scan(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a resource looked at now, with all the others."""
    analyzer, arn = _external(ctx, req["analyzerArn"]), req["resourceArn"]
    if not any(r.arn == arn for r in _analyzed(ctx, analyzer)):
        raise errors.missing("Resource", arn)
    ctx.wake(analyzer, purpose="asked")
    return {}
