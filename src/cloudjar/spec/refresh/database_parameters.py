"""Makes ``spec/data/rds/postgres15.json`` and its like: the engine's parameters as it tells them itself, and what RDS
makes of them.

Fed with what the engine says to ``select json_agg(json_build_array(name, setting, unit, vartype, min_val, max_val,
enumvals, context, short_desc, boot_val) order by name) from pg_settings``:

    python -m cloudjar.spec.refresh.database_parameters settings.json src/cloudjar/spec/data/rds/postgres15.json

Defaults and formulas of RDS's own: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/
Appendix.PostgreSQL.CommonDBATasks.Parameters.html
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

SYSTEM = {
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_max_workers": "GREATEST({DBInstanceClassMemory/64371566592},3)",
    "autovacuum_vacuum_scale_factor": "0.1",
    "effective_cache_size": "{DBInstanceClassMemory/16384}",
    "idle_in_transaction_session_timeout": "86400000",
    "maintenance_work_mem": "GREATEST({DBInstanceClassMemory*1024/63963136},65536)",
    "max_connections": "LEAST({DBInstanceClassMemory/9531392},5000)",
    "shared_buffers": "{DBInstanceClassMemory/32768}",
    "shared_preload_libraries": "pg_stat_statements",
    "tcp_keepalives_count": "2",
    "tcp_keepalives_idle": "300",
    "tcp_keepalives_interval": "30",
}
"""What RDS sets where the engine's own default is another."""

OURS = re.compile(
    r"archive_|allow_|backtrace_|bonjour|cluster_name|config_file|data_|debug_|dynamic_library|event_source|external_pid|"
    r"fsync$|full_page_writes|gss_|hba_file|huge_page|ident_file|ignore_|jit_provider|krb_|listen_|local_preload|"
    r"log_(destination|directory|file|rotation|truncate)|logging_|port$|primary_|promote_|recovery_|remove_temp|"
    r"restore_|session_preload|shared_memory_type|ssl(_|$)|stats_temp|syslog|unix_|update_process|wal_(consistency|level|"
    r"sync|init_zero|recycle)|zero_|hot_standby$|synchronized_standby|dynamic_shared|min_dynamic|in_place|max_files|"
    r"event_triggers|exit_on|restart_after|data_sync|lo_compat|transform_null|trace_|ps_display|send_abort|"
    r"extension_(destdir|control)|oauth_|output_plugin|password_encryption|jit_(debug|dump|prof)|p(re|ost)_auth|transaction_|db_user_|"
    r"synchronous_standby|auto_explain\\."
)
"""What only the host decides."""

LIBRARIES = "auto_explain,pg_prewarm,pg_stat_statements"
_TYPES = {"bool": "boolean", "integer": "integer", "real": "float", "string": "string", "enum": "string"}


def rows(settings: list[list[Any]], major: str) -> list[list[Any]]:
    """[name, data type, allowed values, apply type, modifiable, description, RDS's value or ""], by name."""
    made = [_row(*setting) for setting in settings if setting[7] != "internal"]
    forced = "1" if int(major) >= 15 else "0"
    made.append(["rds.force_ssl", "boolean", "0,1", "dynamic", 1, "Force SSL connections.", forced])
    return sorted(made)


def _row(
    name: str, _: str, unit: str | None, kind: str, least: str | None, most: str | None, values: list[str] | None,
    context: str, description: str, __: str | None,
) -> list[Any]:
    allowed = ""
    if kind == "bool":
        allowed = "0,1"
    elif values:
        allowed = ",".join(values)
    elif least is not None and most is not None:
        allowed = f"{least}-{most}"
    elif name == "shared_preload_libraries":
        allowed = LIBRARIES
    said = f"({unit}) {description}" if unit else description
    modifiable = 0 if OURS.match(name) else 1
    if name == "shared_preload_libraries":
        return [name, "list", allowed, "static", 1, said, SYSTEM[name]]
    apply = "static" if context == "postmaster" else "dynamic"
    return [name, _TYPES[kind], allowed, apply, modifiable, said, SYSTEM.get(name, "")]


if __name__ == "__main__":
    target = Path(sys.argv[2])
    made = rows(json.loads(Path(sys.argv[1]).read_text()), target.stem.removeprefix("postgres"))
    target.write_text("[\n" + ",\n".join(json.dumps(row) for row in made) + "\n]\n")
