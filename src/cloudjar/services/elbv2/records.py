"""What is stored: load balancers, listeners, rules, target groups.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Quota, Record, record

BALANCER = "elasticloadbalancing/loadbalancer/app/"


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """Where a load balancer has a node: the node's name is its guest's and its proxy's."""

    name: str
    subnet_id: str
    interface_id: str
    node: str
    allocation: str = ""
    """The Elastic IP that was asked for."""
    address: str = ""
    """The private address that was asked for."""


@record(
    "elasticloadbalancing",
    "loadbalancer/app/",
    key="arn",
    index=("name",),
    arn="loadbalancer/{kind}/{name}/{suffix}",
    also=("loadbalancer/net/",),
    missing=("LoadBalancerNotFound", "One or more load balancers not found"),
    quotas=(
        Quota(
            ("elasticloadbalancing", "L-53DA6B97"),
            ("TooManyLoadBalancers", "The maximum number of load balancers has been reached."),
            counts=lambda balancer: balancer.kind == "app",
        ),
        Quota(
            ("elasticloadbalancing", "L-69A177A2"),
            ("TooManyLoadBalancers", "The maximum number of load balancers has been reached."),
            counts=lambda balancer: balancer.kind == "net",
        ),
    ),
)
class LoadBalancer(Record, frozen=True, kw_only=True):
    """A load balancer: an Application Load Balancer (``app``) or a Network Load Balancer (``net``)."""

    arn: str
    name: str
    suffix: str
    dns_name: str
    scheme: str
    vpc_id: str
    zones: tuple[Zone, ...]
    groups: tuple[str, ...]
    created: datetime
    kind: str = "app"
    guarded: bool = True
    """Has security groups, which a Network Load Balancer may be made without."""
    links_guarded: bool = True
    """Whether those decide about what comes by private links (endpoints to a service of its owner's) as well."""
    state: str = "provisioning"
    attributes: dict[str, str] = {}
    tags: dict[str, str] = {}


@record(
    "elasticloadbalancing",
    "listener/app",
    key="arn",
    index=("load_balancer_arn",),
    arn="listener/{kind}/{path}",
    also=("listener/net",),
    missing=("ListenerNotFound", "One or more listeners not found"),
    parent=(BALANCER, "load_balancer_arn"),
    quotas=(
        Quota(
            ("elasticloadbalancing", "L-B6DF7632"),
            ("TooManyListeners", "The maximum number of listeners has been reached for load balancer '{per}'"),
            per="load_balancer_arn",
            counts=lambda listener: listener.kind == "app",
        ),
    ),
)
class Listener(Record, frozen=True, kw_only=True):
    """A port of a load balancer. `path` is the ARN's end; `actions` are in the API's form."""

    arn: str
    path: str
    load_balancer_arn: str
    port: int
    protocol: str
    actions: list[dict[str, Any]]
    kind: str = "app"
    certificates: tuple[str, ...] = ()
    """ARNs; the default one first."""
    ssl_policy: str = ""
    alpn: str = ""
    mutual: str = "off"
    """What is asked of clients: ``off``, ``passthrough`` or ``verify``, then with the next three."""
    trust_store_arn: str = ""
    ignores_expiry: bool = False
    advertises: bool = False
    attributes: dict[str, str] = {}
    tags: dict[str, str] = {}


@record(
    "elasticloadbalancing",
    "listener-rule/app",
    key="arn",
    index=("listener_arn", "load_balancer_arn"),
    arn="listener-rule/app/{path}",
    also=("listener-rule/net",),
    missing=("RuleNotFound", "One or more rules not found"),
    parent=(BALANCER, "load_balancer_arn"),
)
class Rule(Record, frozen=True, kw_only=True):
    """A rule of a listener beside its default; actions and conditions are in the API's form."""

    arn: str
    path: str
    listener_arn: str
    load_balancer_arn: str
    priority: int
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    tags: dict[str, str] = {}


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A target: an instance's id or an address, and a port. `address` is where it is reached.

    `draining_until` says that it was deregistered and ends then.
    """

    id: str
    port: int
    address: str
    zone: str = ""
    home: str = ""
    """The zone where an instance is; `zone` is what was asked for."""
    stopped: str = ""
    """The state of an instance that does not run."""
    since: datetime | None = None
    """When it was registered, or began to run again."""
    draining_until: datetime | None = None

    @property
    def place(self) -> str:
        """``10.0.1.5:80``."""
        return f"{self.address}:{self.port}"


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What the nodes' probes of a target came to."""

    state: str
    why: str = ""
    code: int = 0


@record(
    "elasticloadbalancing",
    "targetgroup",
    key="arn",
    index=("name",),
    arn="targetgroup/{name}/{suffix}",
    missing=("TargetGroupNotFound", "One or more target groups not found"),
    quotas=(
        Quota(
            ("elasticloadbalancing", "L-B22855CB"),
            ("TooManyTargetGroups", "The maximum number of target groups has been reached."),
        ),
    ),
)
class TargetGroup(Record, frozen=True, kw_only=True):
    """Targets and how they are probed. `check` holds the API's members ``HealthCheck...``, thresholds and matcher."""

    arn: str
    name: str
    suffix: str
    protocol: str
    port: int
    vpc_id: str
    target_type: str
    check: dict[str, Any]
    created: datetime
    attributes: dict[str, str] = {}
    targets: tuple[Registered, ...] = ()
    health: dict[str, Probed] = {}
    """By `Registered.place`."""
    tags: dict[str, str] = {}


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """A revocation list (PEM) of a trust store."""

    id: int
    content: str
    entries: int


@record(
    "elasticloadbalancing",
    "truststore",
    key="arn",
    index=("name",),
    arn="truststore/{name}/{suffix}",
    missing=("TrustStoreNotFound", "One or more trust stores not found"),
)
class TrustStore(Record, frozen=True, kw_only=True):
    """Authorities (PEM) whose certificates listeners may ask clients for, and what those revoked."""

    arn: str
    name: str
    suffix: str
    bundle: str
    count: int
    revocations: tuple[Revocation, ...] = ()
    last_revocation: int = 0
    tags: dict[str, str] = {}


@record("elasticloadbalancing", "capacity-reservation", key="arn")
class Reservation(Record, frozen=True, kw_only=True):
    """Capacity units that are reserved for a load balancer (0: none any more), and when they were made fewer."""

    arn: str
    kind: str
    units: int
    changed: datetime
    decreases: tuple[datetime, ...] = ()
