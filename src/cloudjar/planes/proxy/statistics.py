"""What HAProxy says of its servers, as the health of targets; pure.

https://docs.haproxy.org/2.6/management.html#9.1
"""

from __future__ import annotations

import csv
import io

from cloudjar.planes.proxy.port import TargetHealth

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
