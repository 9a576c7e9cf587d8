"""Queries of exports: columns of one table.

https://docs.aws.amazon.com/cur/latest/userguide/dataexports-data-query.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from cloudjar.billing.report_columns import PROPERTIES, TABLES
from cloudjar.services.bcm_data_exports import errors

_SELECT = re.compile(r"SELECT (?P<columns>.+?) FROM (?P<table>\w+) ?(?P<rest>[^;]*);?", re.IGNORECASE)
_COLUMN = re.compile(r"(\w+)(?:\s+AS\s+(\w+))?", re.IGNORECASE)


class Query(NamedTuple):
    """`columns` are (name in the table, name in the file); `settings` are the table's, defaults filled in."""

    table: str
    columns: tuple[tuple[str, str], ...]
    settings: dict[str, str]


def query(statement: str, tables: Mapping[str, Mapping[str, str]]) -> Query:
    """A statement and the settings of tables; raises ValidationException."""
    found = _parsed(statement)
    if found is None:
        raise errors.invalid("The query statement must be SELECT columns FROM table.")
    table = found["table"].upper()
    if table not in TABLES:
        raise errors.invalid(f"There is no table {found['table']}.")
    if found["rest"].strip():
        raise errors.invalid("Conditions in the query statement are not supported.")
    columns = []
    for text in found["columns"].split(","):
        one = _COLUMN.fullmatch(text.strip())
        if one is None or one[1] not in TABLES[table]:
            raise errors.invalid(f"There is no column {text.strip()} in {table}.")
        columns.append((one[1], one[2] or one[1]))
    if len({name for _, name in columns}) != len(columns):
        raise errors.invalid("A column is selected twice.")
    others = set(tables) - {table}
    if others:
        raise errors.invalid(f"TableConfigurations has {sorted(others)[0]}, which the query does not select from.")
    return Query(table, tuple(columns), settings(table, tables.get(table) or {}))


def _parsed(statement: str) -> re.Match[str] | None:
    """Spaces are made one each first, so that many of them keep nobody busy."""
    return _SELECT.fullmatch(" ".join(statement.split()))


def table_of(statement: str) -> str:
    """The table that a statement selects from, "*" when it says none."""
    found = _parsed(statement)
    return found["table"].upper() if found is not None else "*"


def settings(table: str, given: Mapping[str, str]) -> dict[str, str]:
    """A table's settings with defaults filled in; raises ValidationException."""
    known = PROPERTIES[table]
    for name, value in given.items():
        if name not in known or value not in known[name]:
            raise errors.invalid(f"{name} of {table} cannot be {value}.")
    return {name: given.get(name, values[0]) for name, values in known.items()}
