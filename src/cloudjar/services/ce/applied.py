"""Cost categories as functions of lines, and which tags reports know.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/manage-cost-categories.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.billing.expressions import Expressions, Keep, Refused, Values, tag
from cloudjar.billing.measured import Line
from cloudjar.kit.accounts import described
from cloudjar.kit.context import Ctx
from cloudjar.services.ce import errors
from cloudjar.services.ce.records import AllocationTag, CostCategory


def applied(ctx: Ctx) -> dict[str, Values]:
    """Every category of the account by its name; those that refer to others after these."""
    left = {one.name: one for one in ctx.db[CostCategory].all()}
    done: dict[str, Values] = {}
    while left:
        ready = [one for one in left.values() if not (mentioned(one.rules) & set(left)) - {one.name}]
        if not ready:  # a circle, which is refused where it is made
            break
        for one in ready:
            done[one.name] = function(ctx, one, done)
            del left[one.name]
    return done


def function(ctx: Ctx, category: CostCategory, others: Mapping[str, Values]) -> Values:
    """What value a category gives a line; "" when no rule admits it and it has no default."""
    rules = [_rule(ctx, rule, others) for rule in category.rules]

    def value(line: Line) -> str:
        for admits, named in rules:
            if admits(line) and (found := named(line)):
                return found
        return category.default

    return value


def _rule(ctx: Ctx, rule: Mapping[str, Any], others: Mapping[str, Values]) -> tuple[Keep, Values]:
    if rule.get("Type") == "INHERITED_VALUE":
        about = rule.get("InheritedValue") or {}
        key = about.get("DimensionKey") or ""
        if about.get("DimensionName") == "TAG":
            return (lambda _: True), (lambda line: tag(line, key))
        return (lambda _: True), (lambda line: described(ctx.db, line.account).name)
    named = {"LINKED_ACCOUNT_NAME": lambda line: described(ctx.db, line.account).name}
    keep, given = Expressions(others, named).keep(rule.get("Rule")), str(rule.get("Value") or "")
    return keep, lambda _: given


def checked(ctx: Ctx, category: CostCategory) -> None:
    """Raise ValidationException when the rules cannot be applied."""
    for rule in category.rules:
        inherits = rule.get("Type") == "INHERITED_VALUE"
        if inherits and (not rule.get("InheritedValue") or rule.get("Rule")):
            raise errors.invalid("A rule of type INHERITED_VALUE must have an InheritedValue and no Rule.")
        if not inherits and (not rule.get("Value") or not rule.get("Rule")):
            raise errors.invalid("A rule of type REGULAR must have a Value and a Rule.")
    others = {one.name: one for one in ctx.db[CostCategory].all() if one.name != category.name}
    if category.name in _reached(category.rules, others):
        raise errors.invalid(f"The cost category {category.name} refers to itself.")
    try:
        function(ctx, category, applied(ctx))
    except Refused as reason:
        raise errors.invalid(str(reason)) from None


def _reached(rules: tuple[dict[str, Any], ...], others: Mapping[str, CostCategory]) -> set[str]:
    found: set[str] = set()
    todo = mentioned(rules)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo |= mentioned(others[name].rules) if name in others else set()
    return found


def mentioned(rules: tuple[dict[str, Any], ...]) -> set[str]:
    """The categories that rules refer to."""
    found: set[str] = set()
    todo: list[Any] = [rule.get("Rule") for rule in rules]
    while todo:
        one = todo.pop()
        if isinstance(one, Mapping):
            if "CostCategories" in one:
                found.add(str(one["CostCategories"].get("Key")))
            todo += [*(one.get("And") or ()), *(one.get("Or") or ()), one.get("Not")]
    return found


def active_tags(ctx: Ctx) -> frozenset[str]:
    """The keys that were switched on."""
    return frozenset(one.key for one in ctx.db[AllocationTag].all() if one.active)
