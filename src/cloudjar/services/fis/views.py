"""Templates and experiments as AWS shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.record import arn_of
from cloudjar.services.fis.catalogue import ACTIONS, TYPES, Parameter
from cloudjar.services.fis.records import Experiment, Run, SafetyLever, Template

_BODY = ("targets", "actions", "stopConditions", "logConfiguration", "experimentReportConfiguration")


def _options(said: dict[str, Any]) -> dict[str, str]:
    given = said.get("experimentOptions") or {}
    return {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail", **given}


def show_template(item: Template) -> dict[str, Any]:
    """AWS's ExperimentTemplate."""
    return {
        **{name: item.said[name] for name in _BODY if item.said.get(name)},
        **summarize_template(item),
        "roleArn": item.role_arn,
        "experimentOptions": _options(item.said),
        "targetAccountConfigurationsCount": 0,
    }


def summarize_template(item: Template) -> dict[str, Any]:
    """AWS's ExperimentTemplateSummary."""
    return {
        "id": item.id,
        "arn": arn_of(item),
        "description": item.description,
        "creationTime": item.created,
        "lastUpdateTime": item.changed,
        "tags": item.tags,
    }


def show_experiment(item: Experiment) -> dict[str, Any]:
    """AWS's Experiment."""
    actions = {name: {**action, **_show_run(item.runs[name])} for name, action in item.said["actions"].items()}
    return {
        **{name: item.said[name] for name in _BODY if item.said.get(name)},
        **summarize_experiment(item),
        "actions": actions,
        "roleArn": item.role_arn,
        "startTime": item.began,
        "endTime": item.ended,
        "targetAccountConfigurationsCount": 0,
    }


def _show_run(run: Run) -> dict[str, Any]:
    return {"state": {"status": run.status, "reason": run.reason}, "startTime": run.began, "endTime": run.ended}


def summarize_experiment(item: Experiment) -> dict[str, Any]:
    """AWS's ExperimentSummary."""
    state: dict[str, Any] = {"status": item.status, "reason": item.reason}
    if item.error:
        state["error"] = item.error
    return {
        "id": item.id,
        "arn": arn_of(item),
        "experimentTemplateId": item.template_id,
        "state": state,
        "creationTime": item.created,
        "tags": item.tags,
        "experimentOptions": {**_options(item.said), "actionsMode": item.mode},
    }


def show_action(name: str, region: str, *, whole: bool) -> dict[str, Any]:
    """AWS's Action, or its summary."""
    facts = ACTIONS[name]
    shown: dict[str, Any] = {
        "id": name,
        "arn": f"arn:aws:fis:{region}::action/{name}",
        "description": facts.description,
        "targets": {slot: {"resourceType": kind} for slot, kind in facts.targets.items()},
        "tags": {},
    }
    if whole:
        shown["parameters"] = _parameters(facts.parameters)
    return shown


def show_type(name: str, *, whole: bool) -> dict[str, Any]:
    """AWS's TargetResourceType, or its summary."""
    facts = TYPES[name]
    shown: dict[str, Any] = {"resourceType": name, "description": facts.description}
    if whole:
        shown["parameters"] = _parameters(facts.parameters)
    return shown


def _parameters(facts: dict[str, Parameter]) -> dict[str, Any]:
    return {name: {"description": one.description, "required": one.required} for name, one in facts.items()}


def show_lever(lever: SafetyLever) -> dict[str, Any]:
    """AWS's SafetyLever."""
    status = "engaged" if lever.engaged else "disengaged"
    return {"id": lever.id, "arn": arn_of(lever), "state": {"status": status, "reason": lever.reason}}
