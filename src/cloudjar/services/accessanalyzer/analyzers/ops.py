"""Operations of analyzers.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CreateAnalyzer.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.auth.organization import Organization
from cloudjar.base.errors import not_implemented
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import by_noun
from cloudjar.services.accessanalyzer import errors, life
from cloudjar.services.accessanalyzer.analyzers.rules import made
from cloudjar.services.accessanalyzer.lookup import by_arn
from cloudjar.services.accessanalyzer.records import UNUSED, Analyzer, Exclusion, Finding, Recommendation

_PRINCIPAL = "access-analyzer.amazonaws.com"
_LONGEST_AGE = 365
_ONE_EACH = ("ACCOUNT", "ACCOUNT_UNUSED_ACCESS")


@op("CreateAnalyzer")
def create_analyzer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An analyzer of the Region; it looks at everything as soon as it is there."""
    name, kind = req["analyzerName"], req["type"]
    if "INTERNAL" in kind:
        raise not_implemented("accessanalyzer", "CreateAnalyzer (internal access)")
    table = ctx.db[Analyzer]
    if table.get(name) is not None:
        raise errors.conflict(f"Analyzer with name {name} already exists")
    if kind in _ONE_EACH and any(other.type == kind for other in table.all()):
        raise errors.too_many(f"The maximum number of analyzers of type {kind} in this Region has been reached: 1")
    if kind.startswith("ORGANIZATION"):
        _need_organization(ctx)
    rules = {rule["ruleName"]: made(ctx, rule["filter"]) for rule in req.get("archiveRules") or ()}
    analyzer = Analyzer(
        name=name,
        type=kind,
        created=ctx.now,
        tags=tags.within_limit(dict(req.get("tags") or {})),
        rules=rules,
    )
    life.watch(ctx.world)
    return {"arn": ctx.arn(table.add(_configured(analyzer, req.get("configuration"))))}


def _need_organization(ctx: Ctx) -> None:
    """An analyzer of an organization is made in its management account, or where that delegated to."""
    port: Organization | None = ctx.world.ports["organization"]()
    standing = port.standing(ctx.account) if port is not None else None
    if standing is None:
        raise errors.validation("The account is not a member of an organization.")
    if standing.management_account == ctx.account:
        return
    declared = by_noun("organizations", "account")
    member: Any = ctx.db.find(declared.type, ctx.account) if declared is not None else None
    if member is None or _PRINCIPAL not in member.delegations:
        raise errors.validation(
            "You must use the management account or the delegated administrator of the organization to create an "
            "analyzer with the organization as the zone of trust."
        )


def _configured(analyzer: Analyzer, configuration: dict[str, Any] | None) -> Analyzer:
    given = (configuration or {}).get("unusedAccess")
    if (configuration or {}).get("internalAccess"):
        raise not_implemented("accessanalyzer", "CreateAnalyzer (internal access)")
    if not given:
        return analyzer
    if analyzer.type not in UNUSED:
        raise errors.validation("Unused access configuration is only for analyzers of unused access.")
    age = given.get("unusedAccessAge", analyzer.age)
    if not 1 <= age <= _LONGEST_AGE:
        raise errors.validation(f"unusedAccessAge must be between 1 and {_LONGEST_AGE} days.")
    excluded = tuple(
        Exclusion(tuple(one.get("accountIds") or ()), tuple(one.get("resourceTags") or ()))
        for one in (given.get("analysisRule") or {}).get("exclusions") or ()
    )
    return replace(analyzer, age=age, exclusions=excluded)


def _configuration(analyzer: Analyzer) -> dict[str, Any] | None:
    if analyzer.type not in UNUSED:
        return None
    shown: dict[str, Any] = {"unusedAccessAge": analyzer.age}
    if analyzer.exclusions:
        shown["analysisRule"] = {
            "exclusions": [
                {"accountIds": list(e.accounts) or None, "resourceTags": list(e.tags) or None}
                for e in analyzer.exclusions
            ]
        }
    return {"unusedAccess": shown}


def _show(ctx: Ctx, analyzer: Analyzer) -> dict[str, Any]:
    return {
        "arn": ctx.arn(analyzer),
        "name": analyzer.name,
        "type": analyzer.type,
        "createdAt": analyzer.created,
        "lastResourceAnalyzed": analyzer.last_resource or None,
        "lastResourceAnalyzedAt": analyzer.last_at if analyzer.last_resource else None,
        "tags": analyzer.tags,
        "status": "ACTIVE",
        "configuration": _configuration(analyzer),
    }


@op("GetAnalyzer")
def get_analyzer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An analyzer by its name."""
    return {"analyzer": _show(ctx, ctx.db[Analyzer].need(req["analyzerName"]))}


@op("ListAnalyzers")
def list_analyzers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The analyzers of the Region."""
    wanted = req.get("type")
    found = [a for a in ctx.db[Analyzer].all() if wanted in (None, a.type)]
    return {"analyzers": [_show(ctx, analyzer) for analyzer in found]}


@op("UpdateAnalyzer")
def update_analyzer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another age or other exclusions of unused access; findings follow."""
    analyzer = ctx.db[Analyzer].need(req["analyzerName"])
    analyzer = ctx.db[Analyzer].put(_configured(analyzer, req.get("configuration")))
    return {"configuration": _configuration(analyzer)}


@op("DeleteAnalyzer")
def delete_analyzer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an analyzer with its findings."""
    analyzer = ctx.db[Analyzer].need(req["analyzerName"])
    for finding in ctx.db[Finding].all(analyzer=analyzer.name):
        ctx.db[Finding].drop(finding)
        advice = ctx.db[Recommendation].get(finding.id)
        if advice is not None:
            ctx.db[Recommendation].drop(advice)
    ctx.db[Analyzer].drop(analyzer)
    return {}


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags to an analyzer."""
    analyzer = by_arn(ctx, req["resourceArn"])
    ctx.db[Analyzer].put(replace(analyzer, tags=tags.within_limit({**analyzer.tags, **req["tags"]})))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags of an analyzer."""
    analyzer = by_arn(ctx, req["resourceArn"])
    left = {key: value for key, value in analyzer.tags.items() if key not in req["tagKeys"]}
    ctx.db[Analyzer].put(replace(analyzer, tags=left))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of an analyzer."""
    return {"tags": by_arn(ctx, req["resourceArn"]).tags}
