"""Findings as the API and the events show them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.accessanalyzer.records import Finding


def _head(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "resource": finding.resource,
        "resourceType": finding.resource_type,
        "createdAt": finding.created,
        "analyzedAt": finding.analyzed,
        "updatedAt": finding.updated,
        "status": finding.status,
        "resourceOwnerAccount": finding.owner,
    }


def _access(finding: Finding) -> dict[str, Any]:
    return {
        "principal": finding.principal,
        "action": list(finding.actions),
        "isPublic": finding.public,
        "condition": finding.condition,
        "sources": finding.sources,
        "resourceControlPolicyRestriction": "NOT_APPLICABLE",
    }


def first(finding: Finding) -> dict[str, Any]:
    """The form of `GetFinding` and `ListFindings`, which know external access alone."""
    return {**_head(finding), **_access(finding)}


def second(finding: Finding) -> dict[str, Any]:
    """The form of `ListFindingsV2`."""
    return {**_head(finding), "findingType": finding.type}


def details(finding: Finding) -> list[dict[str, Any]]:
    """``findingDetails`` of `GetFindingV2`."""
    match finding.type:
        case "ExternalAccess":
            return [{"externalAccessDetails": _access(finding)}]
        case "UnusedIAMRole":
            return [{"unusedIamRoleDetails": {"lastAccessed": finding.last}}]
        case "UnusedIAMUserPassword":
            return [{"unusedIamUserPasswordDetails": {"lastAccessed": finding.last}}]
        case "UnusedIAMUserAccessKey":
            return [{"unusedIamUserAccessKeyDetails": {"accessKeyId": finding.key, "lastAccessed": finding.last}}]
    return [
        {
            "unusedPermissionDetails": {
                "serviceNamespace": unused.service,
                "lastAccessed": unused.last,
                "actions": [{"action": name, "lastAccessed": at} for name, at in unused.actions] or None,
            }
        }
        for unused in finding.unused
    ]


def event(ctx: Ctx, finding: Finding) -> dict[str, Any]:
    """The detail of the finding's event."""
    detail = {
        "version": "1.0",
        "id": finding.id,
        "status": finding.status,
        "resourceType": finding.resource_type,
        "resource": finding.resource,
        "createdAt": _time(finding.created),
        "analyzedAt": _time(finding.analyzed),
        "updatedAt": _time(finding.updated),
        "accountId": finding.owner,
        "region": ctx.region,
        "isDeleted": False,
    }
    if finding.type == "ExternalAccess":
        more = {"principal": finding.principal, "action": list(finding.actions), "condition": finding.condition}
        return {**detail, **more, "isPublic": finding.public}
    return {**detail, "findingType": finding.type}


def _time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def statistics(findings: Iterable[Finding]) -> dict[str, Any]:
    """``findingsStatistics`` of an analyzer."""
    counts: dict[str, int] = {"ACTIVE": 0, "ARCHIVED": 0, "RESOLVED": 0}
    by_type: dict[str, dict[str, int]] = {}
    unused: dict[str, int] = {}
    external = True
    for finding in findings:
        counts[finding.status] += 1
        external = external and finding.type == "ExternalAccess"
        if finding.status != "ACTIVE":
            continue
        kind = by_type.setdefault(
            finding.resource_type, {"totalActivePublic": 0, "totalActiveCrossAccount": 0, "totalActiveErrors": 0}
        )
        kind["totalActivePublic" if finding.public else "totalActiveCrossAccount"] += 1
        unused[finding.type] = unused.get(finding.type, 0) + 1
    totals = {
        "totalActiveFindings": counts["ACTIVE"],
        "totalArchivedFindings": counts["ARCHIVED"],
        "totalResolvedFindings": counts["RESOLVED"],
    }
    if external:
        return {"externalAccessFindingsStatistics": {**totals, "resourceTypeStatistics": by_type}}
    listed = [{"unusedAccessType": kind, "total": total} for kind, total in sorted(unused.items())]
    return {"unusedAccessFindingsStatistics": {**totals, "unusedAccessTypeStatistics": listed}}
