"""Experiment templates.

https://docs.aws.amazon.com/fis/latest/APIReference/API_CreateExperimentTemplate.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.fis import errors, rules
from cloudjar.services.fis.access import changing, making
from cloudjar.services.fis.records import Template
from cloudjar.services.fis.views import show_template, summarize_template

_BODY = ("targets", "actions", "stopConditions", "experimentOptions")
_LIMIT = 500


@op("CreateExperimentTemplate", access=making)
def create_experiment_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A template, checked as a whole."""
    _refuse_unbuilt(req)
    said = {name: req[name] for name in _BODY if req.get(name) is not None}
    rules.check(said)
    _check_role(ctx, req["roleArn"])
    if len(ctx.db[Template].all()) >= _LIMIT:
        raise errors.quota(f"You have reached the maximum number of experiment templates ({_LIMIT}).")
    item = Template(
        account=ctx.account,
        region=ctx.region,
        id=f"EXT{ids.unique_id('')[:14]}",
        description=req["description"],
        role_arn=req["roleArn"],
        said=said,
        created=ctx.now,
        changed=ctx.now,
        tags=req.get("tags") or {},
    )
    return {"experimentTemplate": show_template(ctx.db[Template].add(item))}


def _refuse_unbuilt(req: dict[str, Any]) -> None:
    for name, words in (
        ("logConfiguration", "Logging of experiments"),
        ("experimentReportConfiguration", "Reports of experiments"),
    ):
        if req.get(name):
            raise errors.unbuilt(words)
    if (req.get("experimentOptions") or {}).get("accountTargeting") == "multi-account":
        raise errors.unbuilt("An experiment in several accounts")


def _check_role(ctx: Ctx, arn: str) -> None:
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.type != "role" or parsed.account != ctx.account:
        raise errors.validation(f"'{arn}' is not a valid role ARN.")


@op("UpdateExperimentTemplate", access=changing)
def update_experiment_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what is named; an action is replaced whole."""
    _refuse_unbuilt(req)
    item = ctx.db[Template].need(req["id"])
    said = {**item.said, **{name: req[name] for name in _BODY if req.get(name) is not None}}
    rules.check(said)
    role = req.get("roleArn") or item.role_arn
    _check_role(ctx, role)
    description = req.get("description") or item.description
    changed = replace(item, said=said, role_arn=role, description=description, changed=ctx.now)
    return {"experimentTemplate": show_template(ctx.db[Template].put(changed))}


@op("DeleteExperimentTemplate")
def delete_experiment_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Experiments that were started from it stay."""
    item = ctx.db[Template].need(req["id"])
    ctx.db[Template].drop(item)
    return {"experimentTemplate": show_template(item)}


@op("GetExperimentTemplate")
def get_experiment_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One template."""
    return {"experimentTemplate": show_template(ctx.db[Template].need(req["id"]))}


@op("ListExperimentTemplates")
def list_experiment_templates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Oldest first."""
    items = sorted(ctx.db[Template].all(), key=lambda item: (item.created, item.id))
    return {"experimentTemplates": [summarize_template(item) for item in items]}
