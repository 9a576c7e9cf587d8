"""MariaDB as a service has it: configuration and the master user, as texts (pure).

The master user has what AWS's has; ``rdsadmin``, whom only the machine's root can be, has everything.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html
"""

from __future__ import annotations

import hashlib
import re

from cloudjar.planes.database import mariadb_replication
from cloudjar.planes.database.packing import packed
from cloudjar.planes.database.port import Engine

_PRIVILEGES = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "RELOAD", "PROCESS", "REFERENCES", "INDEX", "ALTER",
    "SHOW DATABASES", "CREATE TEMPORARY TABLES", "LOCK TABLES", "EXECUTE", "REPLICATION SLAVE", "REPLICATION CLIENT",
    "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "CREATE USER", "EVENT", "TRIGGER",
)  # fmt: skip

_ALONE, _FOR_ALL = "SET SESSION sql_log_bin = 0;", "SET SESSION sql_log_bin = 1;"
"""Whether engines that follow are told of what is said next."""
LOGS = "/database/log"
"""Where the engine's logs are, by kind."""
AUDIT_LOG = f"{LOGS}/audit/server_audit.log"
"""What the audit plugin writes."""


def native(password: str, _: bytes) -> str:
    """What MariaDB keeps of a password for ``mysql_native_password``: no salt is in it."""
    once = hashlib.sha1(password.encode()).digest()  # the engine's own form, which clients expect
    return "*" + hashlib.sha1(once).hexdigest().upper()  # likewise


def archive(engine: Engine) -> bytes:
    """What `mariadb_scripts.APPLY` reads: a tar of the configuration and of what is said to the engine."""
    return packed(
        {
            "conf/my.cnf": configuration(engine),
            "conf/server.crt": engine.certificate,
            "conf/server.key": engine.key,
            "conf/paired": mariadb_replication.paired(engine),
            "setup.sql": setup(engine),
            "live.sql": live(engine),
            "peers.sql": mariadb_replication.peers(engine),
            "last.sql": mariadb_replication.last(engine),
            **(mariadb_replication.files(engine) if engine.source is not None else {}),
        }
    )


def _decided(engine: Engine) -> dict[str, str]:
    """What the host alone decides."""
    return {
        "bind_address": "*",
        "datadir": "/database/data",
        "general_log_file": f"{LOGS}/general/mysql-general.log",
        "log_error": f"{LOGS}/error/mysql-error-running.log",
        "pid_file": "/run/mysqld/mysqld.pid",
        "plugin_dir": "/usr/lib/mysql/plugin",
        "port": str(engine.port),
        "require_secure_transport": "ON" if engine.needs_tls else "OFF",
        "skip_name_resolve": "ON",
        "slow_query_log_file": f"{LOGS}/slowquery/mysql-slowquery.log",
        "socket": "/run/mysqld/mysqld.sock",
        "ssl_cert": "/database/conf/server.crt",
        "ssl_key": "/database/conf/server.key",
        **mariadb_replication.settings(engine),
    }


def configuration(engine: Engine) -> str:
    """``my.cnf``: what the host decides comes last and so wins."""
    decided = _decided(engine)
    lines = ["[mariadbd]"]
    # An engine that does not know a setting of a later minor starts all the same.
    lines += [f"loose_{name} = {quoted(value)}" for name, value in engine.settings if name not in decided]
    lines += [f"loose_{name} = {quoted(value)}" for name, value in _audit(engine)]
    lines += [f"{name} = {quoted(value)}" for name, value in decided.items()]
    return "\n".join(lines) + "\n"


def _audit(engine: Engine) -> tuple[tuple[str, str], ...]:
    """What the audit plugin is told; where it writes is the host's to say, and what the host does is none of it."""
    if not engine.audit:
        return ()
    told = dict(engine.audit)
    spared = [name for name in (told.get("server_audit_excl_users"), "rdsadmin") if name]
    told |= {"server_audit_file_path": AUDIT_LOG, "server_audit_excl_users": ",".join(spared)}
    told.setdefault("server_audit_incl_users", "")
    if told["server_audit_incl_users"]:
        told["server_audit_excl_users"] = ""  # the plugin knows one of the two lists
    logging = told.pop("server_audit_logging", "ON")
    return (*sorted(told.items()), ("server_audit_logging", logging))


def live(engine: Engine) -> str:
    """Settings as they are said to an engine that runs; it refuses those that it takes only when it starts."""
    decided = _decided(engine)
    said = [(name, value) for name, value in engine.settings if name not in decided]
    said.append(("require_secure_transport", decided["require_secure_transport"]))
    plain = [(name, value) for name, value in said if re.fullmatch(r"[a-z0-9_]+", name)]
    lines = (f"SET GLOBAL {name} = {_value(value)};\n" for name, value in plain)
    return mariadb_replication.first(engine) + "".join(lines)


def setup(engine: Engine) -> str:
    """What is said to the engine at each `apply`, as rdsadmin; said twice, it changes nothing."""
    master = f"{literal(engine.master)}@'%'"
    said = [
        _ALONE,
        "DROP USER IF EXISTS 'root'@'localhost';",
        "DROP USER IF EXISTS 'mysql'@'localhost';",
        f"CREATE USER IF NOT EXISTS {master} IDENTIFIED VIA mysql_native_password USING 'invalid';",
    ]
    if engine.verifier:
        # Who follows has what the engine had when its data were copied, and this since.
        said.append(_FOR_ALL)
        said.append(f"ALTER USER {master} IDENTIFIED VIA mysql_native_password USING {literal(engine.verifier)};")
        said.append(_ALONE)
    privileges = _PRIVILEGES if engine.major.startswith("10.") else (*_PRIVILEGES, "SHOW CREATE ROUTINE")
    said.append(f"GRANT {', '.join(privileges)} ON *.* TO {master} WITH GRANT OPTION;")
    if engine.database:
        make = f"CREATE DATABASE {identifier(engine.database)}"
        seen = f"SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {literal(engine.database)}"
        said.append(f"SET @there = ({seen});")
        said.append(_FOR_ALL)
        said.append(f"EXECUTE IMMEDIATE IF(@there = 0, {literal(make)}, 'DO 0');")
        said.append(_ALONE)
    if engine.audit:
        said.append("INSTALL PLUGIN IF NOT EXISTS server_audit SONAME 'server_audit';")
        said += [f"SET GLOBAL {name} = {_value(value)};" for name, value in _audit(engine)]
    else:
        said.append("UNINSTALL PLUGIN IF EXISTS server_audit;")
    said.append("FLUSH SSL;")  # a certificate may be another one
    return "\n".join(said) + "\n"


def literal(text: str) -> str:
    """A string for SQL."""
    if "\0" in text:
        raise ValueError("a string of SQL cannot hold a zero")
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name for SQL."""
    return "`" + name.replace("`", "``") + "`"


def quoted(value: str) -> str:
    """A value for the configuration file; raises ValueError for one that holds a line break."""
    if any(ord(character) < 32 for character in value):
        raise ValueError("a parameter's value is one line")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _value(value: str) -> str:
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?|ON|OFF", value):
        return value
    return literal(value)
