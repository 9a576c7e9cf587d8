"""`cloudjar budget`: a budget from one of the templates that AWS's console has; the API knows none.

https://docs.aws.amazon.com/cost-management/latest/userguide/create-budget-template.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

import click

from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, say, show_json
from cloudjar.cli.signed import Signed

_EC2 = {"Service": ["Amazon Elastic Compute Cloud - Compute"]}


class Template(NamedTuple):
    """What a budget of it is: its name, kind and period, the limit or (None) who asks says it, and when it tells:
    (ACTUAL or FORECASTED, comparison, threshold or None for the amount that is asked for, PERCENTAGE or
    ABSOLUTE_VALUE)."""

    name: str
    kind: str
    period: str
    limit: float | None
    alerts: tuple[tuple[str, str, float | None, str], ...]


_OVER, _UNDER, _PERCENT = "GREATER_THAN", "LESS_THAN", "PERCENTAGE"
_TARGET = (("ACTUAL", _UNDER, None, _PERCENT),)
TEMPLATES = {
    "zero-spend": Template(
        "My Zero-Spend Budget", "COST", "MONTHLY", 1, (("ACTUAL", _OVER, 0.01, "ABSOLUTE_VALUE"),)
    ),
    "monthly-cost": Template(
        "My Monthly Cost Budget", "COST", "MONTHLY", None,
        (("ACTUAL", _OVER, 85, _PERCENT), ("ACTUAL", _OVER, 100, _PERCENT), ("FORECASTED", _OVER, 100, _PERCENT)),
    ),
    "savings-plans-coverage": Template(
        "My Daily Savings Plans Coverage Budget", "SAVINGS_PLANS_COVERAGE", "DAILY", None, _TARGET
    ),
    "reservation-utilization": Template(
        "My Daily Reservation Utilization Budget", "RI_UTILIZATION", "DAILY", None, _TARGET
    ),
}  # fmt: skip


@click.command()
@click.argument("template", type=click.Choice(list(TEMPLATES)))
@click.option("--email", "addresses", multiple=True, required=True, help="Who is told; may be given ten times.")
@click.option("--amount", type=click.FloatRange(min=0, min_open=True), help="Dollars a month, or percent aimed at.")
@click.option("--name", default="", help="Another name than the template's.")
@home_option
@json_option
def budget(
    template: str, addresses: tuple[str, ...], amount: float | None, name: str, home: Home, as_json: bool
) -> None:
    """Make a budget that tells by e-mail (`cloudjar mail`): zero-spend (whatever costs more than a cent), monthly-cost
    (at 85 and 100 % of --amount, and when it will be passed), savings-plans-coverage or reservation-utilization (below
    --amount percent on any day)."""
    chosen = TEMPLATES[template]
    if (amount is None) != (template == "zero-spend"):
        raise Failure(
            f"the template {template} {'takes no' if amount else 'wants an'} amount", "",
            f"cloudjar budget {template} --email {addresses[0]}" + ("" if amount else " --amount 5"),
        )  # fmt: skip
    jar = Signed(home)
    asked = _asked(chosen, name, amount)
    told = [{"SubscriptionType": "EMAIL", "Address": one} for one in addresses]
    alerts = [{"Notification": _alert(*alert, amount), "Subscribers": told} for alert in chosen.alerts]
    jar.call("budgets", "CreateBudget", AccountId=jar.account, Budget=asked, NotificationsWithSubscribers=alerts)
    if as_json:
        return show_json({"Budget": asked, "Notifications": [one["Notification"] for one in alerts]})
    return say(f"{asked['BudgetName']} tells {', '.join(addresses)}")


def _asked(chosen: Template, name: str, amount: float | None) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "BudgetName": name or chosen.name, "BudgetType": chosen.kind, "TimeUnit": chosen.period,
    }  # fmt: skip
    if chosen.kind == "COST":
        asked["BudgetLimit"] = {"Amount": f"{amount if chosen.limit is None else chosen.limit:g}", "Unit": "USD"}
    if chosen.kind == "RI_UTILIZATION":
        asked["CostFilters"] = _EC2
    return asked


def _alert(kind: str, compared: str, threshold: float | None, unit: str, amount: float | None) -> dict[str, Any]:
    return {
        "NotificationType": kind, "ComparisonOperator": compared,
        "Threshold": amount if threshold is None else threshold, "ThresholdType": unit,
    }  # fmt: skip
