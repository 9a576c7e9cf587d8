"""What policies are held against.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbudgetservice.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import by_arn
from cloudjar.services.budgets import errors
from cloudjar.services.budgets.records import Action, Budget


@by_arn("budgets", "budget")
def _budget(ctx: Ctx, arn: arns.Arn) -> Budget | None:
    """A budget's name may have slashes."""
    return ctx.db[Budget].get(arn.resource.removeprefix("budget/"))


def own(ctx: Ctx, req: dict[str, Any]) -> None:
    """Budgets are asked for by account, and nobody may ask for another's."""
    if req["AccountId"] != ctx.account:
        said = f"Account {ctx.account} is not authorized to access the budgets of account {req['AccountId']}."
        raise errors.denied(said)


def budget(ctx: Ctx, req: dict[str, Any]) -> Budget:
    """The budget that a request names; raises NotFoundException."""
    own(ctx, req)
    return ctx.db[Budget].need(req["BudgetName"])


def action(ctx: Ctx, req: dict[str, Any]) -> Action:
    """The action that a request names, of the budget that it names."""
    held = budget(ctx, req)
    found = ctx.db[Action].get(req["ActionId"])
    if found is None or found.budget != held.name:
        raise ctx.db[Action].meta.not_found(req["ActionId"])
    return found
