"""Whose account a request is about, and whether the caller may ask about it.

Without `AccountId` it is the caller's own. With it the caller must belong to the organization's management account,
or to the account that administers Account Management for it; the organization must have let that service in.
https://docs.aws.amazon.com/accounts/latest/reference/using-orgs.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Access, Grant, Handler, op
from cloudjar.services.account import errors

PRINCIPAL = "account.amazonaws.com"
AccountHandler = Callable[[Ctx, str, dict[str, Any]], dict[str, Any]]


def operation(name: str, **options: Any) -> Callable[[AccountHandler], Handler]:
    """The kit's `op`: the handler gets the number of the account that the request is about."""

    def declare(handler: AccountHandler) -> Handler:
        @wraps(handler)
        def asked(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
            return handler(ctx, _subject(ctx, name, req), req)

        return op(name, access=_grants_of(name), **options)(asked)

    return declare


def _grants_of(name: str) -> Access:
    def grants(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
        number = req.get("AccountId")
        text = arns.make("account", "", ctx.account, "account")
        if number:
            place = ctx.world.ports["organization"]()
            standing = place.standing(ctx.account) if place is not None else None
            if standing is not None:  # else nothing can be named: `_subject` refuses it
                text = arns.make("account", "", standing.management_account, f"account/{standing.id}/{number}")
        keys: dict[str, Any] = {}
        if req.get("AlternateContactType"):
            keys["account:alternatecontacttypes"] = [req["AlternateContactType"]]
        if req.get("RegionName"):
            keys["account:targetregion"] = req["RegionName"]
        # Both are the caller's business alone: what of other accounts he may ask is decided by `_subject`.
        return [Grant(f"account:{name}", text, keys or None)]

    return grants


def _subject(ctx: Ctx, name: str, req: dict[str, Any]) -> str:
    number: str = req.get("AccountId") or ""
    if not number:
        return ctx.account
    place = ctx.world.ports["organization"]()
    mine = place.standing(ctx.account) if place is not None else None
    theirs = place.standing(number) if place is not None else None
    if mine is None or theirs is None or mine.id != theirs.id:
        raise errors.not_permitted(ctx.caller, name, "The account is not a member of your organization.")
    home = ctx.at(mine.management_account, "")
    organization = home.find("organizations", "organization", mine.id)
    if PRINCIPAL not in getattr(organization, "services", {}):
        why = "Your organization must first enable trusted access with AWS Account Management."
        raise errors.not_permitted(ctx.caller, name, why)
    member = home.find("organizations", "account", ctx.account)
    if ctx.account != mine.management_account and PRINCIPAL not in getattr(member, "delegations", {}):
        why = "You must be the management account or a delegated administrator of Account Management."
        raise errors.not_permitted(ctx.caller, name, why)
    if number == mine.management_account:
        why = "The management account can only be managed using the standalone context from the management account."
        raise errors.not_permitted(ctx.caller, name, why)
    return number
