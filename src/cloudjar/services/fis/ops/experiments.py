"""Experiments: start, stop, look.

https://docs.aws.amazon.com/fis/latest/APIReference/API_StartExperiment.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.fis import errors, life
from cloudjar.services.fis.access import starting
from cloudjar.services.fis.records import Experiment, Run, SafetyLever, Template
from cloudjar.services.fis.views import show_experiment, summarize_experiment

_AT_ONCE = 5


@op("StartExperiment", access=starting)
def start_experiment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Begin what a template says, as it is now."""
    template = ctx.db[Template].need(req["experimentTemplateId"])
    lever = ctx.db[SafetyLever].get("default")
    if lever is not None and lever.engaged:
        raise errors.conflict("The safety lever is engaged: no experiment can be started.")
    if sum(1 for one in ctx.db[Experiment].all() if not one.over) >= _AT_ONCE:
        raise errors.quota(f"You have reached the maximum number of active experiments ({_AT_ONCE}).")
    item = Experiment(
        account=ctx.account,
        region=ctx.region,
        id=f"EXP{ids.unique_id('')[:14]}",
        template_id=template.id,
        role_arn=template.role_arn,
        said=template.said,
        status="pending",
        reason="Initial state.",
        created=ctx.now,
        mode=(req.get("experimentOptions") or {}).get("actionsMode", "run-all"),
        runs={name: Run() for name in template.said["actions"]},
        tags=req.get("tags") or {},
    )
    made = ctx.db[Experiment].add(item)
    life.announce(ctx, None, made)
    return {"experiment": show_experiment(made)}


@op("StopExperiment")
def stop_experiment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Bring back what it changed, and do nothing more."""
    item = ctx.db[Experiment].need(req["id"])
    if item.over or item.status == "stopping":
        raise errors.validation(f"Experiment {item.id} is not running.")
    return {"experiment": show_experiment(ctx.db[Experiment].put(replace(item, asked_to_stop=True)))}


@op("GetExperiment")
def get_experiment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One experiment, with how far each action is."""
    return {"experiment": show_experiment(ctx.db[Experiment].need(req["id"]))}


@op("ListExperiments")
def list_experiments(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Oldest first; of one template when asked."""
    wanted = req.get("experimentTemplateId")
    items = [one for one in ctx.db[Experiment].all() if not wanted or one.template_id == wanted]
    return {"experiments": [summarize_experiment(one) for one in sorted(items, key=lambda one: (one.created, one.id))]}


@op("ListExperimentResolvedTargets")
def list_experiment_resolved_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the targets came to."""
    item = ctx.db[Experiment].need(req["experimentId"])
    wanted = req.get("targetName")
    if wanted and wanted not in (item.said.get("targets") or {}):
        raise errors.missing("Target", wanted)
    found = [
        {
            "resourceType": item.said["targets"][name]["resourceType"],
            "targetName": name,
            "targetInformation": {"arn": arn},
        }
        for name, reached in item.targets.items()
        if not wanted or name == wanted
        for arn in reached
    ]
    return {"resolvedTargets": found}
