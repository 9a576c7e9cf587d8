"""Archive rules: findings that are as expected.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CreateArchiveRule.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.accessanalyzer import errors
from cloudjar.services.accessanalyzer.findings import filters
from cloudjar.services.accessanalyzer.findings.keep import set_status
from cloudjar.services.accessanalyzer.lookup import by_arn
from cloudjar.services.accessanalyzer.records import Analyzer, ArchiveRule, Finding

_MOST = 100


def made(ctx: Ctx, given: Mapping[str, Any]) -> ArchiveRule:
    """A new rule from a request's filter."""
    if not given:
        raise errors.validation("An archive rule must have at least one filter criterion.")
    return ArchiveRule(filter=filters.read(given), created=ctx.now, updated=ctx.now)


def _need(ctx: Ctx, req: Mapping[str, Any]) -> tuple[Analyzer, ArchiveRule]:
    analyzer = ctx.db[Analyzer].need(req["analyzerName"])
    rule = analyzer.rules.get(req["ruleName"])
    if rule is None:
        raise errors.missing("Archive rule", req["ruleName"])
    return analyzer, rule


def _show(name: str, rule: ArchiveRule) -> dict[str, Any]:
    shown = filters.show(rule.filter)
    return {"ruleName": name, "filter": shown, "createdAt": rule.created, "updatedAt": rule.updated}


@op("CreateArchiveRule")
def create_archive_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A rule for findings to come; those that are there stay as they are."""
    analyzer = ctx.db[Analyzer].need(req["analyzerName"])
    if req["ruleName"] in analyzer.rules:
        raise errors.conflict(f"Archive rule {req['ruleName']} already exists")
    if len(analyzer.rules) >= _MOST:
        raise errors.too_many(f"You have exceeded the maximum number of archive rules ({_MOST}).")
    rules = {**analyzer.rules, req["ruleName"]: made(ctx, req["filter"])}
    ctx.db[Analyzer].put(replace(analyzer, rules=rules))
    return {}


@op("UpdateArchiveRule")
def update_archive_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Other criteria for a rule."""
    analyzer, rule = _need(ctx, req)
    changed = replace(made(ctx, req["filter"]), created=rule.created)
    ctx.db[Analyzer].put(replace(analyzer, rules={**analyzer.rules, req["ruleName"]: changed}))
    return {}


@op("DeleteArchiveRule")
def delete_archive_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a rule; what it archived stays archived."""
    analyzer, _ = _need(ctx, req)
    left = {name: rule for name, rule in analyzer.rules.items() if name != req["ruleName"]}
    ctx.db[Analyzer].put(replace(analyzer, rules=left))
    return {}


@op("GetArchiveRule")
def get_archive_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A rule by its name."""
    return {"archiveRule": _show(req["ruleName"], _need(ctx, req)[1])}


@op("ListArchiveRules")
def list_archive_rules(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The rules of an analyzer."""
    rules = ctx.db[Analyzer].need(req["analyzerName"]).rules
    return {"archiveRules": [_show(name, rules[name]) for name in sorted(rules)]}


@op("ApplyArchiveRule")
def apply_archive_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Archive the findings that are there and meet a rule."""
    analyzer = by_arn(ctx, req["analyzerArn"])
    rule = analyzer.rules.get(req["ruleName"])
    if rule is None:
        raise errors.missing("Archive rule", req["ruleName"])
    for finding in ctx.db[Finding].all(analyzer=analyzer.name):
        if filters.meets(finding, rule.filter):
            set_status(ctx, analyzer, finding, "ARCHIVED")
    return {}
