"""Buses and rules by what requests call them."""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.services.events import errors
from cloudjar.services.events.records import DEFAULT, Bus, Rule, path_of

_PREFIX = "event-bus/"


def bus_arn(ctx: Ctx, text: str | None) -> arns.Arn:
    """The ARN behind a name or an ARN; the default bus when there is none. It may be another account's or Region's."""
    found = arns.parse(text or DEFAULT)
    if found is not None:
        return found
    return arns.Arn(arns.PARTITION, "events", ctx.region, ctx.account, f"{_PREFIX}{text or DEFAULT}")


def bus_at(ctx: Ctx, arn: arns.Arn) -> Bus | None:
    """The bus of an ARN, wherever it is. Every account has a default one in every Region."""
    name = arn.resource.removeprefix(_PREFIX)
    found = ctx.db.at(arn.account, arn.region)[Bus].get(name)
    if found is None and name == DEFAULT:
        return Bus(name=DEFAULT, account=arn.account, region=arn.region)
    return found


def bus(ctx: Ctx, text: str | None) -> Bus:
    """A bus of the caller's own, by name or ARN; raises ResourceNotFoundException."""
    arn = bus_arn(ctx, text)
    name = arn.resource.removeprefix(_PREFIX)
    if (arn.account, arn.region) != (ctx.account, ctx.region):
        raise errors.not_built("To manage a bus of another account or Region, and its rules,")
    found = bus_at(ctx, arn)
    if found is None:
        raise errors.no_bus(name)
    return found


def stored(ctx: Ctx, found: Bus) -> Bus:
    """The same bus as a record: the default one may have to become one."""
    table = ctx.db.at(found.account, found.region)[Bus]
    return table.get(found.name) or table.add(found)


def rule(ctx: Ctx, bus_name: str | None, name: str) -> Rule:
    """A rule of a bus; raises ResourceNotFoundException."""
    of = bus(ctx, bus_name)
    found = ctx.db[Rule].get(path_of(of.name, name))
    if found is None:
        raise errors.no_rule(name, of.name)
    return found


def changeable(ctx: Ctx, bus_name: str | None, name: str, *, force: bool = False) -> Rule:
    """The same, to change it; raises ManagedRuleException for a service's rule, unless that is forced."""
    found = rule(ctx, bus_name, name)
    if found.managed_by and not force:
        raise errors.managed(name)
    return found
