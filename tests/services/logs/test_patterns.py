"""Filter patterns: which events they match, what they take out of them, and which texts are none."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.logs.patterns.filter import compiled
from tests.jar import TestJar
from tests.services.ec2.asking import code

ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
EVENT = (
    '{"eventType": "UpdateTrail", "code": 404, "ratio": 1.5e-3, "ok": true, "none": null, "no": false, "text": "404",'
    '"user": {"id": 7, "name": "Ann", "a.b": "x"}, "list": ["v", {"id": 3}], "empty": {}}'
)


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        (" ", "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "Exiting with ERRORCODE: -1", True),
        ("ERROR", "error", False),
        ("ERROR Exception", "[ERROR] Caught IllegalArgumentException", True),
        ("ERROR Exception", "[ERROR] fine", False),
        ("?ERROR ?WARN", "a WARN", True),
        ("?ERROR ?WARN", "a DEBUG", False),
        ("ERROR -EXIT", "ERROR EXIT", False),
        ("ERROR -EXIT", "ERROR", True),
        ('"Failed to"', "Failed to do", True),
        ('"Failed to"', "to Failed", False),
        (r'"a \"b\""', 'a "b"', True),
        ("%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", True),
        (r"%^\d{3} [45]x%", "200 5x", True),
        (r"%^\d{3}$%", "2000", False),
        ("%a|b% -c", "b", True),
    ],
)
def test_terms(pattern: str, message: str, matches: bool) -> None:
    assert (compiled(pattern).match(message) is not None) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{$.eventType="Update*"}', True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ('{ $.eventType = "updatetrail" }', False),
        ("{ $.code = 404 }", True),
        ("{ $.code = 4.04e2 }", True),
        ("{ $.code = 4* }", True),
        ("{ $.code >= 400 && $.code < 500 }", True),
        ("{ $.code > 404 || $.user.id <= 7 }", True),
        ("{ ($.code = 1 || $.code = 404) && ($.user.name = A*) }", True),
        ('{ $.code = "404" }', False),
        ("{ $.text = 404 }", True),
        ("{ $.text > 1 }", False),
        ("{ $.ratio = 0.0015 }", True),
        ("{ $.ok IS TRUE }", True),
        ("{ $.no IS FALSE }", True),
        ("{ $.ok IS FALSE }", False),
        ("{ $.none IS NULL }", True),
        ("{ $.code IS NULL }", False),
        ("{ $.missing IS NULL }", False),
        ("{ $.missing NOT EXISTS }", True),
        ("{ $.none NOT EXISTS }", False),
        ("{ $.missing != 1 }", False),
        ('{ $.list[0] = "v" }', True),
        ("{ $.list[1].id = 3 }", True),
        ("{ $.list[*].id = 3 }", True),
        ("{ $.list[9] = 3 }", False),
        ("{ $.user['a.b'] = \"x\" }", True),
        ("{ $.user.* = 7 }", True),
        ("{ $.user = * }", True),
        ("{ $.eventType = %^Up.*il$% }", True),
        ("{ $.eventType = %^up% }", False),
    ],
)
def test_json(pattern: str, matches: bool) -> None:
    assert (compiled(pattern).match(EVENT) is not None) is matches
    for other in ("", "no JSON", "[1]", "{", '"x"'):
        assert compiled(pattern).match(other) is None


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("[ip, id, user, time, request, status, bytes]", True),
        ("[ip, id, user, time, request, status]", False),
        ("[ip, ..., bytes]", True),
        ("[..., size > 1000]", True),
        ("[..., size > 1e4]", False),
        ("[ip, id, user, time, request = *html*, status = 4*, bytes]", True),
        ("[ip, id, user, time, request, status = 4* && status != 404, bytes]", False),
        ("[ip, id, user, time, request, status = 403 || status = 404.0, bytes]", True),
        ('[ip != "127.0.0.1", ...]', False),
        ("[ip = %^127%, ...]", True),
        ("[ip, ..., status = 404, bytes]", True),
        ("[...]", True),
    ],
)
def test_fields(pattern: str, matches: bool) -> None:
    assert (compiled(pattern).match(ACCESS) is not None) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        '"open', "%open", "a:b", "{ $.a }", "{ $.a = }", "{ a = 1 }", "{ $.a = 1 ", "{ $ = 1 }", "{}", "[", "[a", "[]",
        "[a =]", "[a, ..., b, ...]", "[a = 1 && b = 2]", "%(a)%", "%a!%", "%[%", "{ $.a = 1 } x", "-", "?",
        "{" + "(" * 200 + "$.a = 1" + ")" * 200 + "}", "[" + "(" * 400 + "a = 1" + ")" * 400 + "]",
    ],
)  # fmt: skip
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(AwsError, match="Invalid filter pattern"):
        compiled(pattern)


def test_a_pattern_is_tried(steady_jar: TestJar) -> None:
    logs = steady_jar.client("logs")

    def tried(pattern: str, *messages: str) -> Any:
        return logs.test_metric_filter(filterPattern=pattern, logEventMessages=list(messages))["matches"]

    [found] = tried("[..., request, status_code, size]", "x", ACCESS)
    assert (found["eventNumber"], found["extractedValues"]) == (2, {
        "$1": "127.0.0.1", "$2": "-", "$3": "frank", "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0", "$status_code": "404", "$size": "1534",
    })  # fmt: skip
    [found] = tried("{ $.user.id > 1 && $.eventType = * }", EVENT)
    assert found["extractedValues"] == {"$.user.id": "7", "$.eventType": "UpdateTrail"}
    assert [one["eventNumber"] for one in tried("a", "a", "b", "ba")] == [1, 3]
    refusal = code(logs.test_metric_filter, filterPattern="[", logEventMessages=["x"])
    assert refusal == "InvalidParameterException"
