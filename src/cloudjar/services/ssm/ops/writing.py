"""Making, changing and deleting parameters.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import access, errors, events, lookup, names, policies, sealing, tiers, values
from cloudjar.services.ssm.life import drop
from cloudjar.services.ssm.ops.tagging import check_tags
from cloudjar.services.ssm.records import SECURE, Parameter, Policy, Version, version_key
from cloudjar.services.ssm.rules import asked

_KEPT = 100
"""Versions of a parameter."""
_IMAGE = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})")


@op("PutParameter", keys=access.putting)
def put_parameter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new parameter, or a new version of one."""
    name = req["Name"].strip(" ")
    names.check(name, ctx.region, ctx.account)
    if req.get("Tags") and req.get("Overwrite"):
        raise errors.tags_with_overwrite()
    before = ctx.db[Parameter].get(name.removeprefix("/"))
    if before is not None and (before.name != name or not req.get("Overwrite")):
        raise errors.exists()
    wanted = _described(ctx, req, name, before)
    _check_value(req, wanted)
    if wanted.data_type == values.IMAGE and not _is_image(ctx, req["Value"]):
        return _image_refused(ctx, wanted, before)
    if before is None:
        stored = ctx.db[Parameter].add(wanted)
    else:
        _make_room(ctx, before)
        stored = ctx.db[Parameter].put(wanted)
    _add_version(ctx, stored, req["Value"])
    more = {"data-type": stored.data_type, "action-status": "Success"} if stored.data_type == values.IMAGE else {}
    events.changed(ctx, stored, "Create" if before is None else "Update", **more)
    return {"Version": stored.version, "Tier": stored.tier}


def _described(ctx: Ctx, req: dict[str, Any], name: str, before: Parameter | None) -> Parameter:
    """The parameter as it shall be; what an update does not say stays."""
    kind = req.get("Type") or (before.type if before else "")
    if not kind:
        raise errors.invalid("A parameter type is required when you create a parameter.")
    if before is not None and kind != before.type:
        raise errors.type_changed()
    if req.get("KeyId") and kind != SECURE:
        raise errors.invalid("KeyId is required for SecureString type parameter only.")
    acting = _policies(ctx, req, before)
    given = tags.from_list(req.get("Tags") or ())
    check_tags(given)
    return Parameter(
        path=name.removeprefix("/"),
        name=name,
        type=kind,
        tier=tiers.choose(ctx, req.get("Tier") or "", values.size(req["Value"]), bool(acting), before),
        data_type=req.get("DataType") or (before.data_type if before else values.TEXT),
        key_id=(req.get("KeyId") or sealing.DEFAULT_KEY) if kind == SECURE else "",
        description=_kept(req, "Description", before.description if before else ""),
        allowed_pattern=_kept(req, "AllowedPattern", before.allowed_pattern if before else ""),
        version=before.version + 1 if before else 1,
        modified=ctx.now,
        modified_by=ctx.caller.arn,
        tags=before.tags if before else given,
        policies=acting,
        shared=before.shared if before else {},
        account=ctx.account,
        region=ctx.region,
    )


def _kept(req: dict[str, Any], member: str, before: str) -> str:
    return before if req.get(member) is None else str(req[member])


def _policies(ctx: Ctx, req: dict[str, Any], before: Parameter | None) -> tuple[Policy, ...]:
    """New policies, or the old ones: of those, the ones that count from the last change count anew."""
    if req.get("Policies") is not None:
        return policies.read(req["Policies"], ctx.now)
    found = before.policies if before else ()
    return tuple(replace(one, status="Pending") if one.type == policies.UNCHANGED else one for one in found)


def _check_value(req: dict[str, Any], wanted: Parameter) -> None:
    values.check(req["Value"], wanted.type, wanted.tier)
    values.check_data_type(wanted.data_type, wanted.type, req["Value"])
    if wanted.allowed_pattern:
        values.check_pattern(wanted.allowed_pattern, req["Value"])


def _is_image(ctx: Ctx, image_id: str) -> bool:
    """Whether the caller has an image of that id."""
    if not _IMAGE.fullmatch(image_id):
        return False
    try:
        found = ctx.call("ec2", "DescribeImages", {"ImageIds": [image_id]}, via=sealing.VIA)
    except AwsError:
        return False
    return bool(found["Images"])


def _image_refused(ctx: Ctx, wanted: Parameter, before: Parameter | None) -> dict[str, Any]:
    """AWS looks the image up after it has answered: the call succeeds, nothing is stored, and an event says why."""
    events.changed(
        ctx,
        wanted,
        "Create" if before is None else "Update",
        **{
            "data-type": wanted.data_type,
            "action-status": "Failed",
            "action-reason": "The value is not the id of an available image.",
        },
    )
    return {"Version": wanted.version, "Tier": wanted.tier}


def _make_room(ctx: Ctx, parameter: Parameter) -> None:
    """Let go of the oldest version when there are a hundred; a label keeps it, and then there is no new one."""
    found = lookup.versions(ctx, parameter)
    for version in found[: max(len(found) - _KEPT + 1, 0)]:
        if version.labels:
            raise errors.oldest_is_labelled(parameter.name, version.number)
        ctx.db[Version].drop(version)


def _add_version(ctx: Ctx, parameter: Parameter, value: str) -> None:
    secure = parameter.type == SECURE
    arn = ctx.arn(parameter)
    ctx.db[Version].add(
        Version(
            key=version_key(parameter.path, parameter.version),
            path=parameter.path,
            number=parameter.version,
            type=parameter.type,
            tier=parameter.tier,
            value="" if secure else value,
            sealed=sealing.seal(ctx, arn, parameter.tier, parameter.key_id, value) if secure else b"",
            data_type=parameter.data_type,
            key_id=parameter.key_id,
            description=parameter.description,
            allowed_pattern=parameter.allowed_pattern,
            modified=parameter.modified,
            modified_by=parameter.modified_by,
            policies=parameter.policies,
        )
    )


@op("DeleteParameter")
def delete_parameter(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A parameter with its history."""
    found = _own(ctx, req["Name"])
    if found is None:
        raise errors.not_found()
    drop(ctx, found)
    return {}


@op("DeleteParameters")
def delete_parameters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Several; those that are not there are named, and fail nothing."""
    deleted, missing = [], []
    for name in dict.fromkeys(req["Names"]):
        found = _own(ctx, name)
        if found is None:
            missing.append(name)
        else:
            drop(ctx, found)
            deleted.append(name)
    return {"DeletedParameters": deleted, "InvalidParameters": missing}


def _own(ctx: Ctx, name: str) -> Parameter | None:
    """By its name alone: neither ARNs nor versions can be deleted."""
    named = asked(name)
    return None if named.account or named.selector else lookup.find(ctx, name)
