"""What is stored: experiment templates and experiments.

https://docs.aws.amazon.com/fis/latest/userguide/experiments.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How far an action of an experiment is."""

    status: str = "pending"
    reason: str = "Initial state."
    began: datetime | None = None
    until: datetime | None = None
    """When what it began has to end."""
    ended: datetime | None = None
    undo: dict[str, str] = {}
    """What it changed and what was there before."""

    @property
    def over(self) -> bool:
        return self.status in ("completed", "cancelled", "stopped", "failed", "skipped")


@record(
    "fis",
    "experiment-template",
    missing=("ResourceNotFoundException", "Experiment template {key} not found.", 404),
)
class Template(Record, frozen=True, kw_only=True):
    """An experiment template; `said` is its body as it was given: targets, actions, stop conditions, options."""

    id: str
    description: str
    role_arn: str
    said: dict[str, Any]
    created: datetime
    changed: datetime
    tags: dict[str, str] = {}


@record(
    "fis",
    "experiment",
    missing=("ResourceNotFoundException", "Experiment {key} not found.", 404),
)
class Experiment(Record, frozen=True, kw_only=True):
    """An experiment: the template as it was, and how far each action is."""

    id: str
    template_id: str
    role_arn: str
    said: dict[str, Any]
    status: str
    reason: str
    created: datetime
    mode: str = "run-all"
    error: dict[str, str] = {}
    began: datetime | None = None
    ended: datetime | None = None
    asked_to_stop: bool = False
    targets: dict[str, list[str]] = {}
    """What the targets came to: ARNs by the target's name."""
    runs: dict[str, Run] = {}
    tags: dict[str, str] = {}

    @property
    def over(self) -> bool:
        return self.status in ("completed", "stopped", "failed", "cancelled")


@record("fis", "safety-lever")
class SafetyLever(Record, frozen=True, kw_only=True):
    """The lever that stops every experiment of an account and Region, and keeps new ones from starting."""

    id: str = "default"
    engaged: bool = False
    reason: str = "Initial state"
