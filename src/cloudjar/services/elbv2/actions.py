"""Actions and conditions of listeners and rules: the API's form checked, and put into the proxy plane's.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.planes.proxy import port
from cloudjar.services.elbv2 import errors

_CONFIGURED = {
    "host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig", "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig", "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
}  # fmt: skip
_CONTENT = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
_MOST_VALUES = 5


def checked(actions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One action in its full form; raises ValidationError, InvalidLoadBalancerAction or 501."""
    given = list(actions)
    if not given:
        raise errors.validation("An action must be specified")
    if any(str(a["Type"]).startswith("authenticate-") or a["Type"] == "jwt-validation" for a in given):
        raise errors.not_built("Authentication by a load balancer")
    if len(given) > 1:
        raise AwsError(
            "InvalidLoadBalancerAction",
            "You cannot specify multiple actions of type 'forward', 'redirect' or 'fixed-response' for a rule",
        )
    action = dict(given[0])
    action.setdefault("Order", 1)
    makers = {"forward": _forward, "redirect": _redirect, "fixed-response": _fixed}
    return [makers[str(action["Type"])](action)]


def _forward(action: dict[str, Any]) -> dict[str, Any]:
    config = dict(action.get("ForwardConfig") or {})
    groups = [
        {"TargetGroupArn": g["TargetGroupArn"], "Weight": g.get("Weight", 1)} for g in config.get("TargetGroups") or ()
    ]
    if not groups and action.get("TargetGroupArn"):
        groups = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
    if not groups:
        raise errors.validation("A target group ARN must be specified")
    if len(groups) > _MOST_VALUES:
        raise AwsError(
            "TooManyUniqueTargetGroupsPerLoadBalancer", "The maximum number of target groups in a forward action is 5"
        )
    if any(not 0 <= int(g["Weight"]) <= 999 for g in groups):
        raise errors.validation("Target group weight must be between 0 and 999")
    sticky = config.get("TargetGroupStickinessConfig") or {}
    if sticky.get("Enabled"):
        seconds = sticky.get("DurationSeconds")
        if seconds is None or not 1 <= int(seconds) <= 604800:
            raise errors.validation("The stickiness duration must be between 1 and 604800 seconds")
        sticky = {"Enabled": True, "DurationSeconds": int(seconds)}
    else:
        sticky = {"Enabled": False}
    made = {"Type": "forward", "Order": action["Order"], "ForwardConfig": {
        "TargetGroups": groups, "TargetGroupStickinessConfig": sticky}}  # fmt: skip
    return {**made, "TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else made


def _redirect(action: dict[str, Any]) -> dict[str, Any]:
    config = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}",
              "Query": "#{query}", **(action.get("RedirectConfig") or {})}  # fmt: skip
    if not config.get("StatusCode"):
        raise errors.validation("A redirect configuration must have a status code")
    if config["Protocol"] not in ("HTTP", "HTTPS", "#{protocol}"):
        raise errors.validation("The protocol of a redirect must be HTTP, HTTPS or #{protocol}")
    if not str(config["Path"]).startswith("/"):
        raise errors.validation("The path of a redirect must start with '/'")
    kept = ("Protocol", "Port", "Host", "Path")
    if all(config[part] == f"{'/' if part == 'Path' else ''}#{{{part.lower()}}}" for part in kept):
        raise errors.validation("Redirect to the same protocol, host, port and path would be a loop")
    _printable(*(str(v) for v in config.values()))
    return {"Type": "redirect", "Order": action["Order"], "RedirectConfig": config}


def _fixed(action: dict[str, Any]) -> dict[str, Any]:
    config = dict(action.get("FixedResponseConfig") or {})
    code = str(config.get("StatusCode") or "")
    if len(code) != 3 or code[0] not in "245" or not code.isdigit():
        raise errors.validation("A fixed response must have a status code of the form 2XX, 4XX or 5XX")
    if config.get("ContentType") and config["ContentType"] not in _CONTENT:
        raise errors.validation(f"The content type of a fixed response must be one of {', '.join(_CONTENT)}")
    return {"Type": "fixed-response", "Order": action["Order"], "FixedResponseConfig": config}


def groups_of(actions: Iterable[Mapping[str, Any]]) -> list[str]:
    """ARNs of the target groups that actions name."""
    return [g["TargetGroupArn"] for a in actions for g in (a.get("ForwardConfig") or {}).get("TargetGroups") or ()]


def conditions(given: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Conditions in their full form; raises ValidationError."""
    made = [_condition(dict(condition)) for condition in given]
    if not made:
        raise errors.validation("A condition must be specified")
    count = sum(len(_values(condition)) for condition in made)
    if count > _MOST_VALUES:
        raise AwsError("TooManyRules", "Rules may have at most five condition values")
    for field in ("host-header", "path-pattern", "http-request-method", "source-ip"):
        if sum(condition["Field"] == field for condition in made) > 1:
            raise errors.validation(f"A rule can have only one '{field}' condition")
    return made


def _condition(condition: dict[str, Any]) -> dict[str, Any]:
    field = str(condition.get("Field") or "")
    member = _CONFIGURED.get(field)
    if member is None:
        raise errors.validation(f"Condition field '{field}' must be one of '[{', '.join(_CONFIGURED)}]'")
    if condition.get("RegexValues") or (condition.get(member) or {}).get("RegexValues"):
        raise errors.not_built("Conditions by regular expressions")
    config = dict(condition.get(member) or {})
    if condition.get("Values") and field in ("host-header", "path-pattern"):
        config = {"Values": list(condition["Values"])}
    values = config.get("Values") or ()
    if not values:
        raise errors.validation("A condition value must be specified")
    if field == "http-header" and not config.get("HttpHeaderName"):
        raise errors.validation("A header name must be specified for the condition field 'http-header'")
    made = {"Field": field, member: config}
    if field in ("host-header", "path-pattern"):
        made["Values"] = list(values)
    if field == "source-ip":
        _cidrs(values)
    if field != "query-string":
        _printable(*values)
    return made


def _cidrs(values: Iterable[str]) -> None:
    for value in values:
        try:
            IPv4Network(value)
        except ValueError:
            if ":" in value:
                raise errors.not_built("A source-ip condition of IPv6") from None
            raise errors.validation(f"The value '{value}' is not a CIDR block") from None


def _values(condition: Mapping[str, Any]) -> list[Any]:
    return list(condition[_CONFIGURED[condition["Field"]]]["Values"])


def _printable(*texts: str) -> None:
    if any(not c.isprintable() for text in texts for c in text):
        raise errors.validation("Control characters are not allowed")


def planned_action(action: Mapping[str, Any], names: Mapping[str, str]) -> port.Action:
    """An action as the proxy plane wants it; `names` are its names of target groups by ARN."""
    if action["Type"] == "redirect":
        c = action["RedirectConfig"]
        return port.Redirect(status=301 if c["StatusCode"] == "HTTP_301" else 302, protocol=c["Protocol"],
                             host=c["Host"], port=c["Port"], path=c["Path"], query=c["Query"])  # fmt: skip
    if action["Type"] == "fixed-response":
        c = action["FixedResponseConfig"]
        return port.FixedResponse(status=int(c["StatusCode"]), body=c.get("MessageBody") or "",
                                  content_type=c.get("ContentType") or "text/plain")  # fmt: skip
    config = action["ForwardConfig"]
    return port.Forward(
        groups=tuple((names[g["TargetGroupArn"]], int(g["Weight"])) for g in config["TargetGroups"]),
        sticky_seconds=config["TargetGroupStickinessConfig"].get("DurationSeconds") or 0,
    )


def planned_condition(condition: Mapping[str, Any]) -> port.Condition:
    """A condition as the proxy plane wants it."""
    values = _values(condition)
    if condition["Field"] == "query-string":
        return port.Condition(
            field="query-string", pairs=tuple((v.get("Key") or "", v.get("Value") or "") for v in values)
        )
    name = (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName") or ""
    return port.Condition(field=condition["Field"], values=tuple(values), name=name)
