"""PostgreSQL as a service has it: configuration, who may come in, and the master user, as texts (pure).

The master user is no superuser: a role ``rds_superuser`` has what AWS's has of the engine's own predefined roles, and
``rdsadmin``, whom only the machine's root can be, owns the cluster.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cloudjar.planes.database import replication, tokens
from cloudjar.planes.database.packing import packed
from cloudjar.planes.database.port import Engine

_ROUNDS = 4096
_LINE = "%t:%r:%u@%d:[%p]:"
"""What each line of the log begins with, unless somebody wants it otherwise."""
_OWN = (("pg_monitor", 10), ("pg_signal_backend", 10), ("pg_checkpoint", 15), ("pg_use_reserved_connections", 16))
"""Predefined roles that rds_superuser has, with the right to hand them on, and since which major there are such."""


def scram(password: str, salt: bytes) -> str:
    """What PostgreSQL keeps of a password: a SCRAM-SHA-256 verifier (RFC 5803). `salt` has 16 bytes."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_ROUNDS}:{text[0]}${text[1]}:{text[2]}"


def archive(engine: Engine) -> bytes:
    """What `postgres_scripts.APPLY` reads: a tar of the configuration and of what is said to the engine."""
    files = {
        "conf/postgresql.conf": configuration(engine),
        "conf/pg_hba.conf": admission(engine),
        "conf/pg_ident.conf": "host root rdsadmin\nhost postgres rdsadmin\n",
        "conf/server.crt": engine.certificate,
        "conf/server.key": engine.key,
        "setup.sql": setup(engine),
        **replication.files(engine),
    }
    return packed(files)


def configuration(engine: Engine) -> str:
    """``postgresql.conf``: what the host decides comes last and so wins."""
    decided = {
        "listen_addresses": "*",
        "port": str(engine.port),
        "unix_socket_directories": "/run/postgresql",
        "hba_file": "/database/conf/pg_hba.conf",
        "ident_file": "/database/conf/pg_ident.conf",
        "ssl": "on",
        "ssl_cert_file": "/database/conf/server.crt",
        "ssl_key_file": "/database/conf/server.key",
        "password_encryption": "scram-sha-256",
        "logging_collector": "on",
        "log_destination": "stderr",
        "log_directory": "log",
        "log_filename": "postgresql.log.%Y-%m-%d-%H",
        "log_rotation_age": "60",
        "log_timezone": "UTC",
        "huge_pages": "off",
        **({"default_transaction_read_only": "on"} if engine.read_only else {}),
        **replication.settings(engine),
    }
    lines = [f"log_line_prefix = {quoted(_LINE)}"]
    lines += [f"{name} = {quoted(value)}" for name, value in engine.settings if name not in decided]
    lines += [f"{name} = {quoted(value)}" for name, value in decided.items()]
    return "\n".join(lines) + "\n"


def admission(engine: Engine) -> str:
    """``pg_hba.conf``: the machine's root is rdsadmin, nobody else is; all others come by password."""
    way = "hostssl" if engine.needs_tls else "host"
    if engine.closed:
        followers = replication.admission(engine)
        return f"local all rdsadmin peer map=host\n{followers}host all all all reject\n"
    return (
        "local all rdsadmin peer map=host\n"
        "local all all reject\n"
        + replication.admission(engine)
        + "host all rdsadmin all reject\n"
        "host rdsadmin all all reject\n"
        + replication.REFUSED
        + tokens.admission(engine)
        + f"{way} all all all scram-sha-256\n"
        f"{way} replication all all reject\n"
    )


def setup(engine: Engine) -> str:
    """What is said to the engine at each `apply`, as rdsadmin; said twice, it changes nothing."""
    master = literal(engine.master)
    said = [
        "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET client_min_messages = warning;",
        # Said again whoever takes over: a follower that is gone keeps nobody from being told so.
        "SET synchronous_commit = local;",
        # Whatever sessions of others begin with.
        "SET default_transaction_read_only = off;",
        _role("rds_superuser", "NOLOGIN"),
        *(f"GRANT {role} TO rds_superuser WITH ADMIN OPTION;" for role, since in _OWN if int(engine.major) >= since),
        _role(engine.master, "LOGIN CREATEROLE CREATEDB INHERIT VALID UNTIL 'infinity'"),
        f"GRANT rds_superuser TO {identifier(engine.master)};",
        _role(tokens.ROLE, "NOLOGIN"),
    ]
    if int(engine.major) >= 16:
        said.append(f"GRANT {tokens.ROLE} TO {identifier(engine.master)} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;")
    if engine.verifier:
        said.append(f"ALTER ROLE {identifier(engine.master)} PASSWORD {literal(engine.verifier)};")
    said += replication.setup(engine)
    said.append(_database("rdsadmin", "rdsadmin"))
    said.append(f"ALTER DATABASE postgres OWNER TO {identifier(engine.master)};")
    if engine.database:
        said.append(_database(engine.database, engine.master))
    said.append(f"SELECT 1 FROM pg_roles WHERE rolname = {master};")
    return "\n".join(said) + "\n"


def _role(name: str, options: str) -> str:
    make = f"CREATE ROLE {identifier(name)} {options}"
    return f"SELECT {literal(make)} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(name)}) \\gexec"


def _database(name: str, owner: str) -> str:
    make = f"CREATE DATABASE {identifier(name)} OWNER {identifier(owner)}"
    seen = f"SELECT FROM pg_database WHERE datname = {literal(name)}"
    return f"SELECT {literal(make)} WHERE NOT EXISTS ({seen}) \\gexec"


def literal(text: str) -> str:
    """A string for SQL."""
    if "\0" in text:
        raise ValueError("a string of SQL cannot hold a zero")
    doubled = text.replace("'", "''")
    return f"E'{doubled.replace(chr(92), chr(92) * 2)}'" if "\\" in doubled else f"'{doubled}'"


def identifier(name: str) -> str:
    """A name for SQL, as it is written (never folded)."""
    return '"' + name.replace('"', '""') + '"'


def quoted(value: str) -> str:
    """A value for the configuration file; raises ValueError for one that holds a line break."""
    if any(ord(character) < 32 for character in value):
        raise ValueError("a parameter's value is one line")
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
