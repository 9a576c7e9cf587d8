"""What Application Auto Scaling stores: scalable targets, policies, scheduled actions, activities."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.record import Record, record
from cloudjar.kit.scaling import Bar


def place(namespace: str, resource: str, dimension: str) -> str:
    """What a target is known by: the three that every request names."""
    return f"{namespace}|{resource}|{dimension}"


@record(
    "application-autoscaling",
    "ScalableTarget",
    key="id",
    index=("place", "resource", "namespace"),
    arn="scalable-target/{id}",
)
class Target(Record, frozen=True, kw_only=True):
    """A resource that is scaled. `suspended` are the members of SuspendedState that hold.

    `out_until` and `in_until` are when the cooldowns after scaling out and in end; `out_from` is the capacity from
    which it was scaled out last.
    """

    id: str
    place: str
    namespace: str
    resource: str
    dimension: str
    least: int
    most: int
    role_arn: str
    created: datetime
    suspended: tuple[str, ...] = ()
    out_until: datetime | None = None
    in_until: datetime | None = None
    out_from: int = 0
    tags: dict[str, str] = {}


@record(
    "application-autoscaling",
    "policy",
    key="key",
    index=("target",),
)
class Policy(Record, frozen=True, kw_only=True):
    """A scaling policy; `key` is ``target's id/name``. `configuration` is as the API shows it, `steps` are those of
    step scaling, `alarms` the names of the alarms of target tracking."""

    key: str
    target: str
    name: str
    uuid: str
    namespace: str
    resource: str
    dimension: str
    kind: str
    configuration: dict[str, Any]
    steps: tuple[Bar, ...] = ()
    alarms: tuple[str, ...] = ()
    created: datetime


@record(
    "application-autoscaling",
    "scheduledAction",
    key="key",
    index=("target",),
)
class Scheduled(Record, frozen=True, kw_only=True):
    """A scheduled action; `key` is ``target's id/name``, `due` when it happens next."""

    key: str
    target: str
    name: str
    uuid: str
    namespace: str
    resource: str
    dimension: str
    schedule: str
    zone: str = ""
    start: datetime | None = None
    end: datetime | None = None
    least: int | None = None
    most: int | None = None
    due: datetime
    created: datetime


def policy_arn(policy: Policy) -> str:
    """A policy's ARN, which is in the namespace of EC2 Auto Scaling."""
    of = f"resource/{policy.namespace}/{policy.resource}"
    rest = f"scalingPolicy:{policy.uuid}:{of}:policyName/{policy.name}"
    return arns.make("autoscaling", policy.region, policy.account, rest)


def scheduled_arn(action: Scheduled) -> str:
    """A scheduled action's ARN, which is in the namespace of EC2 Auto Scaling."""
    of = f"resource/{action.namespace}/{action.resource}"
    rest = f"scheduledAction:{action.uuid}:{of}:scheduledActionName/{action.name}"
    return arns.make("autoscaling", action.region, action.account, rest)


@record("application-autoscaling", "activity", key="id", index=("place", "namespace"))
class Activity(Record, frozen=True, kw_only=True):
    """Something that was done about a target, or why nothing was; `number` orders those of the same instant."""

    id: str
    place: str
    namespace: str
    resource: str
    dimension: str
    number: int
    description: str
    cause: str
    at: datetime
    status: str
    message: str
    reasons: tuple[dict[str, Any], ...] = ()
    """Why it was not scaled."""
