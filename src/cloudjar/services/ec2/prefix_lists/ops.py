"""Managed prefix lists.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateManagedPrefixList.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.prefix_lists.records import PER_REGION, Entry, PrefixList
from cloudjar.services.ec2.prefix_lists.references import (
    AWS,
    aws_lists,
    own_list,
    prefix_list,
    referring,
    transit_tables,
)
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

FILTERS = by_path({"owner-id": "OwnerId", "prefix-list-id": "PrefixListId", "prefix-list-name": "PrefixListName"})
AWS_FILTERS = by_path({"prefix-list-id": "PrefixListId", "prefix-list-name": "PrefixListName"})
MAX_ENTRIES = 1000


def show_prefix_list(item: PrefixList) -> dict[str, Any]:
    """AWS's ManagedPrefixList; its own lists have neither a size nor a version."""
    shown: dict[str, Any] = {
        "AddressFamily": item.family,
        "OwnerId": item.account,
        "PrefixListArn": arn_of(item),
        "PrefixListId": item.id,
        "PrefixListName": item.name,
        "State": item.state,
        "Tags": tags.as_list(item.tags),
    }
    if item.account != AWS:
        shown.update(MaxEntries=item.max_entries, Version=item.version)
    return shown


@op("CreateManagedPrefixList")
def create_managed_prefix_list(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A list with up to a hundred entries at once; more are added by Modify."""
    family, name = req["AddressFamily"], req["PrefixListName"]
    if family not in ("IPv4", "IPv6"):
        raise errors.invalid_parameter(family, "AddressFamily", "Valid values are IPv4 and IPv6.")
    _check_name(name)
    if not 1 <= req["MaxEntries"] <= MAX_ENTRIES:
        raise errors.invalid_parameter(req["MaxEntries"], "MaxEntries", f"It must be between 1 and {MAX_ENTRIES}.")
    entries = _entries(req.get("Entries") or (), family)
    _within(entries, req["MaxEntries"])
    if ctx.db[PrefixList].count() >= PER_REGION:
        raise AwsError("PrefixListLimitExceeded", "The maximum number of prefix lists has been reached.")
    item = ctx.db[PrefixList].add(
        PrefixList(
            id=ctx.new_id("pl"),
            name=name,
            family=family,
            max_entries=req["MaxEntries"],
            versions=(entries,),
            tags=tags.specified(req, "prefix-list"),
        )
    )
    return {"PrefixList": show_prefix_list(item) | {"State": "create-in-progress"}}


def _check_name(name: str) -> None:
    if not name or len(name) > 255 or name.lower().startswith("com.amazonaws"):
        raise errors.invalid_parameter(
            name, "PrefixListName", "It must have up to 255 characters and cannot start with com.amazonaws."
        )


def _entries(given: Iterable[Mapping[str, Any]], family: str) -> tuple[Entry, ...]:
    found: dict[str, Entry] = {}
    for item in given:
        cidr = _cidr(item.get("Cidr") or "", family)
        if cidr in found:
            raise errors.invalid_parameter(cidr, "Cidr", "The same CIDR must not appear multiple times.")
        found[cidr] = Entry(cidr=cidr, description=item.get("Description") or "")
    return tuple(found.values())


def _cidr(text: str, family: str) -> str:
    found = blocks.ipv4(text) if family == "IPv4" else blocks.ipv6(text)
    if found is None:
        raise errors.invalid_parameter(text, "Cidr", f"This is not a valid {family} CIDR block.")
    return str(found)


def _within(entries: tuple[Entry, ...], limit: int) -> None:
    if len(entries) > limit:
        raise AwsError(
            "PrefixListMaxEntriesExceeded", f"You've reached the maximum number of entries for the prefix list: {limit}"
        )


@op("DescribeManagedPrefixLists")
def describe_managed_prefix_lists(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's lists and AWS's own, by id or filter."""
    keys = req.get("PrefixListIds")
    items = [prefix_list(ctx, key) for key in dict.fromkeys(keys)] if keys else [
        *aws_lists(ctx), *ctx.db[PrefixList].all()
    ]  # fmt: skip
    return {"PrefixLists": narrow(req, FILTERS, [Row(item.tags, show_prefix_list(item)) for item in items])}


@op("DescribePrefixLists")
def describe_prefix_lists(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """AWS's own lists with their blocks: the older call."""
    keys = req.get("PrefixListIds")
    items = [prefix_list(ctx, key) for key in dict.fromkeys(keys)] if keys else aws_lists(ctx)
    rows = [
        Row(
            item.tags,
            {"Cidrs": [e.cidr for e in item.entries], "PrefixListId": item.id, "PrefixListName": item.name},
        )
        for item in items
        if item.account == AWS
    ]
    return {"PrefixLists": narrow(req, AWS_FILTERS, rows)}


@op("GetManagedPrefixListEntries")
def get_managed_prefix_list_entries(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a list holds, or held in a version."""
    item = prefix_list(ctx, req["PrefixListId"])
    entries = _version(item, req["TargetVersion"]) if req.get("TargetVersion") is not None else item.entries
    return {"Entries": [{"Cidr": e.cidr, "Description": e.description or None} for e in entries]}


def _version(item: PrefixList, number: int) -> tuple[Entry, ...]:
    if not 1 <= number <= len(item.versions):
        raise AwsError("InvalidPrefixListVersion.NotFound", f"Version {number} of '{item.id}' does not exist")
    return item.versions[number - 1]


@op("GetManagedPrefixListAssociations")
def get_managed_prefix_list_associations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The security groups and route tables that refer to a list."""
    item = own_list(ctx, req["PrefixListId"])
    users = [(key, owner) for key, owner, _ in referring(ctx.db, item.id)]
    users += [(table.id, table.account) for table in transit_tables(ctx.db, item.id)]
    found = [{"ResourceId": key, "ResourceOwner": owner} for key, owner in users]
    return {"PrefixListAssociations": found}


@op("ModifyManagedPrefixList")
def modify_managed_prefix_list(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another name, other entries (a new version), or another size; never the last two at once."""
    errors.refuse(req, "IpamPrefixListResolverSyncEnabled")
    item = own_list(ctx, req["PrefixListId"])
    changes: dict[str, Any] = {}
    if req.get("PrefixListName"):
        _check_name(req["PrefixListName"])
        changes["name"] = req["PrefixListName"]
    touches = bool(req.get("AddEntries") or req.get("RemoveEntries"))
    if touches and req.get("MaxEntries") is not None:
        raise errors.combination("You cannot modify the entries of a prefix list and its size at the same time.")
    if touches:
        _expect(item, req.get("CurrentVersion"))
        changes.update(_next(item, _changed(item, req)))
    if req.get("MaxEntries") is not None:
        changes["max_entries"] = _resized(ctx, item, req["MaxEntries"])
    return _store(ctx, item, changes, "modify")


def _expect(item: PrefixList, version: int | None) -> None:
    if version is None:
        raise errors.missing_one("CurrentVersion")
    if version != item.version:
        raise AwsError(
            "PrefixListVersionMismatch",
            f"The prefix list has the version {item.version}, not {version}: {item.id}",
        )


def _changed(item: PrefixList, req: Mapping[str, Any]) -> tuple[Entry, ...]:
    kept = {entry.cidr: entry for entry in item.entries}
    for removed in req.get("RemoveEntries") or ():
        cidr = _cidr(removed["Cidr"], item.family)
        if kept.pop(cidr, None) is None:
            raise errors.invalid_parameter(cidr, "RemoveEntry.Cidr", f"It is not an entry of {item.id}.")
    for entry in _entries(req.get("AddEntries") or (), item.family):
        kept[entry.cidr] = entry
    _within(tuple(kept.values()), item.max_entries)
    return tuple(kept.values())


def _next(item: PrefixList, entries: tuple[Entry, ...]) -> dict[str, Any]:
    return {"version": item.version + 1, "versions": (*item.versions, entries)}


def _resized(ctx: Ctx, item: PrefixList, size: int) -> int:
    """A size that holds the entries, and that those who refer to the list can bear."""
    if not max(len(item.entries), 1) <= size <= MAX_ENTRIES:
        raise errors.invalid_parameter(
            size, "MaxEntries", f"It must be between the number of entries and {MAX_ENTRIES}."
        )
    limit = ctx.limit("vpc", "L-0EA8095F")
    if size > item.max_entries and limit is not None and size > limit:
        users = [key for key, _, _ in referring(ctx.db, item.id) if key.startswith("sg-")]
        if users:
            raise errors.invalid_parameter(
                size, "MaxEntries", f"These resources cannot support it: {', '.join(users[:10])}"
            )
    return size


def _store(ctx: Ctx, item: PrefixList, changes: dict[str, Any], verb: str) -> dict[str, Any]:
    stored = ctx.db[PrefixList].put(replace(item, **changes, state=f"{verb}-complete"))
    for vpc_id in {vpc_id for _, _, vpc_id in referring(ctx.db, item.id)}:
        ctx.wake(ctx.db[Vpc].need(vpc_id))
    for table in transit_tables(ctx.db, item.id):
        ctx.world.state.wakes.wake("ec2/transit-gateway", table.account, table.region, table.gateway_id)
    return {"PrefixList": show_prefix_list(stored) | {"State": f"{verb}-in-progress"}}


@op("RestoreManagedPrefixListVersion")
def restore_managed_prefix_list_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The entries of an earlier version again, as a new one."""
    item = own_list(ctx, req["PrefixListId"])
    _expect(item, req["CurrentVersion"])
    entries = _version(item, req["PreviousVersion"])
    _within(entries, item.max_entries)
    return _store(ctx, item, _next(item, entries), "restore")


@op("DeleteManagedPrefixList")
def delete_managed_prefix_list(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a list that nothing refers to."""
    item = own_list(ctx, req["PrefixListId"])
    if next(referring(ctx.db, item.id), None) is not None or transit_tables(ctx.db, item.id):
        raise errors.dependency("prefixList", item.id)
    ctx.db[PrefixList].drop(item)
    return {"PrefixList": show_prefix_list(item) | {"State": "delete-in-progress"}}
