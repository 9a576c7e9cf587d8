"""Which resources the targets of an experiment come to: asked with the experiment's role, like everything it does.

https://docs.aws.amazon.com/fis/latest/userguide/targets.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.kit.context import Ctx
from cloudjar.services.fis import catalogue, errors, rules


def resolve(ctx: Ctx, role: Caller, target: Mapping[str, Any]) -> list[str]:
    """The ARNs of a target, after its selection mode. Raises the `AwsError` of what the role may not ask."""
    kind = target["resourceType"]
    found = _roles(ctx, role, target) if kind == catalogue.ROLE else _in_ec2(ctx, role, kind, target)
    return rules.chosen(target["selectionMode"], found, ids.below)


def _in_ec2(ctx: Ctx, role: Caller, kind: str, target: Mapping[str, Any]) -> list[str]:
    asked: dict[str, Any] = {}
    names = [_name(arn) for arn in target.get("resourceArns") or []]
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in (target.get("resourceTags") or {}).items()]
    given = target.get("parameters") or {}
    if kind == catalogue.SUBNET:
        place = given.get("availabilityZoneIdentifier", "")
        word = "availability-zone" if place[-1:].isalpha() else "availability-zone-id"
        filters += [{"Name": word, "Values": [place]}] if place else []
        filters += [{"Name": "vpc-id", "Values": [_name(given["vpc"])]}] if given.get("vpc") else []
    if names:
        asked["SubnetIds" if kind == catalogue.SUBNET else "InstanceIds"] = names
    if filters:
        asked["Filters"] = filters
    rows, key = _rows(ctx, role, kind, asked)
    wanted = [row for row in rows if _passes(row, target.get("filters") or [])]
    if kind == catalogue.SPOT:
        wanted = [row for row in wanted if row.get("InstanceLifecycle") == "spot"]
    if kind != catalogue.SUBNET:
        # What is gone is no target, unless it was asked for by name.
        wanted = [row for row in wanted if names or row["State"]["Name"] not in ("shutting-down", "terminated")]
    noun = "subnet" if kind == catalogue.SUBNET else "instance"
    return [f"arn:aws:ec2:{ctx.region}:{ctx.account}:{noun}/{row[key]}" for row in wanted]


def _rows(ctx: Ctx, role: Caller, kind: str, asked: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    if kind == catalogue.SUBNET:
        return ctx.call("ec2", "DescribeSubnets", asked, caller=role).get("Subnets", []), "SubnetId"
    answer = ctx.call("ec2", "DescribeInstances", asked, caller=role)
    return [vm for held in answer.get("Reservations", []) for vm in held["Instances"]], "InstanceId"


def _passes(row: Mapping[str, Any], filters: list[dict[str, Any]]) -> bool:
    return all(set(_at(row, one["path"].split("."))) & set(one["values"]) for one in filters)


def _at(value: Any, path: list[str]) -> list[str]:
    """What stands at a path of names; of a list, what stands there in each item."""
    if isinstance(value, list):
        return [found for item in value for found in _at(item, path)]
    if not path:
        return [str(value)] if isinstance(value, str | int | bool) else []
    return _at(value[path[0]], path[1:]) if isinstance(value, Mapping) and path[0] in value else []


def _roles(ctx: Ctx, role: Caller, target: Mapping[str, Any]) -> list[str]:
    found = []
    tags = target.get("resourceTags") or {}
    for arn in target.get("resourceArns") or []:
        asked = {"RoleName": _name(arn).rpartition("/")[2]}
        found.append(ctx.call("iam", "GetRole", asked, caller=role)["Role"]["Arn"])
    if tags:
        for item in ctx.call("iam", "ListRoles", {}, caller=role)["Roles"]:
            held = ctx.call("iam", "ListRoleTags", {"RoleName": item["RoleName"]}, caller=role)["Tags"]
            if tags.items() <= {tag["Key"]: tag["Value"] for tag in held}.items():
                found.append(item["Arn"])
    return found


def _name(arn: str) -> str:
    """The id at the end of an ARN; an id stays what it is."""
    if not arn.startswith("arn:"):
        return arn
    parsed = arns.parse(arn)
    if parsed is None:
        raise errors.validation(f"'{arn}' is not an ARN.")
    return str(parsed.name)
