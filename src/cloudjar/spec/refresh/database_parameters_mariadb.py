"""Makes ``spec/data/rds/mariadb10.11.json``: MariaDB's variables as it tells them itself, and what RDS makes of them.

Fed with what the engine, without a configuration, says in JSON to ``select json_arrayagg(json_array(variable_name,
default_value, variable_scope, variable_type, numeric_min_value, numeric_max_value, enum_value_list, read_only,
command_line_argument, variable_comment)) from information_schema.system_variables``:

    python -m cloudjar.spec.refresh.database_parameters_mariadb variables.json .../data/rds/mariadb10.11.json

Formulas and defaults of RDS's own: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/
Appendix.MariaDB.Parameters.html and CHAP_Limits.html
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

SYSTEM = {
    "binlog_format": "MIXED",
    "innodb_buffer_pool_size": "{DBInstanceClassMemory*3/4}",
    "innodb_log_file_size": "134217728",
    "key_buffer_size": "16777216",
    "log_output": "TABLE",
    "max_binlog_size": "134217728",
    "max_connections": "LEAST({DBInstanceClassMemory/25165760},12000)",
    "read_buffer_size": "262144",
    "read_rnd_buffer_size": "524288",
    "sync_binlog": "1",
}
"""What RDS sets where the engine's own default is another."""

BESIDES = ("autocommit", "character_set_server", "collation_server")
"""Variables that a configuration file may hold, though the engine does not say so."""

FORCES_TLS = ("11.8",)
"""Majors whose instances are not entered without TLS unless the group says so."""

OURS = re.compile(
    r"aria_log_dir|back_log$|basedir|bind_address|character_sets_dir|datadir|debug|encrypt|extra_|feedback|gtid_binlog|"
    r"hostname|ignore_db|ignore_builtin|init_file|innodb_(data_|log_group|undo_dir|temp_data|page_size|tmpdir|force_|"
    r"read_only|fast_shutdown|buffer_pool_(filename|dump_now|load_now|load_abort)|disable_|evict|doublewrite$|"
    r"flush_method|use_native|encrypt|checksum|linux_aio)|keep_files|large_page|lc_messages_dir|locked_in|"
    r"log_(bin$|bin_(index|basename)|error|basename|slave|tc_)|lower_case_file|old_mode|pid_file|plugin|port$|profiling|proxy_|"
    r"read_only$|redirect_url|relay_log|replicate_|report_|rpl_|secure_|server_(id|uid)|shared_|skip_(networking|grant|"
    r"show|parallel|replication|name)|slave_|socket|ssl_|sql_log|storage_engine|sync_(frm|master|relay)|system_ver|"
    r"thread_(pool_|handling)|tmpdir|slave_load_tmpdir|user$|version|wsrep|time_zone_dir|binlog_legacy|core_file|"
    r"general_log_file|slow_query_log_file|log_slow_query_file|tls_version$"
)
"""What only the host decides."""

_KINDS = {"BOOLEAN": "boolean", "ENUM": "string", "SET": "list", "FLAGSET": "list", "DOUBLE": "float"}


def rows(variables: list[list[Any]], major: str) -> list[list[Any]]:
    """[name, data type, allowed values, apply type, modifiable, description, RDS's value or ""], by name."""
    made = [_row(*one) for one in variables if _settable(*one)]
    for row in made:
        if row[0] == "require_secure_transport":
            row[6] = "1" if major in FORCES_TLS else "0"
    return sorted(made)


def _settable(name: str, _: Any, scope: str, *rest: Any) -> bool:
    """Whether a configuration file may hold a variable: not those of a session alone, nor what is only told."""
    argument = rest[-2]
    settable = argument is not None or name.lower() in BESIDES
    return scope != "SESSION ONLY" and settable and not name.lower().startswith("wsrep")


def _row(
    name: str, _: Any, __: str, kind: str, least: str | None, most: str | None, values: str | None, read_only: str,
    ___: Any, description: str,
) -> list[Any]:
    name = name.lower()
    allowed = ""
    if kind == "BOOLEAN":
        allowed = "0,1"
    elif values:
        allowed = values
    elif least is not None and most is not None:
        allowed = f"{_number(least)}-{_number(most)}"
    said = _KINDS.get(kind) or ("integer" if "INT" in kind else "string")
    apply = "static" if read_only == "YES" else "dynamic"
    return [name, said, allowed, apply, 0 if OURS.match(name) else 1, description or "", SYSTEM.get(name, "")]


def _number(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


if __name__ == "__main__":
    target = Path(sys.argv[2])
    made = rows(json.loads(Path(sys.argv[1]).read_text()), target.stem.removeprefix("mariadb"))
    target.write_text("[\n" + ",\n".join(json.dumps(row) for row in made) + "\n]\n")
