"""What Auto Scaling stores: launch configurations, groups, their members, hooks and activities."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Quota, Record, record
from cloudjar.kit.scaling import Bar
from cloudjar.services.autoscaling import errors

_GROUP = errors.no_group("{key}")
GROUP = "autoscaling/autoScalingGroup"
DELETING = "Delete in progress"

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


@record(
    "autoscaling",
    "launchConfiguration",
    key="name",
    arn="launchConfiguration:{uuid}:launchConfigurationName/{name}",
    missing=("ValidationError", "Launch configuration name not found - Launch configuration {key} not found"),
    quotas=(
        Quota(
            ("autoscaling", "L-6B80B8FA"),
            ("LimitExceeded", "You may only create up to {limit} launch configurations in this region."),
        ),
    ),
)
class LaunchConfiguration(Record, frozen=True, kw_only=True):
    """How instances are launched; never changed. `spec` is the request, without its name."""

    name: str
    uuid: str
    spec: dict[str, Any]
    created: datetime


@record(
    "autoscaling",
    "autoScalingGroup",
    key="name",
    arn="autoScalingGroup:{uuid}:autoScalingGroupName/{name}",
    missing=(_GROUP.code, _GROUP.message),
    quotas=(
        Quota(
            ("autoscaling", "L-CDE20ADC"),
            ("LimitExceeded", "You may only create up to {limit} AutoScalingGroups in this region."),
        ),
    ),
)
class Group(Record, frozen=True, kw_only=True):
    """A group: what is wanted. What is there are its `Member` records.

    `reason` says why the desired capacity is what it is, until the group has got there; `replacing` counts the
    unhealthy members whose successors are still to be launched. Durations are in seconds.
    """

    name: str
    uuid: str
    created: datetime
    launch_configuration: str = ""
    template_id: str = ""
    template_name: str = ""
    template_version: str = ""
    mixed: dict[str, Any] | None = None
    """A mixed instances policy in the API's form, instead of the above."""
    least: int
    most: int
    desired: int
    cooldown: int = 300
    zones: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    health_check: str = "EC2"
    grace: int = 0
    termination_policies: tuple[str, ...] = ("Default",)
    protect_new: bool = False
    suspended: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    propagated: tuple[str, ...] = ()
    role_arn: str
    lifetime: int = 0
    warmup: int | None = None
    context: str = ""
    placement_group: str = ""
    deletion: str = "none"
    maintenance: tuple[int, int] | None = None
    """Between which percentages of the desired capacity it stays while members are replaced."""
    capacity_rebalance: bool = False
    metrics: tuple[str, ...] = ()
    """Those that are collected; `tallied` is what they were when last written down."""
    tallied: dict[str, int] = {}
    status: str = ""
    reason: str = ""
    replacing: int = 0
    rebalancing: bool = False
    """Whether there is an instance too many until another zone gives one up."""
    failures: int = 0
    retry_at: datetime | None = None
    cooled: datetime | None = None
    """When the cooldown after the last scaling activity is over."""
    last_activity: str = ""


@record("autoscaling", "tally", key="key", index=("group",))
class Tally(Record, frozen=True, kw_only=True):
    """What a group's collected metrics were between two changes; the last one goes on."""

    key: str
    group: str
    since: datetime
    until: datetime | None = None
    counts: dict[str, int]


class Wait(msgspec.Struct, frozen=True):
    """A lifecycle action that has not been completed: until when, and until when at most."""

    hook: str
    token: str
    until: datetime
    limit: datetime


@record("autoscaling", "member", key="id", index=("group",), parent=(GROUP, "group"))
class Member(Record, frozen=True, kw_only=True):
    """An instance of a group. `activity` is what is going on with it, "" when nothing is."""

    id: str
    group: str
    type: str
    zone: str
    subnet: str = ""
    image: str = ""
    state: str
    health: str = "Healthy"
    why_unhealthy: str = ""
    protected: bool = False
    at_risk: bool = False
    """Whether Spot has recommended to replace it."""
    giving_way: bool = False
    """Whether it goes when its successor is there."""
    launch_configuration: str = ""
    template_id: str = ""
    template_name: str = ""
    template_version: str = ""
    weight: int = 1
    """How much of the capacity it is."""
    weighed: bool = False
    market: str = "on-demand"
    configured: datetime
    """When what it was launched from was made: the order of launch configurations."""
    launched: datetime
    in_service: datetime | None = None
    waits: tuple[Wait, ...] = ()
    activity: str = ""
    registered: tuple[str, ...] = ()
    """Target groups that send it requests."""
    draining: tuple[str, ...] = ()
    """Target groups that it has left, where requests may still be under way."""
    passed_over: tuple[str, ...] = ()
    """Target groups that it is not in: AddToLoadBalancer was suspended, or they are not there any more."""

    @property
    def warmed(self) -> bool:
        """Whether it is of the warm pool."""
        return self.state.startswith("Warmed:")

    @property
    def ending(self) -> bool:
        """Whether it is on its way out."""
        return self.state.removeprefix("Warmed:").startswith("Terminating")

    @property
    def counts(self) -> bool:
        """Whether it is part of the group's capacity: not on its way out, and not in standby."""
        return (self.state.startswith("Pending") or self.state == "InService") and not self.giving_way


@record("autoscaling", "lifecycleHook", key="key", index=("group",))
class Hook(Record, frozen=True, kw_only=True):
    """A lifecycle hook; `key` is ``group/name``."""

    key: str
    group: str
    name: str
    transition: str
    metadata: str = ""
    heartbeat: int = 3600
    default: str = "ABANDON"
    target: str = ""
    """The topic or queue that is told of each action, in the name of `role`."""
    role: str = ""

    @property
    def longest(self) -> int:
        """Seconds that an instance can be kept waiting however often the heartbeat is recorded."""
        return min(172_800, 100 * self.heartbeat)


@record("autoscaling", "notification", key="key", index=("group",))
class Notification(Record, frozen=True, kw_only=True):
    """A topic that is told of a group's launches and terminations; `key` is ``group/topic``."""

    key: str
    group: str
    topic: str
    types: tuple[str, ...]


@record("autoscaling", "notice", key="id", index=("group",))
class Notice(Record, frozen=True, kw_only=True):
    """A message on its way to a topic or a queue; with `role` in its name, else in the service-linked role's."""

    id: str
    group: str
    target: str
    body: str
    subject: str
    role: str = ""


@record("autoscaling", "forecast", key="key", index=("group",))
class Forecast(Record, frozen=True, kw_only=True):
    """What a predictive scaling policy has forecast; `key` is the policy's. `hours` are (load, capacity) by the hour's
    begin in Unix seconds, `acted` is the last hour whose capacity was seen to."""

    key: str
    group: str
    policy: str
    updated: datetime
    made: bool = False
    hours: dict[str, tuple[float, float]] = {}
    acted: int = 0


@record("autoscaling", "trafficSource", key="key", index=("group", "arn"), parent=(GROUP, "group"))
class Traffic(Record, frozen=True, kw_only=True):
    """A target group that sends requests to a group's members; `key` is ``group/arn``."""

    key: str
    group: str
    arn: str
    state: str = "Adding"

    @property
    def leaving(self) -> bool:
        """Whether it was detached."""
        return self.state == "Removing"


@record("autoscaling", "warmPool", key="group", parent=(GROUP, "group"))
class WarmPool(Record, frozen=True, kw_only=True):
    """A group's warm pool. `prepared` is how many it and the group have together, None for the group's largest size;
    `reuse` says that members come back to it, `forced` that its end asks no hook."""

    group: str
    prepared: int | None = None
    least: int = 0
    state: str = "Stopped"
    reuse: bool = False
    status: str = ""
    forced: bool = False

    @property
    def deleting(self) -> bool:
        """Whether it goes with its last instance."""
        return self.status == "PendingDelete"


@record("autoscaling", "activity", key="id", index=("group",))
class Activity(Record, frozen=True, kw_only=True):
    """A scaling activity; `number` orders those of the same instant."""

    id: str
    group: str
    group_arn: str
    number: int
    description: str
    cause: str
    start: datetime
    end: datetime | None = None
    status: str = "InProgress"
    message: str = ""
    progress: int = 0
    details: str = ""
    group_deleted: bool = False
    instance: str = ""


def hook_key(group: str, name: str) -> str:
    """The key of a hook's record."""
    return f"{group}/{name}"


@record(
    "autoscaling",
    "scalingPolicy",
    key="key",
    index=("group",),
    arn="scalingPolicy:{uuid}:autoScalingGroupName/{group}:policyName/{name}",
)
class Policy(Record, frozen=True, kw_only=True):
    """A scaling policy; `key` is ``group/name``, `magnitude` the least change in instances. Of target tracking:
    `tracking` is its configuration in the API's form, `alarms` are the names of its alarms."""

    key: str
    group: str
    name: str
    uuid: str
    kind: str = "SimpleScaling"
    adjustment: str = ""
    by: int = 0
    magnitude: int = 0
    step: int = 0
    cooldown: int | None = None
    steps: tuple[Bar, ...] = ()
    aggregation: str = ""
    warmup: int | None = None
    tracking: dict[str, Any] = {}
    alarms: tuple[str, ...] = ()
    enabled: bool = True
    predictive: dict[str, Any] = {}
    """A predictive scaling configuration in the API's form."""


@record(
    "autoscaling",
    "scheduledUpdateGroupAction",
    key="key",
    index=("group",),
    arn="scheduledUpdateGroupAction:{uuid}:autoScalingGroupName/{group}:scheduledActionName/{name}",
)
class Scheduled(Record, frozen=True, kw_only=True):
    """A scheduled action; `key` is ``group/name``, `due` when it happens next."""

    key: str
    group: str
    name: str
    uuid: str
    start: datetime | None = None
    end: datetime | None = None
    recurrence: str = ""
    zone: str = ""
    least: int | None = None
    most: int | None = None
    desired: int | None = None
    due: datetime


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """Why and when a refresh was turned back, and how far it had got."""

    start: datetime
    reason: str
    percent: int
    left: int


@record("autoscaling", "instanceRefresh", key="id", index=("group",), parent=(GROUP, "group"))
class Refresh(Record, frozen=True, kw_only=True):
    """An instance refresh: `left` are the members still to be replaced, `paused` when a checkpoint's delay or the bake
    time is over, `passed` the checkpoints that are behind it, `stuck` since when it waits for members that may not go.
    `wanted` are the fields of the group that it brings, `desired` the same in the API's form."""

    id: str
    group: str
    status: str = "Pending"
    reason: str = ""
    start: datetime
    end: datetime | None = None
    total: int
    left: tuple[str, ...]
    preferences: dict[str, Any]
    passed: tuple[int, ...] = ()
    paused: datetime | None = None
    stuck: datetime | None = None
    wanted: dict[str, Any] = {}
    desired: dict[str, Any] = {}
    rollback: Rollback | None = None

    @property
    def baking(self) -> bool:
        """Whether everything is replaced, and has to prove itself."""
        return self.status == "Baking"

    @property
    def alarms(self) -> tuple[str, ...]:
        """The alarms that end it when they go off."""
        return tuple((self.preferences.get("AlarmSpecification") or {}).get("Alarms") or ())

    @property
    def active(self) -> bool:
        """Whether it still goes on."""
        return self.end is None

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 * (self.total - len(self.left)) // self.total if self.total else 100
