"""Analyzers by what requests call them."""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.services.accessanalyzer import errors
from cloudjar.services.accessanalyzer.records import Analyzer, Finding


def by_arn(ctx: Ctx, text: str) -> Analyzer:
    """The analyzer behind an ARN; analyzers are the account's and the Region's own."""
    arn = arns.parse(text)
    if arn is None or arn.service != "access-analyzer" or arn.type != "analyzer":
        raise errors.validation(f"Invalid analyzer ARN: {text}")
    found = ctx.db[Analyzer].get(arn.name) if (arn.account, arn.region) == (ctx.account, ctx.region) else None
    if found is None:
        raise errors.missing("Analyzer", text)
    return found


def finding(ctx: Ctx, analyzer: Analyzer, key: str) -> Finding:
    """A finding of an analyzer."""
    found = ctx.db[Finding].get(key)
    if found is None or found.analyzer != analyzer.name:
        raise errors.missing("Finding", key)
    return found
