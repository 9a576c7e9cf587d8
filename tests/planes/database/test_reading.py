"""What engines say of their tables, and what is said to them to have tables written down."""

from __future__ import annotations

import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.database import forms, guest_reading
from cloudjar.planes.database.reading import Column, Table


@pytest.mark.parametrize(
    ("kind", "form"),
    [("bigint", "int64"), ("smallint", "int16"), ("real", "float"), ("bytea", "binary"), ("numeric", "string"),
     ("timestamp with time zone", "string"), ("ARRAY", "string"), ("USER-DEFINED", "string")],
)  # fmt: skip
def test_types_of_postgresql_become_what_aws_says(kind: str, form: str) -> None:
    assert forms.of_postgres(kind) == form


@pytest.mark.parametrize(
    ("kind", "declared", "digits", "scale", "form"),
    [("bigint", "bigint(20)", 19, 0, "int64"), ("bigint", "bigint(20) unsigned", 20, 0, "decimal(20,0)"),
     ("int", "int(10) unsigned", 10, 0, "int64"), ("smallint", "smallint(5) unsigned", 5, 0, "int32"),
     ("decimal", "decimal(38,2)", 38, 2, "decimal(38,2)"), ("decimal", "decimal(39,2)", 39, 2, "string"),
     ("float", "float", 12, 0, "double"), ("datetime", "datetime", 0, 0, "timestamp"), ("date", "date", 0, 0, "string"),
     ("year", "year(4)", 0, 0, "int32"), ("bit", "bit(1)", 1, 0, "binary"), ("enum", "enum('a')", 0, 0, "string")],
)  # fmt: skip
def test_types_of_mariadb_become_what_aws_says(kind: str, declared: str, digits: int, scale: int, form: str) -> None:
    assert forms.of_mariadb(kind, declared, digits, scale) == form


def test_tables_of_postgresql_are_read_by_their_own_names() -> None:
    said = b"""[["public", "o'dd", ["public.\\"o'dd\\""], 8192, true, [["n", "integer", 0, 32, 0]]]]"""
    (table,) = guest_reading.postgres_tables("store", said)
    assert (table.database, table.schema, table.name, table.size) == ("store", "public", "o'dd", 8192)
    assert table.columns == (Column(name="n", type="integer", form="int32", digits=32),)
    assert guest_reading.postgres_rows(table, table.parts[0]).endswith(
        """COPY (SELECT "n" FROM ONLY public."o'dd") TO STDOUT WITH (FORMAT csv, FORCE_QUOTE *);"""
    )
    with pytest.raises(PlaneError, match="store"):
        guest_reading.postgres_tables("store", b"no list")


def test_tables_of_mariadb_are_gathered_of_their_columns() -> None:
    said = (b'["store","one",16384,"id","bigint","bigint(20)",0,19,0,0]\n'
            b'["store","one",16384,"raw","blob","blob",65535,0,0,0]\n'
            b'["store","two",1,"at","datetime","datetime(6)",0,0,0,6]\n')  # fmt: skip
    one, two = guest_reading.mariadb_tables(said)
    assert [column.form for column in one.columns] == ["int64", "binary"]
    assert (one.database, one.schema, one.parts) == ("store", "store", ("one",))
    assert guest_reading.mariadb_rows(one).endswith(
        "SELECT CONCAT_WS(',', IF(`id` IS NULL, '', CONCAT('\"', CAST(`id` AS CHAR), '\"')), "
        "IF(`raw` IS NULL, '', CONCAT('\"', HEX(`raw`), '\"'))) FROM `store`.`one`;"
    )
    assert "IF(`at` IS NULL OR `at` = 0, ''" in guest_reading.mariadb_rows(two)
    assert two.columns[0].fraction == 6


def test_text_of_mariadb_is_quoted_as_csv_is() -> None:
    table = Table(database="a`b", schema="a`b", name="t", parts=("t",), size=0,
                  columns=(Column(name="c", type="text", form="string"),))  # fmt: skip
    assert guest_reading.mariadb_rows(table).endswith(
        "IF(`c` IS NULL, '', CONCAT('\"', REPLACE(CONVERT(`c` USING utf8mb4), '\"', '\"\"'), '\"'))) FROM `a``b`.`t`;"
    )
