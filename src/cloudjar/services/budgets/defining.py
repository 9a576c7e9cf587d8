"""What a request says of an action, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.budgets import errors, subscribing
from cloudjar.services.budgets.records import IAM, SCP, SSM, Action, Budget
from cloudjar.services.budgets.telling import PRINCIPAL

_DEFINITIONS = {IAM: "IamActionDefinition", SCP: "ScpActionDefinition", SSM: "SsmActionDefinition"}


def fields(req: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    """The fields of `Action` that a request gives; raises InvalidParameterException."""
    kind, definition = req["ActionType"], req["Definition"]
    given = [name for name, value in definition.items() if value]
    if given != [_DEFINITIONS[kind]]:
        raise errors.invalid(f"An action of type {kind} needs {_DEFINITIONS[kind]}, and no other definition.")
    said = definition[_DEFINITIONS[kind]]
    if kind == IAM and not any(said.get(name) for name in ("Roles", "Groups", "Users")):
        raise errors.invalid("An IAM action needs roles, groups or users to attach the policy to.")
    threshold = req["ActionThreshold"]
    value, counted = float(threshold["ActionThresholdValue"]), threshold["ActionThresholdType"]
    # What holds for thresholds of notifications holds for those of actions.
    subscribing.notification(
        {"NotificationType": req["NotificationType"], "ComparisonOperator": "GREATER_THAN", "Threshold": value}, budget
    )
    return {
        "notification": req["NotificationType"],
        "kind": kind,
        "threshold": value,
        "threshold_type": counted,
        "definition": {given[0]: said},
        "role": req["ExecutionRoleArn"],
        "approval": req["ApprovalModel"],
        "subscribers": subscribing.subscribers(req["Subscribers"]),
    }


def check_role(ctx: Ctx, budget: Budget, role: str) -> None:
    """A role that is of another account, or does not trust AWS Budgets, is refused at once."""
    arn = arns.parse(role)
    if arn is None or arn.account != ctx.account:
        raise errors.invalid("The execution role must be of the account of the budget.")
    try:
        ctx.assume(role, service=PRINCIPAL, source_arn=arn_of(budget), session_name="BudgetsActionCheck")
    except AwsError:
        said = f"AWS Budgets cannot assume the role {role}: it does not exist or does not trust {PRINCIPAL}."
        raise errors.denied(said) from None


def check_alone(action: Action, others: Iterable[Action]) -> None:
    """The same thing is not to be done twice at the same threshold."""
    for other in others:
        if _what(other) == _what(action):
            raise errors.duplicate("The budget already has this action.")


def _what(action: Action) -> tuple[Any, ...]:
    return action.kind, action.notification, action.threshold, action.threshold_type, action.definition
