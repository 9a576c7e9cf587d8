"""Attributes with their defaults, and which values Cloudjar can honour.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from cloudjar.services.elbv2 import errors


class Attribute(NamedTuple):
    """`allowed` is a regular expression of AWS's values, `built` of those that are honoured."""

    default: str
    allowed: str
    built: str = ".*"


_YES = "true|false"
BALANCER = {
    "deletion_protection.enabled": Attribute("false", _YES),
    "load_balancing.cross_zone.enabled": Attribute("true", "true"),
    "access_logs.s3.enabled": Attribute("false", _YES, "false"),
    "access_logs.s3.bucket": Attribute("", ".*"),
    "access_logs.s3.prefix": Attribute("", ".*"),
    "connection_logs.s3.enabled": Attribute("false", _YES, "false"),
    "connection_logs.s3.bucket": Attribute("", ".*"),
    "connection_logs.s3.prefix": Attribute("", ".*"),
    "idle_timeout.timeout_seconds": Attribute("60", "[0-9]{1,4}"),
    "client_keep_alive.seconds": Attribute("3600", "[0-9]{2,6}", "3600"),
    "routing.http.desync_mitigation_mode": Attribute("defensive", "monitor|defensive|strictest", "defensive"),
    "routing.http.drop_invalid_header_fields.enabled": Attribute("false", _YES),
    "routing.http.preserve_host_header.enabled": Attribute("false", _YES, "false"),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": Attribute("false", _YES, "false"),
    "routing.http.xff_client_port.enabled": Attribute("false", _YES, "false"),
    "routing.http.xff_header_processing.mode": Attribute("append", "append|preserve|remove"),
    "routing.http2.enabled": Attribute("true", _YES),
    "waf.fail_open.enabled": Attribute("false", _YES, "false"),
    "zonal_shift.config.enabled": Attribute("false", _YES, "false"),
}
GROUP = {
    "deregistration_delay.timeout_seconds": Attribute("300", "[0-9]{1,4}"),
    "stickiness.enabled": Attribute("false", _YES),
    "stickiness.type": Attribute("lb_cookie", "lb_cookie|app_cookie", "lb_cookie"),
    "stickiness.lb_cookie.duration_seconds": Attribute("86400", "[0-9]{1,6}"),
    "stickiness.app_cookie.cookie_name": Attribute("", ".*", ""),
    "stickiness.app_cookie.duration_seconds": Attribute("86400", "[0-9]{1,6}"),
    "load_balancing.algorithm.type": Attribute(
        "round_robin", "round_robin|least_outstanding_requests|weighted_random",
        "round_robin|least_outstanding_requests"),
    "load_balancing.algorithm.anomaly_mitigation": Attribute("off", "on|off", "off"),
    "load_balancing.cross_zone.enabled": Attribute(
        "use_load_balancer_configuration", "true|false|use_load_balancer_configuration",
        "true|use_load_balancer_configuration"),
    "slow_start.duration_seconds": Attribute("0", "[0-9]{1,3}", "0"),
    "target_group_health.dns_failover.minimum_healthy_targets.count": Attribute("1", "off|[0-9]+", "1"),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Attribute("off", "off|[0-9]+", "off"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Attribute("1", "[0-9]+", "1"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute(
        "off", "off|[0-9]+", "off"),
}  # fmt: skip
_RANGES = {
    "idle_timeout.timeout_seconds": (1, 4000), "deregistration_delay.timeout_seconds": (0, 3600),
    "stickiness.lb_cookie.duration_seconds": (1, 604800),
}  # fmt: skip


def changed(known: Mapping[str, Attribute], now: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    """The attributes with those asked for in force; raises ValidationError, or 501 for what is not built."""
    for name, value in asked.items():
        attribute = known.get(name)
        if attribute is None:
            raise errors.validation(
                f"Load balancer attribute key '{name}' is not recognized"
                if known is BALANCER
                else f"Target group attribute key '{name}' is not recognized"
            )
        low, high = _RANGES.get(name, (0, 10**9))
        if not re.fullmatch(attribute.allowed, value) or (value.isdigit() and not low <= int(value) <= high):
            raise errors.validation(f"'{value}' is not a valid value for attribute key '{name}'")
        if not re.fullmatch(attribute.built, value):
            raise errors.not_built(f"The attribute {name} with the value {value}")
    return {**now, **asked}


def whole(known: Mapping[str, Attribute], now: Mapping[str, str]) -> dict[str, str]:
    """Every attribute with its value."""
    return {name: now.get(name, attribute.default) for name, attribute in known.items()}
