"""What is in parameter groups."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, groups, telling, values
from cloudjar.services.rds.records import ParameterGroup, Setting
from cloudjar.services.rds.views import show_parameter
from cloudjar.spec import databases
from cloudjar.spec.databases import Parameter

_MOST = 20
_SOURCES = ("user", "system", "engine-default")


@op("DescribeDBParameters")
def describe_db_parameters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a group, with the values that it gives them."""
    return {"Parameters": shown(groups.read(ctx, req["DBParameterGroupName"]), req)}


def shown(group: ParameterGroup, req: dict[str, Any]) -> list[dict[str, Any]]:
    """What of a group a request asks about."""
    source = req.get("Source")
    if source and source not in _SOURCES:
        raise errors.invalid(f"Invalid source: {source}")
    every = [show_parameter(one, group.settings) for one in databases.parameters(group.family).values()]
    getters = {"parameter-name": lambda item: item["ParameterName"]}
    found = filters.apply(req.get("Filters"), getters, every)
    return [item for item in found if source in (None, "", item["Source"])]


@op("ModifyDBParameterGroup")
def modify_db_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give parameters other values; instances that have the group take them at once, or at their next start."""
    group = groups.own(ctx, req["DBParameterGroupName"])
    return _stored(ctx, group, modified(group, req))


def modified(group: ParameterGroup, req: dict[str, Any]) -> dict[str, Setting]:
    """What is in a group once a request's parameters are set."""
    settings = dict(group.settings)
    for given in _few(req["Parameters"]):
        one = _parameter(group, given)
        value = given.get("ParameterValue")
        if value is None:
            raise errors.missing("ParameterValue")
        settings[one.name] = Setting(value=values.checked(one, value), at_once=_at_once(one, given))
    return settings


@op("ResetDBParameterGroup")
def reset_db_parameter_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give parameters, or all, the family's values again."""
    group = groups.own(ctx, req["DBParameterGroupName"])
    return _stored(ctx, group, reset(group, req))


def reset(group: ParameterGroup, req: dict[str, Any]) -> dict[str, Setting]:
    """What is in a group once a request's parameters, or all, are as the family has them."""
    given = req.get("Parameters") or []
    if req.get("ResetAllParameters"):
        if given:
            raise errors.combination("You can't specify both ResetAllParameters and Parameters.")
        return {}
    if not given:
        raise errors.combination("You must specify either ResetAllParameters or Parameters.")
    gone = {_parameter(group, one).name for one in _few(given) if _at_once(_parameter(group, one), one) is not None}
    return {name: one for name, one in group.settings.items() if name not in gone}


def _few(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(given) > _MOST:
        raise errors.invalid(f"A maximum of {_MOST} parameters can be modified at a time, and there are {len(given)}.")
    return given


def _parameter(group: ParameterGroup, given: dict[str, Any]) -> Parameter:
    name = given.get("ParameterName")
    if not name:
        raise errors.missing("ParameterName")
    found = databases.parameters(group.family).get(name)
    if found is None:
        raise errors.invalid(f"Could not find parameter with name: {name}")
    if not found.modifiable:
        raise errors.invalid(f"The parameter {name} cannot be modified.")
    return found


def _at_once(parameter: Parameter, given: dict[str, Any]) -> bool:
    method = given.get("ApplyMethod") or "pending-reboot"
    if method not in ("immediate", "pending-reboot"):
        raise errors.invalid(f"Invalid apply method: {method}")
    if method == "immediate" and parameter.apply == "static":
        raise errors.combination(f"cannot use immediate apply method for static parameter {parameter.name}")
    return bool(method == "immediate")


def _stored(ctx: Ctx, group: ParameterGroup, settings: dict[str, Setting]) -> dict[str, Any]:
    changed = {n for n in {*settings, *group.settings} if settings.get(n) != group.settings.get(n)}
    stored = ctx.db[ParameterGroup].put(replace(group, settings=settings))
    for name in sorted(changed):
        how = "immediate" if name in settings and settings[name].at_once else "pending-reboot"
        said = f"{settings[name].value} with apply method {how}" if name in settings else "its default"
        telling.group(ctx, stored, "RDS-EVENT-0037", f"Updated parameter {name} to {said}")
    for db in groups.users(ctx, stored):
        ctx.wake(db)
    return {"DBParameterGroupName": group.name}
