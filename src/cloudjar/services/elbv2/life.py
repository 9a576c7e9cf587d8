"""A load balancer's reconciler: its nodes are what its listeners, rules and target groups say."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Machine, Step, on_boot, reconciler
from cloudjar.planes.network.port import NetworkPort
from cloudjar.planes.proxy import port
from cloudjar.planes.proxy.port import ProxyPort, TargetHealth
from cloudjar.services.elbv2 import actions, defaults
from cloudjar.services.elbv2.records import BALANCER, Listener, LoadBalancer, Probed, Rule, TargetGroup

LIFE = Machine(LoadBalancer, start="provisioning", moves="provisioning -> active")
_WORST = ("unhealthy", "initial", "healthy")


@reconciler(LoadBalancer)
def converge(step: Step, balancer: LoadBalancer | None) -> None:
    """Run exactly this load balancer's nodes, and learn what their probes say."""
    proxies: ProxyPort = step.port("proxy")
    front = node_name(step.key.rpartition("/")[2], "")
    wanted = {zone.node for zone in balancer.zones} if balancer else set()
    for name in proxies.nodes():
        if name.startswith(front) and name not in wanted:
            proxies.remove(name)
    if balancer is None:
        return
    nodes, groups = _read(step, balancer)
    for node in nodes:
        proxies.apply(node)
    if balancer.state == "provisioning":
        step.move(LIFE, "provisioning", "active")
    _learn(step, groups, [proxies.health(node.id) for node in nodes])
    _end_draining(step, groups)


def node_name(suffix: str, zone: str) -> str:
    """``elb-0123456789abcdef-a``: guest and proxy of one zone; without a zone the beginning of all."""
    return f"elb-{suffix}-{zone[-1:]}"


def _read(step: Step, balancer: LoadBalancer) -> tuple[list[port.Node], list[TargetGroup]]:
    network: NetworkPort = step.port("network")
    with step.world.state.database.lock:
        listeners = step.db[Listener].all(load_balancer_arn=balancer.arn)
        rules = step.db[Rule].all(load_balancer_arn=balancer.arn)
        acting = [*(item.actions for item in listeners), *(item.actions for item in rules)]
        named = {arn for given in acting for arn in actions.groups_of(given)}
        groups = [group for group in step.db[TargetGroup].all() if group.arn in named]
    names = {group.arn: group_name(group) for group in groups}
    attributes = defaults.whole(defaults.BALANCER, balancer.attributes)
    delays = [int(_of(group, "deregistration_delay.timeout_seconds")) for group in groups]
    made = port.Node(
        id="", namespace="",
        listeners=tuple(_listener(item, rules, names) for item in sorted(listeners, key=lambda item: item.port)),
        groups=tuple(_group(group) for group in sorted(groups, key=group_name)),
        idle_seconds=int(attributes["idle_timeout.timeout_seconds"]),
        drain_seconds=max([1, *delays]),
        http2=attributes["routing.http2.enabled"] == "true",
        drop_invalid_headers=attributes["routing.http.drop_invalid_header_fields.enabled"] == "true",
        forwarded_for=attributes["routing.http.xff_header_processing.mode"],  # type: ignore[arg-type]  # checked when set
    )  # fmt: skip
    nodes = [replace(made, id=zone.node, namespace=network.guest_path(zone.node)) for zone in balancer.zones]
    return nodes, groups


def group_name(group: TargetGroup) -> str:
    """What the proxy plane calls a target group."""
    return f"{group.name}-{group.suffix}"


def _of(group: TargetGroup, attribute: str) -> str:
    return defaults.whole(defaults.GROUP, group.attributes)[attribute]


def _listener(listener: Listener, rules: list[Rule], names: dict[str, str]) -> port.Listener:
    own = sorted((r for r in rules if r.listener_arn == listener.arn), key=lambda rule: rule.priority)
    made = [
        port.Rule(action=actions.planned_action(rule.actions[0], names),
                  conditions=tuple(actions.planned_condition(c) for c in rule.conditions))
        for rule in own
    ]  # fmt: skip
    default = port.Rule(action=actions.planned_action(listener.actions[0], names))
    return port.Listener(port=listener.port, rules=(*made, default))


def _group(group: TargetGroup) -> port.TargetGroup:
    check = group.check
    probed = port.HealthCheck(
        secure=check["HealthCheckProtocol"] == "HTTPS",
        port=0 if check["HealthCheckPort"] == "traffic-port" else int(check["HealthCheckPort"]),
        path=check["HealthCheckPath"],
        interval=check["HealthCheckIntervalSeconds"],
        timeout=check["HealthCheckTimeoutSeconds"],
        rise=check["HealthyThresholdCount"],
        fall=check["UnhealthyThresholdCount"],
        codes=check["Matcher"]["HttpCode"],
    )
    sticky = _of(group, "stickiness.enabled") == "true"
    return port.TargetGroup(
        id=group_name(group),
        targets=tuple(port.Target(address=t.address, port=t.port) for t in group.targets if t.draining_until is None),
        secure=group.protocol == "HTTPS",
        check=probed,
        algorithm=_of(group, "load_balancing.algorithm.type"),  # type: ignore[arg-type]  # checked when set
        cookie_seconds=int(_of(group, "stickiness.lb_cookie.duration_seconds")) if sticky else 0,
    )


def _learn(step: Step, groups: list[TargetGroup], seen: list[dict[tuple[str, str], TargetHealth]]) -> None:
    """A target is as well as the node that thinks worst of it says."""
    for group in groups:
        name = group_name(group)
        found: dict[str, Probed] = {}
        for node in seen:
            for (of, place), health in node.items():
                worst = found.get(place)
                if of == name and (worst is None or _WORST.index(health.state) < _WORST.index(worst.state)):
                    found[place] = Probed(state=health.state, why=health.why, code=health.code)
        with step.world.state.database.transaction():
            now = step.db[TargetGroup].get(group.arn)
            if now is not None and now.health != found:
                step.db[TargetGroup].put(replace(now, health=found))


def _end_draining(step: Step, groups: list[TargetGroup]) -> None:
    """Forget targets whose time is over, and come back for the next one."""
    now = step.ctx.now
    for group in groups:
        with step.world.state.database.transaction():
            item = step.db[TargetGroup].get(group.arn)
            if item is not None:
                step.db[TargetGroup].put(
                    replace(item, targets=tuple(t for t in item.targets if not over(t.draining_until, now)))
                )
    waiting = [t.draining_until for g in groups for t in g.targets if t.draining_until and t.draining_until > now]
    if waiting:
        step.again("drain", min(waiting))


def over(until: datetime | None, now: datetime) -> bool:
    """Whether a deregistered target's time to end is over."""
    return until is not None and until <= now


def node_changed(world: World, node: str) -> None:
    """The host says that a node's probes came to something else, or that it died: have its balancer looked at."""
    suffix = node.split("-")[1] if node.startswith("elb-") else ""
    for balancer in _all(world):
        if balancer.suffix == suffix:
            with world.state.database.transaction():
                world.state.wakes.wake(BALANCER, balancer.account, balancer.region, balancer.arn, purpose="host")


@on_boot("elbv2")
def at_start(world: World) -> None:
    """Look at every load balancer; nodes that belong to none are ended."""
    known = set()
    for balancer in _all(world):
        known |= {zone.node for zone in balancer.zones}
        world.state.wakes.wake(BALANCER, balancer.account, balancer.region, balancer.arn)
    proxies: ProxyPort = world.ports["proxy"]
    try:
        for name in proxies.nodes():
            if name not in known:
                proxies.remove(name)
    except PlaneError:
        return


def _all(world: World) -> list[LoadBalancer]:
    return Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(LoadBalancer)
