"""What engines allow that differ: names of masters and databases, passwords (pure).

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
https://mariadb.com/kb/en/reserved-words/
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cloudjar.services.rds import errors
from cloudjar.spec import databases


class Rules(NamedTuple):
    """Of one engine."""

    longest_master: int
    longest_password: int
    longest_database: int
    reserved: frozenset[str]
    """Names that no master has, in lower case."""
    fronts: tuple[str, ...]
    """How no master's name begins."""
    databases: frozenset[str]
    """Names of databases that are the engine's own, or no names."""


_POSTGRES = frozenset((
    "admin", "rdsadmin", "rds_superuser", "rds_replication", "rds_password", "rds_iam", "rdsrepladmin",
    "rdswriteforwarduser", "rdstopmgr", "rds_reserved", "rds_ad", "pg_monitor", "pg_signal_backend", "all", "analyse",
    "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary", "both", "case", "cast",
    "check", "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog",
    "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "default",
    "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "fetch", "for", "foreign", "freeze",
    "from", "full", "grant", "group", "having", "ilike", "in", "initially", "inner", "intersect", "into", "is",
    "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime", "localtimestamp", "natural", "not",
    "notnull", "null", "offset", "on", "only", "or", "order", "outer", "overlaps", "placing", "primary", "references",
    "returning", "right", "select", "session_user", "similar", "some", "symmetric", "table", "tablesample", "then",
    "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "verbose", "when", "where", "window",
    "with", "public", "none",
))  # fmt: skip
_MARIADB = frozenset((
    "rdsadmin", "rdsrepladmin", "root", "mysql", "rds_superuser_role", "accessible", "add", "all", "alter", "analyze",
    "and", "as", "asc", "asensitive", "before", "between", "bigint", "binary", "blob", "both", "by", "call", "cascade",
    "case", "change", "char", "character", "check", "collate", "column", "condition", "constraint", "continue",
    "convert", "create", "cross", "current_date", "current_role", "current_time", "current_timestamp", "current_user",
    "cursor", "database", "databases", "day_hour", "day_microsecond", "day_minute", "day_second", "dec", "decimal",
    "declare", "default", "delayed", "delete", "desc", "describe", "deterministic", "distinct", "distinctrow", "div",
    "double", "drop", "dual", "each", "else", "elseif", "enclosed", "escaped", "except", "exists", "exit", "explain",
    "false", "fetch", "float", "float4", "float8", "for", "force", "foreign", "from", "fulltext", "general", "grant",
    "group", "having", "high_priority", "hour_microsecond", "hour_minute", "hour_second", "if", "ignore", "in",
    "index", "infile", "inner", "inout", "insensitive", "insert", "int", "int1", "int2", "int3", "int4", "int8",
    "integer", "intersect", "interval", "into", "is", "iterate", "join", "key", "keys", "kill", "leading", "leave",
    "left", "like", "limit", "linear", "lines", "load", "localtime", "localtimestamp", "lock", "long", "longblob",
    "longtext", "loop", "low_priority", "match", "maxvalue", "mediumblob", "mediumint", "mediumtext", "middleint",
    "minute_microsecond", "minute_second", "mod", "modifies", "natural", "not", "no_write_to_binlog", "null",
    "numeric", "offset", "on", "optimize", "option", "optionally", "or", "order", "out", "outer", "outfile", "over",
    "partition", "precision", "primary", "procedure", "purge", "range", "read", "reads", "read_write", "real",
    "recursive", "references", "regexp", "release", "rename", "repeat", "replace", "require", "resignal", "restrict",
    "return", "returning", "revoke", "right", "rlike", "rows", "row_number", "schema", "schemas", "second_microsecond",
    "select", "sensitive", "separator", "set", "show", "signal", "slow", "smallint", "spatial", "specific", "sql",
    "sqlexception", "sqlstate", "sqlwarning", "sql_big_result", "sql_calc_found_rows", "sql_small_result", "ssl",
    "starting", "straight_join", "table", "terminated", "then", "tinyblob", "tinyint", "tinytext", "to", "trailing",
    "trigger", "true", "undo", "union", "unique", "unlock", "unsigned", "update", "usage", "use", "using", "utc_date",
    "utc_time", "utc_timestamp", "values", "varbinary", "varchar", "varcharacter", "varying", "when", "where", "while",
    "window", "with", "write", "xor", "year_month", "zerofill", "public", "none",
))  # fmt: skip
_RULES = {
    "postgres": Rules(
        63, 128, 63, _POSTGRES, ("pg_", "rds_"), _POSTGRES | {"rdsadmin", "template0", "template1"},
    ),
    "mariadb": Rules(
        16, 41, 64, _MARIADB, (),
        (_MARIADB - {"root"}) | {"mysql", "information_schema", "performance_schema", "sys", "innodb"},
    ),
}  # fmt: skip


def of(engine: str) -> Rules:
    """The rules of an engine."""
    return _RULES[databases.kind(engine)]


def master_name(engine: str, given: str | None) -> str:
    """The master user's name."""
    if not given:
        raise errors.missing("MasterUsername")
    rules = of(engine)
    if given.lower() in rules.reserved or given.lower().startswith(rules.fronts):
        raise errors.invalid(f"MasterUsername {given} cannot be used as it is a reserved word used by the engine")
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", given) or len(given) > rules.longest_master:
        raise errors.invalid("The parameter MasterUsername is not a valid identifier.")
    return given


def password(engine: str, given: str | None) -> str:
    """The master user's password."""
    front, longest = "The parameter MasterUserPassword is not a valid password", of(engine).longest_password
    if not given:
        raise errors.missing("MasterUserPassword")
    if len(given) < 8:
        raise errors.invalid(f"{front} because it is shorter than 8 characters.")
    if len(given) > longest:
        raise errors.invalid(f"{front} because it is longer than {longest} characters.")
    if not all(32 < ord(c) < 127 and c not in "/@\"" for c in given):
        raise errors.invalid(f"{front}. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")
    return given


def database_name(engine: str, given: str | None) -> str:
    """The name of a first database; empty: none."""
    if not given:
        return ""
    first = "[a-zA-Z]" if engine == "mariadb" else "[a-zA-Z_]"
    if not re.fullmatch(f"{first}[a-zA-Z0-9_]*", given) or len(given) > of(engine).longest_database:
        raise errors.invalid("DBName must begin with a letter and contain only alphanumeric characters.")
    if given.lower() in of(engine).databases:
        raise errors.invalid(f"DBName {given} cannot be used. It is a reserved word for this engine")
    return given
