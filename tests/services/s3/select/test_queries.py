"""S3 Select's language over rows, without a jar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.s3.select.grammar import parse
from cloudjar.services.s3.select.running import Plan, Table
from cloudjar.services.s3.select.values import MISSING, text_of

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
PEOPLE = [["Ann", "30", "Paris"], ["Bob", "4", "Rome"], ["Cy", "100", ""]]
NAMED = Table(("Name", "Age", "City"))


def ask(query: str, rows: Iterable[Any] = PEOPLE, table: Table | None = NAMED) -> list[list[Any]]:
    plan = Plan(parse(query), table, NOW)
    return [[None if value is MISSING else value for value in row.values] for row in plan.run(rows)]


def one(expression: str) -> Any:
    (row,) = ask(f"SELECT {expression} FROM S3Object s LIMIT 1")
    return row[0]


SELECTED = [
    ("SELECT * FROM S3Object", PEOPLE),
    ("select s.* from s3object s limit 1", PEOPLE[:1]),
    ("SELECT s.name FROM S3Object s WHERE CAST(s.age AS INT) > 20", [["Ann"], ["Cy"]]),
    ("SELECT name FROM S3Object WHERE age > 20", [["Ann"], ["Cy"]]),
    ('SELECT s."Name" FROM S3Object AS s WHERE s."City" = \'Rome\'', [["Bob"]]),
    ("SELECT s._1, s._3 FROM S3Object s LIMIT 2", [["Ann", "Paris"], ["Bob", "Rome"]]),
    ("SELECT _9 FROM S3Object LIMIT 1", [[None]]),
    ("SELECT COUNT(*), SUM(CAST(s.age AS INT)), MIN(s.age), MAX(s.age) FROM S3Object s", [[3, 134, 4, 100]]),
    ("SELECT AVG(CAST(age AS DECIMAL)) FROM S3Object WHERE city <> ''", [[17]]),
    ("SELECT COUNT(*) + 1 FROM S3Object WHERE FALSE", [[1]]),
    ("SELECT name FROM S3Object WHERE name LIKE '_o%'", [["Bob"]]),
    ("SELECT name FROM S3Object WHERE name NOT LIKE '%n%' AND age NOT IN (100, 7)", [["Bob"]]),
    ("SELECT name FROM S3Object WHERE age BETWEEN 4 AND 30 OR city IS NULL", [["Ann"], ["Bob"]]),
    ("SELECT name FROM S3Object WHERE NOT (age = 4 OR age = 30)", [["Cy"]]),
    ("SELECT name FROM S3Object LIMIT 0", []),
    ("SELECT CASE WHEN age < 18 THEN 'child' ELSE 'adult' END x FROM S3Object", [["adult"], ["child"], ["adult"]]),
]


@pytest.mark.parametrize(("query", "expected"), SELECTED)
def test_selected(query: str, expected: list[list[Any]]) -> None:
    assert ask(query) == expected


WORKED_OUT = [
    ("1 + 2 * 3", "7"),
    ("(1 + 2) * 3 % 4", "1"),
    ("7 / 2", "3"),
    ("-7 / 2", "-3"),
    ("7 / 2.0", "3.5"),
    ("'a' || 'b' || 1", "ab1"),
    ("COALESCE(NULL, MISSING, 'x')", "x"),
    ("NULLIF(1, 1)", ""),
    ("CHAR_LENGTH('häh')", "3"),
    ("UPPER('aB') || LOWER('aB')", "ABab"),
    ("SUBSTRING('123456789' FROM 2 FOR 3)", "234"),
    ("SUBSTRING('123456789', 0, 4)", "123"),
    ("SUBSTRING('123456789', -1, 4)", "12"),
    ("SUBSTRING('123456789' FROM 8)", "89"),
    ("TRIM('  x ') || '|'", "x|"),
    ("TRIM(LEADING '0' FROM '00100')", "100"),
    ("TRIM(BOTH 'ab' FROM 'abcba')", "c"),
    ("CAST('12' AS INT) + CAST('1.5' AS DECIMAL)", "13.5"),
    ("CAST('TRUE' AS BOOL)", "true"),
    ("CAST(5 AS STRING) || ''", "5"),
    ("EXTRACT(YEAR FROM CAST('2010-01-01T' AS TIMESTAMP))", "2010"),
    ("EXTRACT(TIMEZONE_HOUR FROM TO_TIMESTAMP('2017-01-01T10:00-08:30'))", "-8"),
    ("EXTRACT(TIMEZONE_MINUTE FROM TO_TIMESTAMP('2017-01-01T10:00-08:30'))", "-30"),
    ("DATE_ADD(year, 5, `2010-01-01T`)", "2015-01-01T00:00:00Z"),
    ("DATE_ADD(month, 1, '2020-01-31T')", "2020-02-29T00:00:00Z"),
    ("DATE_DIFF(month, `2010T`, `2011T`)", "12"),
    ("DATE_DIFF(day, `2010-01-01T23:00Z`, `2010-01-02T01:00Z`)", "0"),
    ("TO_STRING(TO_TIMESTAMP('1969-07-20T20:18Z'), 'MMMM d, y')", "July 20, 1969"),
    ("TO_STRING(TO_TIMESTAMP('1969-07-20T20:18:13Z'), 'MMM dd yyyy, h:m a')", "Jul 20 1969, 8:18 PM"),
    ("TO_STRING(TO_TIMESTAMP('1969-07-20T20:18:00+08:00'), 'y-MM-dd''T''H:m:ssX')", "1969-07-20T20:18:00+08"),
    ("UTCNOW()", "2026-01-15T12:00:00Z"),
    ("CASE s.name WHEN 'Ann' THEN 1 ELSE 2 END", "1"),
    ("NULL = NULL", ""),
    ("TRUE OR NULL", "true"),
    ("FALSE AND NULL", "false"),
    ("MISSING IS MISSING", "true"),
    ("s._9 IS NULL", "true"),
    ("'50%' LIKE '50!%' ESCAPE '!'", "true"),
    ("'5a%' LIKE '50!%' ESCAPE '!'", "false"),
]


@pytest.mark.parametrize(("expression", "expected"), WORKED_OUT)
def test_worked_out(expression: str, expected: str) -> None:
    assert text_of(one(expression)) == expected


REFUSED = [
    ("SELECT", "ParseUnexpectedTerm"),
    ("SELECT FROM S3Object", "ParseEmptySelect"),
    ("SELECT *", "ParseSelectMissingFrom"),
    ("SELECT *, name FROM S3Object", "ParseAsteriskIsNotAloneInSelectList"),
    ("SELECT * FROM other", "InvalidDataSource"),
    ("SELECT * FROM S3Object WHERE a = #", "LexerInvalidChar"),
    ("SELECT * FROM S3Object ORDER BY a", "UnsupportedSyntax"),
    ("SELECT * FROM S3Object LIMIT x", "ParseExpectedNumber"),
    ("SELECT SUM(*) FROM S3Object", "ParseUnsupportedCallWithStar"),
    ("SELECT SOUNDEX(name) FROM S3Object", "UnsupportedFunction"),
    ("SELECT CAST(name AS blob) FROM S3Object", "ParseExpectedTypeName"),
    ("SELECT CAST(name AS INT) FROM S3Object", "CastFailed"),
    ("SELECT LOWER(name, name) FROM S3Object", "EvaluatorInvalidArguments"),
    ("SELECT nobody FROM S3Object", "MissingHeaders"),
    ("SELECT _0 FROM S3Object", "InvalidColumnIndex"),
    ("SELECT 1/0 FROM S3Object", "EvaluatorInvalidArguments"),
    ("SELECT name, COUNT(*) FROM S3Object", "UnsupportedSqlStructure"),
    ("SELECT name FROM S3Object WHERE COUNT(*) > 1", "UnsupportedSqlStructure"),
    ("SELECT name FROM S3Object WHERE 'a' LIKE 'a' ESCAPE 'xy'", "LikeInvalidInputs"),
    ("SELECT " + "(" * 5000 + "1" + ")" * 5000 + " FROM S3Object", "UnsupportedSqlStructure"),
    ("SELECT 1" + "+1" * 5000 + " FROM S3Object", "UnsupportedSqlStructure"),
    ("SELECT " + "x" * (257 << 10) + " FROM S3Object", "ExpressionTooLong"),
]


@pytest.mark.parametrize(("query", "code"), REFUSED, ids=[code + str(i) for i, (_, code) in enumerate(REFUSED)])
def test_refused(query: str, code: str) -> None:
    with pytest.raises(AwsError) as caught:
        ask(query)
    assert caught.value.code == code


TREE = {
    "Rules": [
        {"id": "1", "n": 1, "tags": {"a": ["x", "y"]}},
        {"id": "2", "expr": None},
    ]
}


def test_paths_into_json() -> None:
    assert ask("SELECT r.id FROM S3Object[*].Rules[*] r", [TREE], None) == [["1"], ["2"]]
    assert ask("SELECT id FROM S3Object[*].Rules[*].id", [TREE], None) == [[None], [None]]
    assert ask("SELECT r.tags.a[1] FROM S3Object[*].rules[*] r WHERE r.n = 1", [TREE], None) == [["y"]]
    assert ask("SELECT s.Rules[0].id FROM S3Object s", [TREE], None) == [["1"]]
    assert ask("SELECT r.id FROM S3Object[*].Rules[*] r WHERE r.expr IS MISSING", [TREE], None) == [["1"]]
    assert ask("SELECT r.id FROM S3Object[*].Rules[*] r WHERE r.expr IS NULL", [TREE], None) == [["1"], ["2"]]


def test_thousands_of_alternatives() -> None:
    tests = " OR ".join(f"age = {number}" for number in range(1000, 6000))
    assert ask(f"SELECT name FROM S3Object WHERE {tests} OR age = 4") == [["Bob"]]


def test_a_pattern_that_would_try_for_ever_does_not() -> None:
    pattern = "%a" * 60 + "b"
    assert ask(f"SELECT name FROM S3Object WHERE name LIKE '{pattern}'", [["a" * 5000]], Table(("name",))) == []

