"""Cost categories: rules that give lines names of the customer's own.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_CreateCostCategoryDefinition.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ce import errors, periods
from cloudjar.services.ce.applied import checked
from cloudjar.services.ce.records import CostCategory

_MOST, _MOST_RULES, _MONTHS_BACK = 50, 500, 12


def named(ctx: Ctx, arn: str) -> CostCategory:
    """The category of an ARN; raises ResourceNotFoundException."""
    found = ctx.db[CostCategory].get(arn.rpartition("/")[2])
    if found is None or ctx.arn(found) != arn:
        raise errors.missing_category(arn)
    return found


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _start(ctx: Ctx, given: str | None) -> datetime:
    if given is None:
        return periods.month_of(ctx.now)
    try:
        start = datetime.strptime(given, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise errors.invalid(f"Invalid date: {given}") from None
    if start != periods.month_of(start) or not periods.months_before(ctx.now, _MONTHS_BACK) <= start <= ctx.now:
        raise errors.invalid(
            "EffectiveStart must be the first day of a month, at most twelve months ago and not in the future."
        )
    return start


def _defined(category: CostCategory, ctx: Ctx, req: Mapping[str, Any]) -> CostCategory:
    rules = tuple(req["Rules"])
    if not 1 <= len(rules) <= _MOST_RULES:
        raise errors.invalid(f"A cost category has between 1 and {_MOST_RULES} rules.")
    made = replace(
        category,
        rules=rules,
        default=req.get("DefaultValue") or "",
        splits=tuple(req.get("SplitChargeRules") or ()),
        start=_start(ctx, req.get("EffectiveStart")),
    )
    checked(ctx, made)
    _split(made)
    return made


def _split(category: CostCategory) -> None:
    """What split charge rules name must be values of the category; a fixed split is of a hundred percent."""
    values = {rule.get("Value") for rule in category.rules} | {category.default}
    inherits = any(rule.get("Type") == "INHERITED_VALUE" for rule in category.rules)
    for split in category.splits:
        unknown = [] if inherits else [one for one in (split["Source"], *split["Targets"]) if one not in values]
        if unknown or split["Source"] in split["Targets"]:
            raise errors.invalid("Split charge rules must name values of the cost category, and no source as a target.")
        if split["Method"] == "FIXED":
            shares = [float(value) for one in split.get("Parameters") or () for value in one["Values"]]
            if len(shares) != len(split["Targets"]) or abs(sum(shares) - 100) > 1e-9:
                raise errors.invalid("Allocation percentages of a fixed split must add up to 100, one for each target.")


@op("CreateCostCategoryDefinition")
def create_cost_category_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A category; it is applied at once to everything that reports are asked about."""
    table = ctx.db[CostCategory]
    held = table.all()
    if any(one.name == req["Name"] for one in held):
        raise errors.invalid("Failed to create Cost Category: a cost category with this name exists already")
    if len(held) >= _MOST:
        raise AwsError("ServiceQuotaExceededException", f"At most {_MOST} cost categories are allowed.", 400)
    given = tags.from_list(req.get("ResourceTags") or ())
    empty = CostCategory(id=ids.uuid4(), name=req["Name"], rules=(), start=ctx.now, tags=given)
    made = table.add(_defined(empty, ctx, req))
    return {"CostCategoryArn": ctx.arn(made), "EffectiveStart": _text(made.start)}


@op("UpdateCostCategoryDefinition")
def update_cost_category_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give it other rules."""
    made = _defined(named(ctx, req["CostCategoryArn"]), ctx, req)
    ctx.db[CostCategory].put(made)
    return {"CostCategoryArn": ctx.arn(made), "EffectiveStart": _text(made.start)}


@op("DeleteCostCategoryDefinition")
def delete_cost_category_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take it away."""
    found = named(ctx, req["CostCategoryArn"])
    ctx.db[CostCategory].drop(found)
    return {"CostCategoryArn": ctx.arn(found), "EffectiveEnd": _text(periods.month_of(ctx.now))}


_APPLIED = [{"Component": "COST_EXPLORER", "Status": "APPLIED"}]


@op("DescribeCostCategoryDefinition")
def describe_cost_category_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One with its rules."""
    found = named(ctx, req["CostCategoryArn"])
    shown: dict[str, Any] = {
        "CostCategoryArn": ctx.arn(found),
        "Name": found.name,
        "EffectiveStart": _text(found.start),
        "RuleVersion": "CostCategoryExpression.v1",
        "Rules": list(found.rules),
        "ProcessingStatus": _APPLIED,
    }
    if found.splits:
        shown["SplitChargeRules"] = list(found.splits)
    if found.default:
        shown["DefaultValue"] = found.default
    return {"CostCategory": shown}


@op("ListCostCategoryDefinitions")
def list_cost_category_definitions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All of them, by name."""
    shown = []
    for one in sorted(ctx.db[CostCategory].all(), key=lambda one: one.name):
        values = dict.fromkeys(str(rule["Value"]) for rule in one.rules if rule.get("Value"))
        about: dict[str, Any] = {
            "CostCategoryArn": ctx.arn(one),
            "Name": one.name,
            "EffectiveStart": _text(one.start),
            "NumberOfRules": len(one.rules),
            "ProcessingStatus": _APPLIED,
            "Values": list(values),
        }
        shown.append({**about, "DefaultValue": one.default} if one.default else about)
    return {"CostCategoryReferences": shown}
