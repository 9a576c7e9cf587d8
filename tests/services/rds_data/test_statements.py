"""Statements and values on their way in and out: pure."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.planes.database import postgres, postgres_wire
from cloudjar.planes.database.postgres_wire import Column, Value
from cloudjar.services.rds_data import naming, values


@pytest.mark.parametrize(
    ("sql", "said", "names"),
    [
        ("SELECT 1", "SELECT 1", []),
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1", ["a", "b"]),
        ("SELECT :a::text", "SELECT $1::text", ["a"]),
        ("SELECT ':a' || \":a\" || :a", "SELECT ':a' || \":a\" || $1", ["a"]),
        ("SELECT 'it''s :a', :b", "SELECT 'it''s :a', $1", ["b"]),
        (r"SELECT E'\':a', :b", r"SELECT E'\':a', $1", ["b"]),
        (r"SELECT '\', :b", r"SELECT '\', $1", ["b"]),
        ("SELECT $x$ :a $x$, :b -- :c\n, :d", "SELECT $x$ :a $x$, $1 -- :c\n, $2", ["b", "d"]),
        ("SELECT /* :a /* :b */ :c */ :d", "SELECT /* :a /* :b */ :c */ $1", ["d"]),
        ("SELECT 1 /* :a", "SELECT 1 /* :a", []),
        ("SELECT $x$ :a $y$ :b", "SELECT $x$ :a $y$ :b", []),
        ("SELECT a$b$, :c, $$ :d $$, :e", "SELECT a$b$, $1, $$ :d $$, $2", ["c", "e"]),
        ("SELECT x[1:2], :_a1", "SELECT x[1:2], $1", ["_a1"]),
    ],
)
def test_names_become_numbers(sql: str, said: str, names: list[str]) -> None:
    assert naming.numbered(sql) == (said, names)


def test_parameters_have_types() -> None:
    asked: list[dict[str, Any]] = [
        {"name": "n", "value": {"longValue": 5}},
        {"name": "t", "value": {"stringValue": "x"}},
        {"name": "d", "value": {"stringValue": "2026-01-02"}, "typeHint": "DATE"},
        {"name": "z", "value": {"isNull": True}},
        {"name": "b", "value": {"blobValue": b"\x01"}},
    ]
    assert values.given(asked, ["d", "n", "t", "z", "b"]) == [
        Value("2026-01-02", 1082), Value("5", 20), Value("x", 1043), Value(None), Value("\\x01", 17),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ({"value": {"stringValue": "x"}}, "Cannot find parameter: a"),
        ({"name": "a", "value": {"arrayValue": {"longValues": [1]}}}, "Array parameters are not supported."),
        ({"name": "a", "value": {"stringValue": "noon"}, "typeHint": "TIME"}, "is not of the type TIME"),
        ({"name": "a", "value": {"stringValue": "{"}, "typeHint": "JSON"}, "is not of the type JSON"),
        ({"name": "a", "value": {"longValue": 1}, "typeHint": "DATE"}, "needs a stringValue"),
        ({"name": "a", "value": {}}, "is not set"),
    ],
)
def test_what_cannot_be_a_parameter(parameter: dict[str, Any], words: str) -> None:
    with pytest.raises(AwsError) as refused:
        values.given([parameter], ["a"])
    assert refused.value.code == "BadRequestException"
    assert words in refused.value.message


def test_arrays_are_read_as_the_engine_writes_them() -> None:
    assert values.elements("{}") == []
    assert values.elements('{1,NULL,"NULL","a,\\"b\\\\"}') == ["1", None, "NULL", 'a,"b\\']
    with pytest.raises(AwsError) as refused:
        values.elements("{{1},{2}}")
    assert refused.value.code == "UnsupportedResultException"


def test_numbers_that_are_none_are_told_as_text() -> None:
    column = Column(name="x", table=0, number=0, type=701, modifier=-1)
    assert values.Told(None).field(column, "NaN") == {"stringValue": "NaN"}
    assert values.Told(None).field(column, "1e300") == {"doubleValue": 1e300}


def test_a_password_is_proved_to_who_knows_it() -> None:
    """The exchange of RFC 7677."""
    scram = postgres_wire.Scram("pencil", "rOprNGfwEbeRWgbNEkqO", "user")
    final = scram.answered(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    assert final.endswith(b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    scram.proved(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    with pytest.raises(PlaneError):
        scram.proved(b"v=AAAA")
    assert postgres.scram("pencil", b"x" * 16).startswith("SCRAM-SHA-256$4096:")
