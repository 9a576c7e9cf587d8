"""Asking the ledger: whose lines, under which names. It may take a while, so it happens on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.billing.expressions import Expressions, Keep, Refused, Values
from cloudjar.billing.ledger import Ledger, ledger
from cloudjar.billing.measured import Line
from cloudjar.billing.rate import REPORT
from cloudjar.kit.accounts import described
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ce import errors
from cloudjar.services.ce.applied import active_tags, applied

Ask = Callable[["Asking", dict[str, Any]], dict[str, Any]]


class Asking:
    """One request: who asks may see his own account's lines, a payer those of everybody he pays for."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.now = ctx.now
        self.ledger: Ledger = ledger(ctx.world)
        self.categories = applied(ctx)
        self._mine: dict[str, bool] = {}
        self.named: Mapping[str, Values] = {
            "PAYER_ACCOUNT": lambda line: self.ledger.payer(line.account),
            "LINKED_ACCOUNT_NAME": lambda line: self.account_name(line.account),
        }
        self.active = active_tags(ctx)
        self.expressions = Expressions(self.categories, self.named, self.active)

    def view(self, req: Mapping[str, Any]) -> None:
        """Refuse other billing views than the one that every account has."""
        given = req.get("BillingViewArn")
        if given and given != f"arn:aws:billing::{self.ctx.account}:billingview/primary":
            raise AwsError("ResourceNotFoundException", f"The billing view {given} does not exist.", 400)

    def account_name(self, account: str) -> str:
        """What an account is called."""
        return described(self.ctx.db, account).name

    def mine(self, line: Line) -> bool:
        """Whether who asks may see a line."""
        known = self._mine.get(line.account)
        if known is None:
            me = self.ctx.account
            known = self._mine[line.account] = line.account == me or self.ledger.payer(line.account) == me
        return known

    def keep(self, expression: Mapping[str, Any] | None) -> Keep:
        """Which lines a filter means, of those that may be seen."""
        try:
            wanted = self.expressions.keep(expression)
        except Refused as reason:
            raise errors.invalid(str(reason)) from None
        return lambda line: self.mine(line) and wanted(line)

    def naming(self, definition: Mapping[str, Any]) -> Values:
        """The name of a line in a grouping; raises ValidationException."""
        kind, key = definition.get("Type") or "DIMENSION", definition.get("Key") or ""
        if kind == "TAG":
            found = self.expressions.values("Tags", key)
            return lambda line: f"{key}${found(line)}"
        place = {"DIMENSION": "Dimensions", "COST_CATEGORY": "CostCategories"}.get(kind, "ProductAttributes")
        try:
            value = self.expressions.values(place, key)
        except Refused as reason:
            raise errors.invalid(f"Group Definition is invalid: {reason}") from None
        return (lambda line: f"{key}${value(line)}") if kind == "COST_CATEGORY" else value


def asks(name: str) -> Callable[[Ask], Ask]:
    """Decorator: an operation that is answered from the ledger, on a thread that may wait for the host's counters."""

    def declare(function: Ask) -> Ask:
        def prepare(ctx: Ctx, req: dict[str, Any]) -> Ctx:
            asking = Asking(ctx)
            asking.view(req)
            asking.ledger.collect()
            return ctx.prepared(function(asking, req))

        def fetched(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = ctx.fetched
            return answer

        fetched.__doc__, fetched.__module__ = function.__doc__, function.__module__
        op(name, prepare=prepare)(fetched)
        return function

    return declare


def amount(value: Decimal) -> str:
    """A number as Cost Explorer writes it: at most ten decimals, no zeros at the end."""
    text = f"{value.quantize(REPORT):f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
