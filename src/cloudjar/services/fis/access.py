"""What calls ask permission for, where the table cannot know it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant
from cloudjar.services.fis.records import Template

_PASSED = {"iam:PassedToService": "fis.amazonaws.com"}


def _arn(ctx: Ctx, what: str) -> str:
    return f"arn:aws:fis:{ctx.region}:{ctx.account}:{what}"


def making(ctx: Ctx, req: dict[str, Any]) -> Iterator[Grant]:
    """CreateExperimentTemplate: the template, each action, the role that is passed."""
    yield Grant("fis:CreateExperimentTemplate", _arn(ctx, "experiment-template/*"))
    yield from _actions(ctx, "fis:CreateExperimentTemplate", req)
    yield Grant("iam:PassRole", req["roleArn"], _PASSED)
    if req.get("tags"):
        yield Grant("fis:TagResource", _arn(ctx, "experiment-template/*"))


def changing(ctx: Ctx, req: dict[str, Any]) -> Iterator[Grant]:
    """UpdateExperimentTemplate, likewise."""
    item = ctx.db[Template].get(req["id"])
    keys = {f"aws:ResourceTag/{key}": value for key, value in item.tags.items()} if item else {}
    yield Grant("fis:UpdateExperimentTemplate", _arn(ctx, f"experiment-template/{req['id']}"), keys)
    yield from _actions(ctx, "fis:UpdateExperimentTemplate", req)
    if req.get("roleArn"):
        yield Grant("iam:PassRole", req["roleArn"], _PASSED)


def starting(ctx: Ctx, req: dict[str, Any]) -> Iterator[Grant]:
    """StartExperiment: the template and the experiment to be."""
    item = ctx.db[Template].get(req["experimentTemplateId"])
    keys = {f"aws:ResourceTag/{key}": value for key, value in item.tags.items()} if item else {}
    yield Grant("fis:StartExperiment", _arn(ctx, f"experiment-template/{req['experimentTemplateId']}"), keys)
    yield Grant("fis:StartExperiment", _arn(ctx, "experiment/*"))
    if req.get("tags"):
        yield Grant("fis:TagResource", _arn(ctx, "experiment/*"))


def _actions(ctx: Ctx, asked: str, req: dict[str, Any]) -> Iterator[Grant]:
    names = {action["actionId"] for action in (req.get("actions") or {}).values() if action.get("actionId")}
    for name in sorted(names):
        yield Grant(asked, _arn(ctx, f"action/{name}"))
