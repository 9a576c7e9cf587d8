"""Corrections of what is about money: budgets and their actions, anomalies.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbudgetservice.html
https://docs.aws.amazon.com/cost-management/latest/userguide/billing-example-policies.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

_BUDGET = "arn:${Partition}:budgets::${Account}:budget/"


_ANOMALIES = {
    "DeleteAnomalyMonitor": ("anomalymonitor", "MonitorArn"),
    "UpdateAnomalyMonitor": ("anomalymonitor", "MonitorArn"),
    "GetAnomalies": ("anomalymonitor", "MonitorArn"),
    "GetAnomalyMonitors": ("anomalymonitor", "MonitorArnList[]"),
    "DeleteAnomalySubscription": ("anomalysubscription", "SubscriptionArn"),
    "UpdateAnomalySubscription": ("anomalysubscription", "SubscriptionArn"),
    "GetAnomalySubscriptions": ("anomalysubscription", "SubscriptionArnList[]"),
}
"""Operations that name monitors and subscriptions by their ARNs, or are about all of them."""


def _anomalies(ops: Ops) -> None:
    for operation, (kind, path) in _ANOMALIES.items():
        form = f"arn:${{Partition}}:ce::${{Account}}:{kind}/"
        named: list[Any] = ["arn", path, form + "${Identifier}"]
        if operation.startswith("Get"):
            named = ["if", path.removesuffix("[]"), named, form + "*"]
        ops[operation] = [{"a": f"ce:{operation}", "r": [[kind, named, 1]]}]


def correct(service: Any, ops: Ops) -> None:
    """Change the tables of AWS Budgets and Cost Explorer in place."""
    if service.name == "ce":
        _anomalies(ops)
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
