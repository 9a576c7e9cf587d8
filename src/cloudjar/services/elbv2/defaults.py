"""Attributes with their defaults, and which values Cloudjar can honour.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from cloudjar.planes.proxy.port import CertificateFact
from cloudjar.services.elbv2 import errors
from cloudjar.services.elbv2.records import Listener, LoadBalancer, TargetGroup

RELAYED = ("TCP", "UDP", "TCP_UDP", "TLS")
"""Protocols of Network Load Balancers."""


class Attribute(NamedTuple):
    """`allowed` is a regular expression of AWS's values, `built` of those that are honoured."""

    default: str
    allowed: str
    built: str = ".*"


Known = Mapping[str, Attribute]
_YES = "true|false"
_OFF = "off|[0-9]+"
_COMMON = {
    "deletion_protection.enabled": Attribute("false", _YES),
    "access_logs.s3.enabled": Attribute("false", _YES),
    "access_logs.s3.bucket": Attribute("", ".*"),
    "access_logs.s3.prefix": Attribute("", ".*"),
    "ipv6.deny_all_igw_traffic": Attribute("false", _YES, "false"),
    "zonal_shift.config.enabled": Attribute("false", _YES, "false"),
}
_APPLICATION = {
    **_COMMON,
    "load_balancing.cross_zone.enabled": Attribute("true", "true"),
    "connection_logs.s3.enabled": Attribute("false", _YES),
    "connection_logs.s3.bucket": Attribute("", ".*"),
    "connection_logs.s3.prefix": Attribute("", ".*"),
    "health_check_logs.s3.enabled": Attribute("false", _YES),
    "health_check_logs.s3.bucket": Attribute("", ".*"),
    "health_check_logs.s3.prefix": Attribute("", ".*"),
    "idle_timeout.timeout_seconds": Attribute("60", "[0-9]{1,4}"),
    "client_keep_alive.seconds": Attribute("3600", "[0-9]{2,6}", "3600"),
    "routing.http.desync_mitigation_mode": Attribute("defensive", "monitor|defensive|strictest", "defensive"),
    "routing.http.drop_invalid_header_fields.enabled": Attribute("false", _YES),
    "routing.http.preserve_host_header.enabled": Attribute("false", _YES),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": Attribute("false", _YES),
    "routing.http.xff_client_port.enabled": Attribute("false", _YES),
    "routing.http.xff_header_processing.mode": Attribute("append", "append|preserve|remove"),
    "routing.http2.enabled": Attribute("true", _YES),
    "waf.fail_open.enabled": Attribute("false", _YES, "false"),
}
_NETWORK = {
    **_COMMON,
    "load_balancing.cross_zone.enabled": Attribute("false", _YES),
    "dns_record.client_routing_policy": Attribute(
        "any_availability_zone",
        "any_availability_zone|availability_zone_affinity|partial_availability_zone_affinity",
        "any_availability_zone",
    ),
    "secondary_ips.auto_assigned.per_subnet": Attribute("0", "[0-7]", "0"),
}
_HEALTHY = {
    "target_group_health.dns_failover.minimum_healthy_targets.count": Attribute("1", _OFF, "1"),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Attribute("off", _OFF, "off"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Attribute("1", "[0-9]+"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute("off", _OFF),
}
_CROSS_ZONE = Attribute("use_load_balancer_configuration", "true|false|use_load_balancer_configuration")
_HTTP_GROUP = {
    "deregistration_delay.timeout_seconds": Attribute("300", "[0-9]{1,4}"),
    "stickiness.enabled": Attribute("false", _YES),
    "stickiness.type": Attribute("lb_cookie", "lb_cookie|app_cookie"),
    "stickiness.lb_cookie.duration_seconds": Attribute("86400", "[0-9]{1,6}"),
    "stickiness.app_cookie.cookie_name": Attribute("", "[^ ,;=\\s]{0,256}", "[A-Za-z0-9!#$&+.^_`|~-]{0,40}"),
    "stickiness.app_cookie.duration_seconds": Attribute("86400", "[0-9]{1,6}"),
    "load_balancing.algorithm.type": Attribute(
        "round_robin", "round_robin|least_outstanding_requests|weighted_random",
        "round_robin|least_outstanding_requests"),
    "load_balancing.algorithm.anomaly_mitigation": Attribute("off", "on|off", "off"),
    "load_balancing.cross_zone.enabled": _CROSS_ZONE,
    "slow_start.duration_seconds": Attribute("0", "[0-9]{1,3}"),
    **_HEALTHY,
}  # fmt: skip
_RELAYED_GROUP = {
    "deregistration_delay.timeout_seconds": Attribute("300", "[0-9]{1,4}"),
    "deregistration_delay.connection_termination.enabled": Attribute("false", _YES),
    "preserve_client_ip.enabled": Attribute("true", _YES),
    "proxy_protocol_v2.enabled": Attribute("false", _YES),
    "stickiness.enabled": Attribute("false", _YES),
    "stickiness.type": Attribute("source_ip", "source_ip|source_ip_dest_ip|source_ip_dest_ip_proto", "source_ip"),
    "load_balancing.cross_zone.enabled": _CROSS_ZONE,
    "target_health_state.unhealthy.connection_termination.enabled": Attribute("true", _YES),
    "target_health_state.unhealthy.draining_interval_seconds": Attribute("0", "[0-9]+", "0"),
    **_HEALTHY,
}
_HEADERS = {
    f"routing.http.response.{name}.header_value": Attribute("", "[\\x20-\\x7e]{0,1024}")
    for name in (
        "strict_transport_security", "access_control_allow_origin", "access_control_allow_methods",
        "access_control_allow_headers", "access_control_allow_credentials", "access_control_expose_headers",
        "access_control_max_age", "content_security_policy", "x_content_type_options", "x_frame_options",
    )
}  # fmt: skip
_FRONT = "routing.http.request.x_amzn_mtls_clientcert"
RENAMED_FACTS: dict[CertificateFact, str] = {
    "serial": f"{_FRONT}_serial_number.header_name", "issuer": f"{_FRONT}_issuer.header_name",
    "subject": f"{_FRONT}_subject.header_name", "validity": f"{_FRONT}_validity.header_name",
    "leaf": f"{_FRONT}_leaf.header_name", "chain": f"{_FRONT}.header_name",
}  # fmt: skip
_RENAMED = {
    "routing.http.request.x_amzn_tls_version.header_name": Attribute("", "[A-Za-z0-9_-]{0,40}"),
    "routing.http.request.x_amzn_tls_cipher_suite.header_name": Attribute("", "[A-Za-z0-9_-]{0,40}"),
    **{name: Attribute("", "[A-Za-z0-9_-]{0,40}") for name in RENAMED_FACTS.values()},
}
_HTTP_LISTENER = {"routing.http.response.server.enabled": Attribute("true", _YES), **_HEADERS}
_TCP_LISTENER = {
    "tcp.idle_timeout.seconds": Attribute("350", "[0-9]{2,4}"),
    "send_tcp_reset.on_idle_timeout.enabled": Attribute("false", _YES, "false"),
}
_RANGES = {
    "idle_timeout.timeout_seconds": (1, 4000), "deregistration_delay.timeout_seconds": (0, 3600),
    "stickiness.lb_cookie.duration_seconds": (1, 604800), "stickiness.app_cookie.duration_seconds": (1, 604800),
    "client_keep_alive.seconds": (60, 604800), "tcp.idle_timeout.seconds": (60, 6000),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": (1, 1000),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": (1, 100),
}  # fmt: skip


def of_balancer(balancer: LoadBalancer) -> Known:
    """What a load balancer has."""
    return _NETWORK if balancer.kind == "net" else _APPLICATION


def of_group(group: TargetGroup) -> Known:
    """What a target group has; some defaults follow from its kind."""
    if group.protocol not in RELAYED:
        return _HTTP_GROUP
    keeps = group.target_type == "instance" or group.protocol in ("UDP", "TCP_UDP")
    datagrams = group.protocol in ("UDP", "TCP_UDP")
    return {
        **_RELAYED_GROUP,
        "preserve_client_ip.enabled": Attribute("true" if keeps else "false", "true" if datagrams else _YES),
        "deregistration_delay.connection_termination.enabled": Attribute("true" if datagrams else "false", _YES),
    }


def of_listener(listener: Listener) -> Known:
    """What a listener has."""
    if listener.kind == "net":
        return _TCP_LISTENER if listener.protocol == "TCP" else {}
    return {**_HTTP_LISTENER, **_RENAMED} if listener.protocol == "HTTPS" else _HTTP_LISTENER


def changed(what: str, known: Known, now: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    """The attributes with those asked for in force; raises ValidationError, or 501 for what is not built.

    `what` is ``Load balancer``, ``Target group`` or ``Listener``.
    """
    for name, value in asked.items():
        attribute = known.get(name)
        if attribute is None:
            raise errors.validation(f"{what} attribute key '{name}' is not recognized")
        low, high = _RANGES.get(name, (0, 10**9))
        if not re.fullmatch(attribute.allowed, value) or (value.isdigit() and not low <= int(value) <= high):
            raise errors.validation(f"'{value}' is not a valid value for attribute key '{name}'")
        if not re.fullmatch(attribute.built, value):
            raise errors.not_built(f"The attribute {name} with the value {value}")
    after = {**now, **asked}
    _refuse_contradictions(asked, {**{name: a.default for name, a in known.items()}, **after})
    return after


def _refuse_contradictions(asked: Mapping[str, str], after: Mapping[str, str]) -> None:
    for logs in ("access_logs", "connection_logs", "health_check_logs"):
        if asked.get(f"{logs}.s3.enabled") == "true":
            bucket = after[f"{logs}.s3.bucket"]
            if not bucket:
                raise errors.validation(f"The value of '{logs}.s3.bucket' cannot be empty")
            if logs == "health_check_logs":
                raise errors.not_built(f"The attribute {logs}.s3.enabled with the value true")
    slow = after.get("slow_start.duration_seconds", "0")
    if slow != "0" and not 30 <= int(slow) <= 900:
        raise errors.validation("Slow start duration must be 0, or between 30 and 900 seconds, inclusive")
    if slow != "0" and after.get("load_balancing.algorithm.type") == "least_outstanding_requests":
        raise errors.validation("Slow start cannot be used with the least outstanding requests algorithm")
    sticky = after.get("stickiness.enabled") == "true"
    if sticky and after.get("stickiness.type") == "app_cookie":
        cookie = after["stickiness.app_cookie.cookie_name"]
        if not cookie:
            raise errors.validation("You must specify an application cookie name")
        if cookie.startswith(("AWSALB", "AWSALBAPP", "AWSALBTG")):
            raise errors.validation(f"The cookie name '{cookie}' is reserved for use by the load balancer")


def whole(known: Known, now: Mapping[str, str]) -> dict[str, str]:
    """Every attribute with its value."""
    return {name: now.get(name, attribute.default) for name, attribute in known.items()}
