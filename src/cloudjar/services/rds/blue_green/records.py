"""What is stored of blue/green deployments.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_BlueGreenDeployment.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record

DEPLOYMENT = "rds/deployment"
PROVISIONING, AVAILABLE, SWITCHING = "PROVISIONING", "AVAILABLE", "SWITCHOVER_IN_PROGRESS"
COMPLETED, FAILED, INVALID, DELETING = (
    "SWITCHOVER_COMPLETED", "SWITCHOVER_FAILED", "INVALID_CONFIGURATION", "DELETING",
)  # fmt: skip
REPLICA, UPGRADE, BACKUPS, TOPOLOGY = (
    "CREATING_READ_REPLICA_OF_SOURCE", "DB_ENGINE_VERSION_UPGRADE", "CONFIGURE_BACKUPS", "CREATING_TOPOLOGY_OF_SOURCE",
)  # fmt: skip
ALL = "all"
"""Every task is done."""
CHECKING, CLOSING, PROMOTING, SERVING, UNDOING = "checking", "closing", "promoting", "serving", "undoing"
"""How far a switchover is. Until PROMOTING it can be undone: from then on it is gone through with."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """An instance of the blue environment and the one of the green that takes its place, by their resource ids; the
    ARNs are those that they had when they were looked at last. An empty `target` is still to be made."""

    source: str
    source_arn: str
    target: str = ""
    target_arn: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the green instance is to become once it follows; empty where it is as the blue one is."""

    version: str = ""
    major: str = ""
    parameter_group: str = ""
    """Of the later major's family."""


@record(
    "rds",
    "deployment",
    key="id",
    index=("name",),
    arn="deployment:{id}",
    missing=("BlueGreenDeploymentNotFoundFault", "Blue/green deployment {key} not found.", 404),
)
class Deployment(Record, frozen=True, kw_only=True):
    """A blue/green deployment. The first of `pairs` are the two that take writes, one after the other."""

    id: str
    name: str
    created: datetime
    pairs: tuple[Pair, ...]
    wanted: Wanted = Wanted()
    tasks: tuple[str, ...]
    task: str = ""
    """What is being done of them; empty: nothing yet; `ALL` when there is no more to do."""
    asked: bool = False
    """What the task wants of an instance was asked for."""
    state: str = PROVISIONING
    details: str = ""
    step: str = ""
    """Of a switchover."""
    begun: datetime | None = None
    timeout: int = 0
    """Of a switchover: when it was asked for, and how many seconds it may take."""
    deleted: datetime | None = None
    tags: dict[str, str] = {}
