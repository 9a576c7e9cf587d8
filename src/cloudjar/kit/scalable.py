"""What can be scaled: services offer dimensions of their resources, Application Auto Scaling moves them.

A service declares a `Dimension` at import (`offers`). Whatever it does goes through its own API with the caller that it
is given: the session of the service-linked role of Application Auto Scaling for that dimension.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloudjar.base.caller import Caller
from cloudjar.kit.context import Ctx

Metric = Callable[[str, str], dict[str, Any]]
"""(resource id, resource label) to members of PutMetricAlarm that say what is watched."""


class Dimension(NamedTuple):
    """One property of one kind of resource.

    `name` is AWS's (``ec2:spot-fleet-request:TargetCapacity``), `resource` what ids of such resources look like, `noun`
    what activities call the property (``target capacity``). `principal` is whose service-linked role acts, `quota` the
    code of the quota of scalable targets. `read` gives the present capacity, None when there is no such resource;
    `write` sets it; both raise the service's `AwsError`. `metrics` are the predefined ones.
    """

    name: str
    resource: re.Pattern[str]
    noun: str
    principal: str
    role: str
    quota: str
    read: Callable[[Ctx, Caller, str], int | None]
    write: Callable[[Ctx, Caller, str, int], None]
    metrics: Mapping[str, Metric]
    cooldown: int = 300
    """Seconds, where a policy says nothing."""

    @property
    def namespace(self) -> str:
        """``ec2``."""
        return self.name.partition(":")[0]


_OFFERED: dict[str, Dimension] = {}
_SERVICES = {"elasticmapreduce": "emr", "cassandra": "keyspaces"}
"""Namespaces that are not the name of their service."""


def offers(dimension: Dimension) -> Dimension:
    """Declare that resources can be scaled in this dimension."""
    _OFFERED[dimension.name] = dimension
    return dimension


def withdraws(name: str) -> None:
    """Forget a dimension."""
    _OFFERED.pop(name, None)


def offered(ctx: Ctx, name: str) -> Dimension | None:
    """A dimension by its name; its service is loaded when it is not yet."""
    if name not in _OFFERED:
        namespace = name.partition(":")[0]
        ctx.world.load(_SERVICES.get(namespace, namespace))
    return _OFFERED.get(name)
