"""Tables of engines in system containers: the engines' own clients say what there is, and write it down as CSV."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from itertools import groupby
from typing import Any

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.compute.container import ContainerCompute
from cloudjar.planes.database import forms
from cloudjar.planes.database.mariadb import identifier as quoted_name
from cloudjar.planes.database.postgres import identifier, literal
from cloudjar.planes.database.reading import Column, Table
from cloudjar.planes.network import namespaces

_SECONDS = 300
_PSQL = (
    "export PATH=/usr/lib/engine/client:/usr/bin:/bin LANG=C.UTF-8 PGCLIENTENCODING=UTF8\n"
    'exec psql -h /run/postgresql -p "$1" -U rdsadmin -d "$2" -X -q -A -t -v ON_ERROR_STOP=1'
)
_MARIADB = (
    "exec setpriv --reuid=rdsadmin --regid=rdsadmin --init-groups /usr/lib/engine/client/mariadb --no-defaults "
    "-S /run/mysqld/mysqld.sock -u rdsadmin --default-character-set=utf8mb4 --max-allowed-packet=1G -N -B -r --quick"
)
_DATABASES = (
    "SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database "
    "WHERE datallowconn AND NOT datistemplate AND datname <> 'rdsadmin'"
)
_TABLES = r"""SET search_path = '';
SELECT coalesce(json_agg(json_build_array(s.nspname, t.relname, w.parts, w.size, w.may, w.columns)
    ORDER BY s.nspname, t.relname), '[]')
FROM pg_class t JOIN pg_namespace s ON s.oid = t.relnamespace, LATERAL (SELECT
    CASE t.relkind WHEN 'p' THEN (SELECT coalesce(json_agg(relid::text ORDER BY relid::text), '[]')
        FROM pg_partition_tree(t.oid) WHERE isleaf) ELSE json_build_array(t.oid::regclass::text) END AS parts,
    CASE t.relkind WHEN 'p' THEN (SELECT coalesce(sum(pg_table_size(relid)), 0)::bigint
        FROM pg_partition_tree(t.oid)) ELSE pg_table_size(t.oid) END AS size,
    has_table_privilege({master}, t.oid, 'SELECT') AS may,
    (SELECT coalesce(json_agg(json_build_array(c.column_name, c.data_type, coalesce(c.character_maximum_length, 0),
        coalesce(c.numeric_precision, 0), coalesce(c.datetime_precision, 0)) ORDER BY c.ordinal_position), '[]')
        FROM information_schema.columns c WHERE c.table_schema = s.nspname AND c.table_name = t.relname) AS columns
) w
WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND t.relpersistence = 'p'
    AND s.nspname NOT LIKE 'pg\_%' AND s.nspname <> 'information_schema'"""
_COPY = (
    "SET search_path = ''; SET datestyle = ISO; SET intervalstyle = postgres; SET timezone = 'UTC'; "
    "SET bytea_output = hex; SET extra_float_digits = 1; "
    "COPY (SELECT {columns} FROM ONLY {part}) TO STDOUT WITH (FORMAT csv, FORCE_QUOTE *);"
)
_COLUMNS = """SELECT JSON_ARRAY(t.TABLE_SCHEMA, t.TABLE_NAME, COALESCE(t.DATA_LENGTH, 0), c.COLUMN_NAME, c.DATA_TYPE,
    c.COLUMN_TYPE, COALESCE(c.CHARACTER_MAXIMUM_LENGTH, 0), COALESCE(c.NUMERIC_PRECISION, 0),
    COALESCE(c.NUMERIC_SCALE, 0), COALESCE(c.DATETIME_PRECISION, 0))
FROM information_schema.TABLES t JOIN information_schema.COLUMNS c
    ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema',
    'sys', 'innodb', 'tmp') ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME, c.ORDINAL_POSITION;"""


class GuestReading:
    """Implements `ReadingPort` for machines of `compute`."""

    def __init__(self, compute: ContainerCompute) -> None:
        self._compute = compute

    def lacks(self) -> str:
        return ""

    def seclude(self, network: str) -> None:
        namespaces.create(network, guest=True)

    def dissolve(self, network: str) -> None:
        namespaces.delete(network)

    def tables(self, machine: str, kind: str, port: int, master: str) -> list[Table]:
        if kind == "mariadb":
            return mariadb_tables(self._said(machine, _MARIADB, (), _COLUMNS))
        found: list[Table] = []
        listed = self._said(machine, _PSQL, (str(port), "postgres"), _DATABASES)
        for name in msgspec.json.decode(listed, type=list[str]):
            asked = _TABLES.format(master=literal(master))
            found += postgres_tables(name, self._said(machine, _PSQL, (str(port), name), asked))
        return found

    def rows(
        self, machine: str, kind: str, port: int, table: Table, part: str
    ) -> AbstractContextManager[BufferedReader]:
        if kind == "mariadb":
            return self._reading(machine, _MARIADB, (), mariadb_rows(table))
        return self._reading(machine, _PSQL, (str(port), table.database), postgres_rows(table, part))

    def _said(self, machine: str, script: str, arguments: tuple[str, ...], sql: str) -> bytes:
        with self._reading(machine, script, arguments, sql) as said:
            return said.read()

    @contextlib.contextmanager
    def _reading(self, machine: str, script: str, arguments: tuple[str, ...], sql: str) -> Iterator[BufferedReader]:
        argv = ["/bin/sh", "-c", script, "read", *arguments]
        with self._compute.reading(machine, argv, sql.encode(), _SECONDS) as said:
            yield said


def postgres_tables(database: str, said: bytes) -> list[Table]:
    """Tables of a PostgreSQL's database, as `_TABLES` has them said (pure)."""
    try:
        listed = msgspec.json.decode(said, type=list[tuple[str, str, list[str], int, bool, list[Any]]])
    except msgspec.DecodeError as failed:
        raise PlaneError(f"the tables of {database} are not told as they should be: {failed}") from failed
    return [
        Table(
            database=database, schema=schema, name=name, parts=tuple(parts), size=size, readable=may,
            columns=tuple(
                Column(name=one, type=kind, form=forms.of_postgres(kind), length=length, digits=digits,
                       fraction=fraction)
                for one, kind, length, digits, fraction in columns
            ),
        )
        for schema, name, parts, size, may, columns in listed
    ]  # fmt: skip


def postgres_rows(table: Table, part: str) -> str:
    """What has PostgreSQL write a part down. `part` is in its own words already (pure)."""
    return _COPY.format(columns=", ".join(identifier(one.name) for one in table.columns), part=part)


def mariadb_tables(said: bytes) -> list[Table]:
    """Tables of a MariaDB, one line for each column, as `_COLUMNS` has them said (pure)."""
    try:
        lines = [msgspec.json.decode(line, type=list[Any]) for line in said.splitlines() if line.strip()]
    except msgspec.DecodeError as failed:
        raise PlaneError(f"tables are not told as they should be: {failed}") from failed
    return [
        Table(
            database=schema, schema=schema, name=name, parts=(name,), size=size,
            columns=tuple(
                Column(name=one, type=declared, form=forms.of_mariadb(kind, declared, digits, scale), length=length,
                       digits=digits, fraction=fraction)
                for _, _, _, one, kind, declared, length, digits, scale, fraction in rows
            ),
        )
        for (schema, name, size), rows in groupby(lines, key=lambda row: (row[0], row[1], row[2]))
    ]  # fmt: skip


def mariadb_rows(table: Table) -> str:
    """What has MariaDB say a table's rows as lines of CSV (pure)."""
    cells = ", ".join(_cell(one) for one in table.columns)
    whose = f"{quoted_name(table.database)}.{quoted_name(table.name)}"
    return f"SET time_zone = '+00:00'; SELECT CONCAT_WS(',', {cells}) FROM {whose};"


def _cell(column: Column) -> str:
    name = quoted_name(column.name)
    if column.form == forms.BINARY:
        plain = f"HEX({name})"
    elif column.form == forms.STRING:
        plain = f"REPLACE(CONVERT({name} USING utf8mb4), '\"', '\"\"')"
    else:
        plain = f"CAST({name} AS CHAR)"
    # An instant that is none, as MariaDB takes one, is none.
    gone = f"{name} IS NULL OR {name} = 0" if column.form == "timestamp" else f"{name} IS NULL"
    return f"IF({gone}, '', CONCAT('\"', {plain}, '\"'))"
