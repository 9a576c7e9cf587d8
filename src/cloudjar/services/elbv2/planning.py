"""A load balancer's records as the proxy plane wants them: one node for each of its zones.

`read` looks at the store alone; what it gives is the whole truth about the nodes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from cloudjar.kit import certificates
from cloudjar.kit.context import Ctx
from cloudjar.planes.network.port import NetworkPort
from cloudjar.planes.proxy import port
from cloudjar.services.elbv2 import actions, defaults, ssl_policies
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Registered, Rule, TargetGroup, TrustStore, Zone


class Read(NamedTuple):
    """What a load balancer's nodes are made of."""

    balancer: LoadBalancer
    listeners: list[Listener]
    rules: list[Rule]
    groups: list[TargetGroup]
    pems: dict[str, str]
    """By certificate's ARN."""
    now: datetime
    trusts: dict[str, TrustStore]
    """By ARN."""


def read(ctx: Ctx, balancer: LoadBalancer) -> Read:
    """Everything at one moment; of the balancer, the zones that have power."""
    balancer = replace(balancer, zones=lit(ctx, balancer))
    with ctx.world.state.database.lock:
        listeners = ctx.db[Listener].all(load_balancer_arn=balancer.arn)
        rules = ctx.db[Rule].all(load_balancer_arn=balancer.arn)
        acting = [*(item.actions for item in listeners), *(item.actions for item in rules)]
        named = {arn for given in acting for arn in actions.groups_of(given)}
        groups = [group for group in ctx.db[TargetGroup].all() if group.arn in named]
        wanted = {arn for listener in listeners for arn in listener.certificates}
        pems = {arn: certificates.keeper(ctx).pem(ctx, arn) for arn in wanted}
        stores = {item.trust_store_arn for item in listeners if item.trust_store_arn}
        trusts = {arn: ctx.db[TrustStore].need(arn) for arn in stores}
    return Read(balancer, sorted(listeners, key=lambda item: item.port), rules, groups, pems, ctx.now, trusts)


def lit(ctx: Ctx, balancer: LoadBalancer) -> tuple[Zone, ...]:
    """Its zones that have power."""
    dark = ctx.world.faults.is_dark
    return tuple(zone for zone in balancer.zones if not dark(zone.name, balancer.account))


def nodes(found: Read, network: NetworkPort) -> list[port.Node]:
    """The nodes, in the order of the zones."""
    return [_node(found, zone, network.guest_path(zone.node)) for zone in found.balancer.zones]


def group_name(group: TargetGroup) -> str:
    """What the proxy plane calls a target group."""
    return f"{group.name}-{group.suffix}"


def attribute(group: TargetGroup, name: str) -> str:
    """One attribute of a target group."""
    return defaults.whole(defaults.of_group(group), group.attributes)[name]


def _node(found: Read, zone: Zone, namespace: str) -> port.Node:
    balancer = found.balancer
    names = {group.arn: group_name(group) for group in found.groups}
    delays = [int(attribute(group, "deregistration_delay.timeout_seconds")) for group in found.groups]
    groups = tuple(_group(found, group, zone) for group in sorted(found.groups, key=group_name))
    drain = max([1, *delays])
    if balancer.kind == "net":
        relays = tuple(_relay(item, names, found.pems) for item in found.listeners if _servable(item, found.pems))
        return port.Node(
            id=zone.node, namespace=namespace, relays=relays, groups=groups, drain_seconds=drain, idle_seconds=350,
            logs=balancer.attributes.get("access_logs.s3.enabled") == "true",
        )
    attributes = defaults.whole(defaults.of_balancer(balancer), balancer.attributes)
    return port.Node(
        id=zone.node, namespace=namespace, groups=groups, drain_seconds=drain,
        listeners=tuple(
            _listener(item, found.rules, names, found) for item in found.listeners if _servable(item, found.pems)
        ),
        idle_seconds=int(attributes["idle_timeout.timeout_seconds"]),
        http2=attributes["routing.http2.enabled"] == "true",
        drop_invalid_headers=attributes["routing.http.drop_invalid_header_fields.enabled"] == "true",
        forwarded_for=attributes["routing.http.xff_header_processing.mode"],  # type: ignore[arg-type]  # checked when set
        tells_client_port=attributes["routing.http.xff_client_port.enabled"] == "true",
        tells_tls=attributes["routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] == "true",
        logs="true" in (attributes["access_logs.s3.enabled"], attributes["connection_logs.s3.enabled"]),
    )  # fmt: skip


def _servable(listener: Listener, pems: dict[str, str]) -> bool:
    """Whether its default certificate is there: without one it would answer in the clear."""
    return listener.protocol not in ("HTTPS", "TLS") or bool(listener.certificates and pems[listener.certificates[0]])


def _chain(listener: Listener, pems: dict[str, str]) -> tuple[str, ...]:
    return tuple(pems[arn] for arn in listener.certificates if pems[arn])


def _listener(listener: Listener, rules: list[Rule], names: dict[str, str], found: Read) -> port.Listener:
    own = sorted((r for r in rules if r.listener_arn == listener.arn), key=lambda rule: rule.priority)
    made = [
        port.Rule(action=actions.planned_action(rule.actions[0], names),
                  conditions=tuple(actions.planned_condition(c) for c in rule.conditions))
        for rule in own
    ]  # fmt: skip
    default = port.Rule(action=actions.planned_action(listener.actions[0], names))
    said = defaults.whole(defaults.of_listener(listener), listener.attributes)
    front, end = "routing.http.response.", ".header_value"
    headers = {
        key.removeprefix(front).removesuffix(end).replace("_", "-"): value
        for key, value in said.items() if key.endswith(end) and value
    }  # fmt: skip
    return port.Listener(
        port=listener.port, rules=(*made, default), certificates=_chain(listener, found.pems),
        tls=ssl_policies.planned(listener.ssl_policy or ssl_policies.DEFAULT), headers=tuple(sorted(headers.items())),
        names_server=said["routing.http.response.server.enabled"] == "true",
        tls_version_header=said.get("routing.http.request.x_amzn_tls_version.header_name") or "X-Amzn-Tls-Version",
        tls_cipher_header=said.get("routing.http.request.x_amzn_tls_cipher_suite.header_name")
        or "X-Amzn-Tls-Cipher-Suite",
        clients=_clients(listener, said, found.trusts),
    )  # fmt: skip


def _clients(listener: Listener, said: dict[str, str], trusts: dict[str, TrustStore]) -> port.Clients | None:
    """What a listener asks of its clients' certificates."""
    if listener.mutual == "off":
        return None
    renamed = tuple((fact, said[name]) for fact, name in defaults.RENAMED_FACTS.items() if said.get(name))
    if listener.mutual == "passthrough":
        return port.Clients(renamed=renamed)
    store = trusts[listener.trust_store_arn]
    return port.Clients(
        verifies=True, authorities=store.bundle, revoked="".join(one.content for one in store.revocations),
        expired_too=listener.ignores_expiry, advertises=listener.advertises, renamed=renamed,
    )  # fmt: skip


_ALPN = {
    "HTTP1Only": ("http/1.1",), "HTTP2Only": ("h2",), "HTTP2Optional": ("http/1.1", "h2"),
    "HTTP2Preferred": ("h2", "http/1.1"),
}  # fmt: skip


def _relay(listener: Listener, names: dict[str, str], pems: dict[str, str]) -> port.Relay:
    said = defaults.whole(defaults.of_listener(listener), listener.attributes)
    return port.Relay(
        port=listener.port, protocol=listener.protocol.lower(),  # type: ignore[arg-type]  # checked when made
        group=names[actions.groups_of(listener.actions)[0]], certificates=_chain(listener, pems),
        tls=ssl_policies.planned(listener.ssl_policy or ssl_policies.DEFAULT), alpn=_ALPN.get(listener.alpn, ()),
        idle_seconds=int(said.get("tcp.idle_timeout.seconds", "350")),
    )  # fmt: skip


def _group(found: Read, group: TargetGroup, zone: Zone) -> port.TargetGroup:
    targets = tuple(
        port.Target(address=t.address, port=t.port, new=new_until(group, t, found.now) is not None)
        for t in group.targets
        if serves(found.balancer, group, t, zone)
    )
    said = defaults.whole(defaults.of_group(group), group.attributes)
    common = port.TargetGroup(
        id=group_name(group), targets=targets, check=_check(group), secure=group.protocol in ("HTTPS", "TLS"),
        least_healthy=_least(said, len(targets)),
    )  # fmt: skip
    sticky = said["stickiness.enabled"] == "true"
    if group.protocol in defaults.RELAYED:
        return replace(
            common, source_sticky=sticky, keeps_source=said["preserve_client_ip.enabled"] == "true",
            announces=said["proxy_protocol_v2.enabled"] == "true",
            ends_unwell=said["target_health_state.unhealthy.connection_termination.enabled"] == "true",
            ends_gone=said["deregistration_delay.connection_termination.enabled"] == "true",
            draining=tuple(
                port.Target(address=t.address, port=t.port) for t in group.targets if t.draining_until is not None
            ),
        )  # fmt: skip
    by_app = said["stickiness.type"] == "app_cookie"
    seconds = said[f"stickiness.{'app' if by_app else 'lb'}_cookie.duration_seconds"]
    return replace(
        common, algorithm=said["load_balancing.algorithm.type"], cookie_seconds=int(seconds) if sticky else 0,
        app_cookie=said["stickiness.app_cookie.cookie_name"] if sticky and by_app else "",
        slow_start=int(said["slow_start.duration_seconds"]),
    )  # fmt: skip


def new_until(group: TargetGroup, target: Registered, now: datetime) -> datetime | None:
    """Until when a target is new: its first probe that passes makes it well, and only as many failed ones as the
    threshold says, in their time, make it unwell. None when that is over, or it is one of both already."""
    known = group.health.get(target.place)
    if target.since is None or target.draining_until is not None or (known is not None and known.state != "initial"):
        return None
    check = group.check
    until = target.since + timedelta(
        seconds=check["HealthCheckIntervalSeconds"] * check["UnhealthyThresholdCount"]
    )
    return until if now < until else None


def _least(said: dict[str, str], targets: int) -> int:
    front = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
    share = said[front + "percentage"]
    return max(int(said[front + "count"]), 0 if share == "off" else -(-targets * int(share) // 100))


def serves(balancer: LoadBalancer, group: TargetGroup, target: Registered, zone: Zone) -> bool:
    """Whether a node sends to a target: one that runs, in a zone of the balancer's; in its own without cross-zone
    balancing."""
    if target.draining_until is not None or target.stopped:
        return False
    home = target.home or ("" if target.zone == "all" else target.zone)
    if not home:
        return True
    return home == zone.name if not cross_zone(balancer, group) else home in {z.name for z in balancer.zones}


def cross_zone(balancer: LoadBalancer, group: TargetGroup) -> bool:
    """Whether nodes send to targets of other zones."""
    own = attribute(group, "load_balancing.cross_zone.enabled")
    if own != "use_load_balancer_configuration":
        return own == "true"
    known = defaults.whole(defaults.of_balancer(balancer), balancer.attributes)
    return known["load_balancing.cross_zone.enabled"] == "true"


def _check(group: TargetGroup) -> port.HealthCheck:
    check = group.check
    protocol = check["HealthCheckProtocol"]
    return port.HealthCheck(
        http=protocol in ("HTTP", "HTTPS"),
        secure=protocol == "HTTPS",
        port=0 if check["HealthCheckPort"] == "traffic-port" else int(check["HealthCheckPort"]),
        path=check.get("HealthCheckPath") or "/",
        interval=check["HealthCheckIntervalSeconds"],
        timeout=check["HealthCheckTimeoutSeconds"],
        rise=check["HealthyThresholdCount"],
        fall=check["UnhealthyThresholdCount"],
        codes=(check.get("Matcher") or {}).get("HttpCode") or "200",
    )
