"""Archives of events.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import archiving, checks, errors, finding, hearing, views
from cloudjar.services.events.archived import archived
from cloudjar.services.events.records import Archive


def _archive(ctx: Ctx, name: str) -> Archive:
    found = ctx.db[Archive].get(name)
    if found is None:
        raise errors.not_found(f"Archive {name} does not exist.")
    return found


def _settings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if req.get("KmsKeyIdentifier") is not None:
        changed["kms_key"] = _key(ctx, req["KmsKeyIdentifier"])
    if req.get("Description") is not None:
        changed["description"] = req["Description"]
    if req.get("EventPattern") is not None:
        changed["pattern"] = checks.pattern(ctx, req["EventPattern"]) if req["EventPattern"] else ""
    if req.get("RetentionDays") is not None:
        changed["days"] = req["RetentionDays"]
    return changed


def _key(ctx: Ctx, text: str) -> str:
    """The ARN of a key that its caller may see; "" takes a key away. Raises ValidationException."""
    if not text:
        return ""
    try:
        return str(ctx.call("kms", "DescribeKey", {"KeyId": text}, via="events.amazonaws.com")["KeyMetadata"]["Arn"])
    except AwsError as error:
        raise errors.parameter("KmsKeyIdentifier", error.message) from error


def _answer(ctx: Ctx, held: Archive) -> dict[str, Any]:
    return {"ArchiveArn": ctx.arn(held), "State": "ENABLED", "CreationTime": views.when(held.made)}


def _show(ctx: Ctx, held: Archive) -> dict[str, Any]:
    kept = archived(ctx.world).held(held.place)
    return {
        "ArchiveName": held.name,
        "EventSourceArn": held.bus,
        "State": "ENABLED",
        "RetentionDays": held.days,
        "SizeBytes": kept.size,
        "EventCount": kept.events,
        "CreationTime": views.when(held.made),
    }


@op("CreateArchive")
def create_archive(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a bus's events kept."""
    name, arn = req["ArchiveName"], arns.parse(req["EventSourceArn"])
    if ctx.db[Archive].get(name) is not None:
        raise errors.exists(f"Archive {name} already exists.")
    if arn is None or arn.type != "event-bus":
        raise errors.parameter("EventSourceArn", "Must contain an event bus ARN.")
    bus = finding.bus(ctx, req["EventSourceArn"])
    made = Archive(name=name, bus=ctx.arn(bus), made=ctx.now.timestamp())
    held = ctx.db[Archive].add(replace(made, **_settings(ctx, req)))
    archiving.keep_rule(ctx, held)
    hearing.listen(ctx.world)
    return _answer(ctx, held)


@op("UpdateArchive")
def update_archive(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what is archived, and for how long."""
    held = ctx.db[Archive].put(replace(_archive(ctx, req["ArchiveName"]), **_settings(ctx, req)))
    archiving.keep_rule(ctx, held)
    archiving.tend_soon(ctx, held)
    return _answer(ctx, held)


@op("DescribeArchive")
def describe_archive(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One archive."""
    held = _archive(ctx, req["ArchiveName"])
    more = {"Description": held.description or None, "EventPattern": held.pattern or None}
    more["KmsKeyIdentifier"] = held.kms_key or None
    return {**_show(ctx, held), **more, "ArchiveArn": ctx.arn(held)}


@op("ListArchives")
def list_archives(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Archives by name, bus or state."""
    given = [member for member in ("NamePrefix", "EventSourceArn", "State") if req.get(member)]
    if len(given) > 1:
        raise errors.invalid("At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or "
                             "NamePrefix.")  # fmt: skip
    if req.get("EventSourceArn"):
        finding.bus(ctx, req["EventSourceArn"])
    found = [
        _show(ctx, held)
        for held in ctx.db[Archive].all()
        if held.name.startswith(req.get("NamePrefix") or "")
        and held.bus == (req.get("EventSourceArn") or held.bus)
        and req.get("State") in (None, "ENABLED")
    ]
    return views.page(req, "Archives", found)


@op("DeleteArchive")
def delete_archive(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an archive with what it keeps."""
    archiving.drop(ctx, _archive(ctx, req["ArchiveName"]))
    return {}
