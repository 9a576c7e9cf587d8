"""What HAProxy says of its servers and of what it has counted; pure.

https://docs.haproxy.org/2.6/management.html#9.1
"""

from __future__ import annotations

import csv
import io

from cloudjar.planes.proxy.port import Counted, TargetHealth

STATE_FIELDS = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
    "srv_agent_addr srv_agent_port"
)


def health(text: str) -> dict[tuple[str, str], TargetHealth]:
    """(target group, target) to its health, of the answer to ``show stat``: of what probes by itself."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
    return {
        (row["pxname"], row["svname"]): _health(row)
        for row in rows
        if row["svname"] not in ("FRONTEND", "BACKEND") and row["status"] != "no check" and "." not in row["pxname"]
    }


def _health(row: dict[str, str]) -> TargetHealth:
    if row["status"].startswith("UP"):
        return TargetHealth(state="healthy")
    result = row["check_status"].removeprefix("* ")
    if result in ("", "INI", "UNK", "SOCKERR"):
        return TargetHealth(state="initial")
    if result.endswith("TOUT"):
        return TargetHealth(state="unhealthy", why="timeout")
    if result in ("L7STS", "L7RSP") and row["check_code"].isdigit():
        return TargetHealth(state="unhealthy", why="code", code=int(row["check_code"]))
    if result.endswith("OK"):  # probes pass, not often enough yet
        return TargetHealth(state="initial")
    return TargetHealth(state="unhealthy", why="refused")


_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


def counted(info: str, stat: str) -> Counted:
    """What a proxy has counted, of its answers to ``show info`` and ``show stat``.

    A group's backend and its ``.open`` twin (for when too few targets are well) are one group.
    """
    facts = dict(line.partition(": ")[::2] for line in info.splitlines())
    rows = list(csv.DictReader(io.StringIO(stat.strip().removeprefix("# "))))
    sides = [row for row in rows if row["svname"] == "FRONTEND"]
    amounts = {"connections": _sum(sides, "conn_tot"), "bytes": _sum(sides, "bin") + _sum(sides, "bout")}
    amounts |= {kind: _sum(sides, f"hrsp_{kind}") for kind in _CLASSES}
    servers = [row for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")]
    means: dict[str, int] = {}
    for group in sorted({row["pxname"].partition(".")[0] for row in servers}):
        of = [row for row in servers if row["pxname"].partition(".")[0] == group]
        whole = [row for row in rows if row["svname"] == "BACKEND" and row["pxname"].partition(".")[0] == group]
        amounts |= {f"requests {group}": _sum(whole, "req_tot"), f"connections {group}": _sum(of, "connect"),
                    f"errors {group}": _sum(of, "econ")}  # fmt: skip
        amounts |= {f"{kind} {group}": _sum(of, f"hrsp_{kind}") for kind in _CLASSES}
        busiest = max(whole, key=lambda row: _number(row["req_tot"]))
        means[group] = _number(busiest["rtime"])
    active = _sum(sides, "scur") + _sum(servers, "scur")
    return Counted(born=f"{facts.get('Pid', '')}-{facts.get('Start_time_sec', '')}", amounts=amounts, means=means,
                   active=active)  # fmt: skip


def _sum(rows: list[dict[str, str]], field: str) -> int:
    return sum(_number(row[field]) for row in rows)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
