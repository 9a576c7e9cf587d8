"""One entry of an access log. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html#access-log-entry-format
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cloudjar.planes.proxy.port import Request


class Front(NamedTuple):
    """A listener as a log knows it: its certificate's ARN ("" for none, or several), and by rule, as the node has them,
    priority (0: the default) and what the rule does."""

    certificate: str
    rules: Sequence[tuple[int, str]]


def entry(name: str, request: Request, fronts: Mapping[int, Front], groups: Mapping[str, str], shift: float) -> str:
    """The line of a request. `name` is ``app/NAME/ID``, `groups` are ARNs by the node's names of target groups, `shift`
    seconds that AWS time is ahead of the host's."""
    front = fronts.get(request.listener, Front("", ()))
    priority, action = front.rules[request.rule] if 0 <= request.rule < len(front.rules) else (-1, "")
    total = max(request.waited, 0) + max(request.answered, 0) + max(request.sent, 0)
    secure = request.protocol not in ("", "-")
    status = str(request.status) if request.target and request.answered >= 0 else "-"
    kind = "h2" if secure and request.line.endswith("HTTP/2.0") else "https" if secure else "http"
    fields = (
        kind, _stamp(request.begun + shift + total), name, request.client, request.target or "-",
        _seconds(request.waited), _seconds(request.answered), _seconds(request.sent), str(request.status), status,
        str(request.received), str(request.given), _quoted(request.line or "- - -"), _quoted(request.agent),
        request.cipher if secure else "-", request.protocol if secure else "-",
        groups.get(request.group, "-") if action == "forward" else "-", _quoted(request.trace),
        _quoted(request.host.partition(":")[0] if secure else ""), _quoted(front.certificate if secure else ""),
        str(priority) if priority >= 0 else "-", _stamp(request.begun + shift), _quoted(action), '"-"', '"-"',
        _quoted(request.target), _quoted("" if status == "-" else status), '"-"', '"-"',
        f"TID_{request.connection}" if request.connection else "-",
    )  # fmt: skip
    return " ".join(fields)


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _seconds(value: float) -> str:
    return "-1" if value < 0 else f"{value:.3f}"


def _quoted(text: str) -> str:
    clean = "".join(c if c.isprintable() and c not in '"\\' else f"\\x{ord(c):02X}" for c in text)
    return f'"{clean or "-"}"'
