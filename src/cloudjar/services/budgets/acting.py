"""Actions as they run: under their role, in the name of AWS Budgets.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-controls.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.budgets import telling, views
from cloudjar.services.budgets.records import (
    AUTOMATIC,
    EXECUTED,
    EXECUTING,
    FAILED,
    IAM,
    NOT_REVERSED,
    PENDING,
    RESETTING,
    REVERSED,
    REVERSING,
    SCP,
    STANDBY,
    Action,
    Budget,
    Event,
)

UNDER_WAY = (EXECUTING, REVERSING, RESETTING)
_KEPT = 100
_AUTOMATION = "ssm.amazonaws.com"
_ORGANIZATIONS = "us-east-1"
_DONE = {
    EXECUTING: (EXECUTED, FAILED, "The action was executed."),
    REVERSING: (REVERSED, NOT_REVERSED, "The action was reversed."),
}
Call = tuple[str, str, str, dict[str, Any]]
"""Region ("" for the account's), service, operation, parameters."""


def noted(ctx: Ctx, action: Action, kind: str, message: str) -> Action:
    """An action with one more line in its history."""
    line = Event(at=ctx.now, status=action.status, kind=kind, message=message, action=views.action(action))
    return replace(action, history=(*action.history, line)[-_KEPT:])


def moved(ctx: Ctx, action: Action, status: str, kind: str, message: str) -> Action:
    """An action in another state, and a line about it."""
    return noted(ctx, replace(action, status=status), kind, message)


def set_off(ctx: Ctx, budget: Budget, action: Action) -> Action:
    """A threshold is passed: run, or wait for somebody's approval; in the transaction."""
    status, message = PENDING, "The threshold was passed: the action waits for approval."
    if action.approval == AUTOMATIC:
        status, message = EXECUTING, "The threshold was passed: the action is executed."
    begun = moved(ctx, replace(action, done=budget.period), status, "SYSTEM", message)
    if status == PENDING:
        telling.acted(ctx, budget, begun, message)
    return begun


def perform(ctx: Ctx, action: Action) -> tuple[str, str]:
    """Do what is under way; gives the state after it and what to say. Done twice it does no harm."""
    if action.status == RESETTING:
        return STANDBY, "The action is ready again."
    well, badly, message = _DONE[action.status]
    try:
        who = ctx.as_role(
            action.role,
            service=telling.PRINCIPAL,
            source_arn=arn_of(_budget(ctx, action)),
            session_name=f"BudgetsAction-{action.id[:8]}",
        )
        for call in _calls(action):
            _call(ctx, who, call)
    except AwsError as error:
        return badly, f"{error.code}: {error.message}"
    return well, message


def _budget(ctx: Ctx, action: Action) -> Budget:
    return ctx.db[Budget].need(action.budget)


def _call(ctx: Ctx, who: Caller, call: Call) -> None:
    region, service, operation, params = call
    there = ctx.at(ctx.account, region or _ORGANIZATIONS)
    via = _AUTOMATION if service in ("ec2", "rds") else ""
    try:
        there.call(service, operation, params, caller=who, via=via)
    except AwsError as error:
        if error.code not in _ALREADY.get(operation, ()):
            raise


_ALREADY = {
    "AttachPolicy": ("DuplicatePolicyAttachmentException",),
    "DetachPolicy": ("PolicyNotAttachedException",),
    "DetachRolePolicy": ("NoSuchEntity",),
    "DetachGroupPolicy": ("NoSuchEntity",),
    "DetachUserPolicy": ("NoSuchEntity",),
    "StopDBInstance": ("InvalidDBInstanceState",),
    "StartDBInstance": ("InvalidDBInstanceState",),
}
"""What says that it has been done before."""


def _calls(action: Action) -> Iterator[Call]:
    undo = action.status == REVERSING
    kinds: dict[str, Callable[[dict[str, Any], bool], Iterator[Call]]] = {IAM: _of_iam, SCP: _of_scp}
    yield from kinds.get(action.kind, _of_ssm)(next(iter(action.definition.values())), undo)


def _of_iam(said: dict[str, Any], undo: bool) -> Iterator[Call]:
    verb = "Detach" if undo else "Attach"
    for members, noun in (("Roles", "Role"), ("Groups", "Group"), ("Users", "User")):
        for name in said.get(members) or ():
            plain = name.rpartition("/")[2]
            yield "", "iam", f"{verb}{noun}Policy", {f"{noun}Name": plain, "PolicyArn": said["PolicyArn"]}


def _of_scp(said: dict[str, Any], undo: bool) -> Iterator[Call]:
    operation = "DetachPolicy" if undo else "AttachPolicy"
    for target in said["TargetIds"]:
        yield "", "organizations", operation, {"PolicyId": said["PolicyId"], "TargetId": target}


def _of_ssm(said: dict[str, Any], undo: bool) -> Iterator[Call]:
    verb, named, region = "Start" if undo else "Stop", said["InstanceIds"], said["Region"]
    if said["ActionSubType"] == "STOP_EC2_INSTANCES":
        yield region, "ec2", f"{verb}Instances", {"InstanceIds": named}
        return
    for name in named:
        yield region, "rds", f"{verb}DBInstance", {"DBInstanceIdentifier": name}
