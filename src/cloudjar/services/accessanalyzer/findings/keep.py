"""Findings kept up to date: what is new is found, what is gone is resolved, what came back is active again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.services.accessanalyzer.findings import views
from cloudjar.services.accessanalyzer.findings.filters import meets
from cloudjar.services.accessanalyzer.records import EXTERNAL, Analyzer, Finding

_COMPARED = ("actions", "condition", "public", "last", "unused", "sources")


def keep(ctx: Ctx, analyzer: Analyzer, now: Iterable[Mapping[str, Any]]) -> bool:
    """Store what an analyzer sees now, each finding as the fields of a `Finding` that tell what it is about; within a
    transaction. Whether anything changed."""
    table = ctx.db[Finding]
    known = {finding.place: finding for finding in table.all(analyzer=analyzer.name)}
    changed = False
    for fields in now:
        before = known.pop(fields["place"], None)
        if before is None:
            made = Finding(
                id=ids.uuid4(), analyzer=analyzer.name, created=ctx.now, analyzed=ctx.now, updated=ctx.now, **fields
            )
            _announce(ctx, analyzer, table.add(_archived(analyzer, made)))
            changed = True
        else:
            changed |= _again(ctx, analyzer, before, fields)
    for gone in known.values():
        if gone.status != "RESOLVED":
            resolved = replace(gone, status="RESOLVED", analyzed=ctx.now, updated=ctx.now)
            _announce(ctx, analyzer, table.put(resolved))
            changed = True
    return changed


def _again(ctx: Ctx, analyzer: Analyzer, before: Finding, fields: Mapping[str, Any]) -> bool:
    differs = any(name in fields and fields[name] != getattr(before, name) for name in _COMPARED)
    if before.status != "RESOLVED" and not differs:
        return False
    after = replace(before, analyzed=ctx.now, updated=ctx.now, **fields)
    if before.status == "RESOLVED":
        after = _archived(analyzer, replace(after, status="ACTIVE"))
    _announce(ctx, analyzer, ctx.db[Finding].put(after))
    return True


def _archived(analyzer: Analyzer, finding: Finding) -> Finding:
    """Archived at once if a rule of the analyzer says so."""
    if any(meets(finding, rule.filter) for rule in analyzer.rules.values()):
        return replace(finding, status="ARCHIVED")
    return finding


def _announce(ctx: Ctx, analyzer: Analyzer, finding: Finding) -> None:
    """The event for EventBridge."""
    external = analyzer.type in EXTERNAL
    ctx.emit(
        "aws.access-analyzer",
        "Access Analyzer Finding" if external else "Unused Access Finding for IAM entities",
        views.event(ctx, finding),
        (ctx.arn(analyzer),),
    )


def set_status(ctx: Ctx, analyzer: Analyzer, finding: Finding, status: str) -> None:
    """Archive a finding or make it active again; what is resolved stays so."""
    if finding.status not in (status, "RESOLVED"):
        _announce(ctx, analyzer, ctx.db[Finding].put(replace(finding, status=status, updated=ctx.now)))
