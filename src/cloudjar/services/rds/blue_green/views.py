"""Deployments as the API shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds.blue_green import environments
from cloudjar.services.rds.blue_green.records import ALL, AVAILABLE, FAILED, INVALID, PROVISIONING, Deployment, Pair
from cloudjar.services.rds.records import DbInstance


def show(ctx: Ctx, item: Deployment) -> dict[str, Any]:
    """A deployment."""
    state, details = item.state, item.details
    if state in (AVAILABLE, FAILED) and (why := environments.broken(ctx, item)):
        state, details = INVALID, why
    return {
        "BlueGreenDeploymentIdentifier": item.id,
        "BlueGreenDeploymentName": item.name,
        "Source": source(ctx, item),
        "Target": target(ctx, item),
        "SwitchoverDetails": [_member(ctx, item, pair) for pair in item.pairs],
        "Tasks": [{"Name": name, "Status": _task(item, name)} for name in item.tasks],
        "Status": state,
        "StatusDetails": details or None,
        "CreateTime": item.created,
        "DeleteTime": item.deleted,
        "TagList": tags.as_list(item.tags),
    }


def source(ctx: Ctx, item: Deployment) -> str:
    """The ARN of the blue instance."""
    return _arn(environments.member(ctx, item.pairs[0].source), item.pairs[0].source_arn)


def target(ctx: Ctx, item: Deployment) -> str:
    """The ARN of the green instance."""
    return _arn(environments.member(ctx, item.pairs[0].target), item.pairs[0].target_arn)


def _arn(db: DbInstance | None, known: str) -> str:
    return arn_of(db) if db is not None else known


def _member(ctx: Ctx, item: Deployment, pair: Pair) -> dict[str, Any]:
    blue, green = environments.both(ctx, pair)
    state = PROVISIONING if item.state == INVALID else item.state
    if item.state in (AVAILABLE, FAILED):
        state = "MISSING_SOURCE" if blue is None else "MISSING_TARGET" if green is None else item.state
    return {
        "SourceMember": _arn(blue, pair.source_arn),
        "TargetMember": _arn(green, pair.target_arn) or None,
        "Status": state,
    }


def _task(item: Deployment, name: str) -> str:
    if item.task in ("", ALL):
        return "COMPLETED" if item.task else "PENDING"
    at, now = item.tasks.index(name), item.tasks.index(item.task)
    if at == now:
        return "FAILED" if item.state == INVALID else "IN_PROGRESS"
    return "COMPLETED" if at < now else "PENDING"
