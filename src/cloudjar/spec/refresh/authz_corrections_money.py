"""Corrections of what is about money: budgets and their actions.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbudgetservice.html
https://docs.aws.amazon.com/cost-management/latest/userguide/billing-example-policies.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

_BUDGET = "arn:${Partition}:budgets::${Account}:budget/"


def correct(service: Any, ops: Ops) -> None:
    """Change the table of AWS Budgets in place."""
    if service.name != "budgets":
        return
    for entries in ops.values():
        for entry in entries:
            for resource in entry["r"]:
                if resource[0] == "budgetAction" and isinstance(resource[1], str):
                    resource[1] = resource[1].replace("${BudgetName|name}", "${BudgetName}")
    # The role alone is passed, not what the action hangs on others.
    for operation in ("CreateBudgetAction", "UpdateBudgetAction"):
        own = [entry for entry in ops[operation] if entry["a"] != "iam:PassRole"]
        role = "ExecutionRoleArn"
        passing = {"a": "iam:PassRole", "r": [["role", "${" + role + "}", 1]], "when": ["exists", role],
                   "keys": {"iam:PassedToService": "budgets.amazonaws.com"}}  # fmt: skip
        ops[operation] = [*own, passing]
    # Not in the reference; reading notifications is reading budgets.
    ops["DescribeBudgetNotificationsForAccount"] = [{"a": "budgets:ViewBudget", "r": [["budget", _BUDGET + "*", 1]]}]
