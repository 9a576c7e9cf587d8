"""Option groups: made, copied, changed, shown, deleted."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import errors, option_groups, options, tagging
from cloudjar.services.rds.option_groups import OptionGroup
from cloudjar.services.rds.options import Chosen, Option, Setting
from cloudjar.services.rds.records import Change, DbInstance, Snapshot
from cloudjar.spec import databases
from cloudjar.spec.databases import Line


@op("CreateOptionGroup")
def create_option_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group without options, for one major version of an engine."""
    name = _new_name(ctx, "OptionGroupName", req["OptionGroupName"])
    line = _line(req["EngineName"], req["MajorEngineVersion"])
    if not req["OptionGroupDescription"]:
        raise errors.missing("OptionGroupDescription")
    made = OptionGroup(
        name=name, engine=line.engine, major=line.major, description=req["OptionGroupDescription"],
        tags=tagging.asked(req),
    )  # fmt: skip
    return {"OptionGroup": _shown(ctx, ctx.db[OptionGroup].add(made))}


@op("CopyOptionGroup")
def copy_option_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another group with the options of one of the account's own."""
    named = req["SourceOptionGroupIdentifier"]
    parsed = arns.parse(named)
    if parsed is not None and (parsed.account, parsed.region) != (ctx.account, ctx.region):
        raise errors.invalid("The source option group must be in the same account and Region.")
    source = option_groups.read(ctx, named)
    if source.name.startswith(option_groups.DEFAULT):
        raise errors.invalid("Cannot copy a default option group.")
    member = "TargetOptionGroupIdentifier"
    name = _new_name(ctx, member, req[member])
    if not req["TargetOptionGroupDescription"]:
        raise errors.missing("TargetOptionGroupDescription")
    made = replace(
        source, name=name, description=req["TargetOptionGroupDescription"], copied_from=arn_of(source), copied=ctx.now,
        tags=tagging.asked(req),
    )  # fmt: skip
    return {"OptionGroup": _shown(ctx, ctx.db[OptionGroup].add(made))}


@op("ModifyOptionGroup")
def modify_option_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Options more, options otherwise, options less; instances follow now or in their maintenance window."""
    group = option_groups.own(ctx, req["OptionGroupName"])
    include, remove = req.get("OptionsToInclude") or (), req.get("OptionsToRemove") or ()
    if not include and not remove:
        raise errors.combination("You must specify either OptionsToInclude or OptionsToRemove.")
    held = {one.name: one for one in group.options}
    for asked in include:
        if asked["OptionName"] in remove:
            raise errors.combination(f"The option {asked['OptionName']} is to be included and removed.")
        held[asked["OptionName"]] = options.chosen(group.engine, asked, held.get(asked["OptionName"]))
    for name in remove:
        if held.pop(name, None) is None:
            raise errors.invalid(f"Option {name} is not in option group {group.name}.")
    wanted = tuple(held[name] for name in sorted(held))
    stored = ctx.db[OptionGroup].put(replace(group, options=wanted))
    _tell_instances(ctx, stored, req.get("ApplyImmediately") is True)
    return {"OptionGroup": _shown(ctx, stored)}


def _tell_instances(ctx: Ctx, group: OptionGroup, now: bool) -> None:
    using = option_groups.users(ctx, group)
    busy = [db.id for db in using if now and db.state != "available"]
    if busy:
        raise AwsError(
            "InvalidOptionGroupStateFault",
            f"The option group {group.name} cannot be changed: the DB instance {busy[0]} is not in available state.",
        )
    for db in using:
        if now:
            change = Change(option_group=group.name, options=group.options)
            rest = replace(db.pending, option_group=None, options=None)
            ctx.db[DbInstance].put(replace(db, state="modifying", change=change, pending=rest))
        else:
            later = replace(db.pending, option_group=group.name, options=group.options)
            ctx.db[DbInstance].put(replace(db, pending=later))


@op("DeleteOptionGroup")
def delete_option_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A group that no instance and no snapshot has."""
    group = option_groups.own(ctx, req["OptionGroupName"])
    snapshots = [one for one in ctx.db[Snapshot].all() if one.option_group == group.name and one.kind == "manual"]
    if option_groups.users(ctx, group) or snapshots:
        raise AwsError(
            "InvalidOptionGroupStateFault",
            f"The option group '{group.name}' cannot be deleted because it is in use.",
        )
    ctx.db[OptionGroup].drop(group)
    return {}


@op("DescribeOptionGroups")
def describe_option_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One group, or all, of an engine or of a major version."""
    name, engine, major = req.get("OptionGroupName"), req.get("EngineName"), req.get("MajorEngineVersion")
    if name and (engine or major):
        raise errors.combination("OptionGroupName can't be specified with EngineName or MajorEngineVersion.")
    if major and not engine:
        raise errors.combination("EngineName must be specified with MajorEngineVersion.")
    found = [option_groups.read(ctx, name)] if name else option_groups.every(ctx)
    found = [one for one in found if engine in (None, one.engine) and major in (None, one.major)]
    shown = filters.apply(req.get("Filters"), {}, found)
    return {"OptionGroupsList": [_shown(ctx, group) for group in shown]}


@op("DescribeOptionGroupOptions")
def describe_option_group_options(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What an engine can have in a group."""
    engine, major = req["EngineName"], req.get("MajorEngineVersion")
    if databases.usual(engine) is None:
        raise errors.invalid(f"Invalid DB engine: {engine}")
    lines = [line for line in databases.LINES if line.engine == engine and major in (None, line.major)]
    found = [_option(line, one) for line in lines for one in options.of(engine)]
    return {"OptionGroupOptions": filters.apply(req.get("Filters"), {}, found)}


def _new_name(ctx: Ctx, member: str, given: str) -> str:
    name = given.lower()
    if len(name) > 255 or not re.fullmatch(r"[a-z](-?[a-z0-9])*", name):
        raise errors.invalid(f"The parameter {member} is not a valid identifier: {given}")
    if ctx.db[OptionGroup].get(name) is not None:
        raise AwsError("OptionGroupAlreadyExistsFault", f"An option group named {name} already exists.")
    return name


def _line(engine: str, major: str) -> Line:
    if databases.usual(engine) is None:
        raise errors.invalid(f"Invalid DB engine: {engine}")
    found = databases.line(engine, major)
    if found is None:
        raise errors.combination(f"Cannot find major version {major} for {engine}")
    return found


def _shown(ctx: Ctx, group: OptionGroup) -> dict[str, Any]:
    default = group.name.startswith(option_groups.DEFAULT)
    return {
        "OptionGroupName": group.name,
        "OptionGroupDescription": group.description,
        "EngineName": group.engine,
        "MajorEngineVersion": group.major,
        "Options": [_held(group, one) for one in group.options],
        "AllowsVpcAndNonVpcInstanceMemberships": True,
        "OptionGroupArn": (
            arns.make("rds", ctx.region, ctx.account, f"og:{group.name}") if default else arn_of(group)
        ),
        "SourceOptionGroup": group.copied_from or None,
        "SourceAccountId": group.copied_from.split(":")[4] if group.copied_from else None,
        "CopyTimestamp": group.copied,
    }


def _held(group: OptionGroup, one: Chosen) -> dict[str, Any]:
    option, given = options.need(group.engine, one.name), dict(one.settings)
    return {
        "OptionName": option.name,
        "OptionDescription": option.description,
        "Persistent": False,
        "Permanent": False,
        "OptionSettings": [_setting(setting, given.get(setting.name)) for setting in option.settings],
        "DBSecurityGroupMemberships": [],
        "VpcSecurityGroupMemberships": [],
    }


def _setting(setting: Setting, given: str | None) -> dict[str, Any]:
    value = setting.value if given is None else given
    return {
        "Name": setting.name,
        "Value": value or None,
        "DefaultValue": setting.value or None,
        "Description": setting.description,
        "ApplyType": "DYNAMIC",
        "DataType": "STRING",
        "AllowedValues": setting.allowed or None,
        "IsModifiable": setting.modifiable,
        "IsCollection": setting.many,
    }


def _option(line: Line, one: Option) -> dict[str, Any]:
    return {
        "Name": one.name,
        "Description": one.description,
        "EngineName": line.engine,
        "MajorEngineVersion": line.major,
        "PortRequired": False,
        "OptionsDependedOn": [],
        "OptionsConflictsWith": [],
        "Persistent": False,
        "Permanent": False,
        "RequiresAutoMinorEngineVersionUpgrade": False,
        "VpcOnly": False,
        "SupportsOptionVersionDowngrade": False,
        "OptionGroupOptionSettings": [
            {
                "SettingName": setting.name,
                "SettingDescription": setting.description,
                "DefaultValue": setting.value or None,
                "ApplyType": "DYNAMIC",
                "AllowedValues": setting.allowed or None,
                "IsModifiable": setting.modifiable,
                "IsRequired": False,
            }
            for setting in one.settings
        ],
        "CopyableCrossAccount": True,
        "CopyableCrossRegion": False,
    }
