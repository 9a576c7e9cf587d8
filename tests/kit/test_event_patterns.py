"""EventBridge's pattern language, against what AWS documents and against a naive reading of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.kit.event_patterns import PatternError, keys_of, read

EVENT = {
    "version": "0",
    "source": "aws.ec2",
    "detail-type": "EC2 Instance State-change Notification",
    "account": "111122223333",
    "time": "2017-12-22T18:43:48Z",
    "resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1", "arn:b"],
    "detail": {
        "instance-id": "i-1",
        "state": "terminated",
        "c-count": 5,
        "d-count": 2.5,
        "nothing": None,
        "empty": "",
        "yes": True,
        "source-ip": "10.0.0.77",
        "v6": "2001:db8::5",
        "path": "dir/lib/file.PNG",
        "star": "a*b",
        "list": [],
        "parts": [{"k": "a", "v": 1}, {"k": "b", "v": 2, "only": "x"}],
    },
}


def detail(**fields: Any) -> str:
    return json.dumps({"detail": fields})


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.ec2"]}, True),
        ({"source": ["aws.s3"]}, False),
        ({"source": ["aws.s3", "aws.ec2"], "resources": ["arn:b"]}, True),
        ({"nowhere": ["x"]}, False),
        ({"detail": {"state": [{"prefix": "term"}]}}, True),
        ({"detail": {"state": [{"prefix": {"equals-ignore-case": "TERM"}}]}}, True),
        ({"detail": {"path": [{"suffix": ".png"}]}}, False),
        ({"detail": {"path": [{"suffix": {"equals-ignore-case": ".png"}}]}}, True),
        ({"detail": {"path": [{"wildcard": "dir/*/file.*"}]}}, True),
        ({"detail": {"path": [{"wildcard": "*/lib"}]}}, False),
        ({"detail": {"star": [{"wildcard": "a\\*b"}]}}, True),
        ({"detail": {"state": [{"wildcard": "a\\*b"}]}}, False),
        ({"detail": {"state": [{"equals-ignore-case": "TERMINATED"}]}}, True),
        ({"detail": {"state": [{"anything-but": "running"}]}}, True),
        ({"detail": {"state": [{"anything-but": ["running", "terminated"]}]}}, False),
        ({"detail": {"state": [{"anything-but": {"prefix": "term"}}]}}, False),
        ({"detail": {"state": [{"anything-but": {"suffix": ["x", "ed"]}}]}}, False),
        ({"detail": {"path": [{"anything-but": {"wildcard": "*/lib/*"}}]}}, False),
        ({"detail": {"state": [{"anything-but": {"equals-ignore-case": ["Terminated"]}}]}}, False),
        ({"detail": {"c-count": [{"anything-but": 5}]}}, False),
        ({"detail": {"c-count": [{"anything-but": [1, 2]}]}}, True),
        ({"detail": {"missing": [{"anything-but": "x"}]}}, False),
        ({"resources": [{"anything-but": "arn:b"}]}, True),
        ({"detail": {"c-count": [{"numeric": [">", 0, "<=", 5]}]}}, True),
        ({"detail": {"c-count": [{"numeric": [">", 0, "<", 5]}]}}, False),
        ({"detail": {"d-count": [{"numeric": ["=", 2.5]}]}}, True),
        ({"detail": {"state": [{"numeric": ["<", 9]}]}}, False),
        ({"detail": {"c-count": [5.0]}}, True),
        ({"detail": {"c-count": ["5"]}}, False),
        ({"detail": {"yes": [1]}}, False),
        ({"detail": {"yes": [True]}}, True),
        ({"detail": {"nothing": [None]}}, True),
        ({"detail": {"empty": [""]}}, True),
        ({"detail": {"source-ip": [{"cidr": "10.0.0.0/24"}]}}, True),
        ({"detail": {"source-ip": [{"cidr": "10.0.1.0/24"}]}}, False),
        ({"detail": {"v6": [{"cidr": "2001:db8::/32"}]}}, True),
        ({"detail": {"state": [{"exists": True}]}}, True),
        ({"detail": {"missing": [{"exists": False}]}}, True),
        ({"detail": {"state": [{"exists": False}]}}, False),
        ({"detail": {"missing": ["x", {"exists": False}]}}, True),
        ({"detail": [{"exists": True}]}, False),
        ({"detail": {"parts": {"k": ["a"], "v": [1]}}}, True),
        ({"detail": {"parts": {"k": ["a"], "v": [2]}}}, False),
        ({"detail": {"parts": {"k": ["a"], "only": [{"exists": False}]}}}, False),
        ({"detail": {"$or": [{"state": ["running"]}, {"c-count": [{"numeric": ["<", 6]}]}]}}, True),
        ({"detail": {"$or": [{"state": ["running"]}, {"c-count": [6]}]}, "source": ["aws.ec2"]}, False),
        ({"$or": [{"source": ["aws.s3"]}, {"detail": {"parts": {"k": ["b"], "v": [2]}}}]}, True),
    ],
)
def test_what_matches(pattern: dict[str, Any], expected: bool) -> None:
    assert read(json.dumps(pattern)).matches(EVENT) is expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('"x"', "Filter is not an object\n at [Source: (String)\"\"x\"\"; line: 1, column: 2]"),
        ("{}", "Empty objects are not allowed"),
        ('{"a": []}', "Empty arrays are not allowed"),
        (
            '{"source":["test.event-pattern"],"detail":{"lenderId":"LenderA"}}',
            '"lenderId" must be an object or an array\n at [Source: (String)"{"source":["test.event-pattern"],'
            '"detail":{"lenderId":"LenderA"}}"; line: 1, column: 56]',
        ),
        ('{"a": [[1]]}', "Match value must be String, number, true, false, or null"),
        ('{"a": [{"EXISTS": true}]}', "Unrecognized match type EXISTS"),
        ('{"a": [{"exists": "true"}]}', "exists match pattern must be either true or false."),
        ('{"a": [{"prefix": 1}]}', "prefix match pattern must be a string"),
        ('{"a": [{"suffix": ["x"]}]}', "suffix match pattern must be a string"),
        ('{"a": [{"prefix": {"wildcard": "x"}}]}', "Unsupported prefix pattern: wildcard"),
        ('{"a": [{"prefix": "x", "suffix": "y"}]}', "Only one key allowed in match expression"),
        ('{"a": [{"wildcard": "a**b"}]}', "Consecutive wildcard characters at pos 2"),
        ('{"a": [{"wildcard": "a\\\\b"}]}', "Invalid escape character at pos 2"),
        ('{"a": [{"numeric": 5}]}', "Value of numeric must be an array."),
        ('{"a": [{"numeric": ["<", "5"]}]}', "Value of < must be numeric"),
        ('{"a": [{"numeric": ["!", 5]}]}', "Unrecognized numeric range operator: !"),
        ('{"a": [{"numeric": [">", 0, ">", 5]}]}', "Bad numeric range operator: >"),
        ('{"a": [{"numeric": ["<", 0, ">", 5]}]}', "Too many elements in numeric expression"),
        ('{"a": [{"numeric": [">", 5, "<", 1]}]}', "Bottom must be less than top"),
        ('{"a": [{"numeric": [">", 6e9]}]}', "Value must be between -5.0E9 and 5.0E9, inclusive"),
        ('{"a": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR, one '/' required"),
        ('{"a": [{"cidr": "xx.11.xx/8"}]}', "Nonstandard IP address: xx.11.xx"),
        ('{"a": [{"cidr": "10.0.0.0/x"}]}', "Malformed CIDR, mask bits must be an integer"),
        ('{"a": [{"anything-but": ["x", 1]}]}', "Inside anything but list, either all values are number or string"),
        ('{"a": [{"anything-but": [null]}]}', "Inside anything but list, start|null|boolean is not supported."),
        ('{"a": [{"anything-but": {"cidr": "x"}}]}', "Unsupported anything-but pattern: cidr"),
        ('{"a": [{"anything-but": {"prefix": ""}}]}', "Null prefix/suffix not allowed"),
        ("{this", "Invalid JSON"),
        ('{"a": this}', "Unrecognized token 'this'"),
        ('{"a": ["x"]', "Invalid JSON"),
        ("", "Unexpected end-of-input"),
        ("[" * 100_000, "Document nesting is too deep"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(PatternError) as caught:
        read(text)
    assert str(caught.value).startswith(why)


def test_more_choices_than_may_be() -> None:
    choice = [{"a": ["x"]}, {"b": ["y"]}]
    pattern: dict[str, Any] = {"source": ["s"]}
    for n in range(10):
        pattern[f"k{n}"] = {"$or": choice}
    with pytest.raises(PatternError, match="1000"):
        read(json.dumps(pattern))


def test_the_keys_of_a_pattern() -> None:
    def keys(pattern: dict[str, Any]) -> set[Any]:
        return set(read(json.dumps(pattern)).places())

    assert keys({"source": ["a", "b"]}) == {("a", None), ("b", None)}
    assert keys({"source": ["a"], "detail-type": ["t", "u"]}) == {("a", "t"), ("a", "u")}
    assert keys({"detail-type": ["t"], "source": [{"prefix": "a"}]}) == {(None, "t")}
    assert keys({"source": ["a", {"exists": False}]}) == {(None, None)}
    assert keys({"$or": [{"source": ["a"]}, {"source": ["b"]}]}) == {(None, None)}


# -- against a naive model

_NAMES = st.sampled_from(["a", "b", "source", "detail-type"])
_SCALARS = st.one_of(
    st.sampled_from(["", "x", "xy", "Xy", "a*b", "10.0.0.1"]), st.integers(-3, 3), st.sampled_from([1.5, True, None])
)
_EVENTS = st.recursive(
    st.dictionaries(_NAMES, _SCALARS | st.lists(_SCALARS, max_size=3), max_size=3),
    lambda inner: st.dictionaries(_NAMES, _SCALARS | inner | st.lists(inner, max_size=3), max_size=3),
    max_leaves=6,
)
_TEXTS = st.sampled_from(["x", "X", "y", "xy"])
_TESTS = st.one_of(
    _SCALARS,
    _TEXTS.map(lambda text: {"prefix": text}),
    _TEXTS.map(lambda text: {"suffix": {"equals-ignore-case": text}}),
    _TEXTS.map(lambda text: {"equals-ignore-case": text}),
    st.lists(_TEXTS, min_size=1, max_size=2).map(lambda texts: {"anything-but": texts}),
    st.integers(-2, 2).map(lambda number: {"numeric": [">=", number]}),
    st.integers(-2, 2).map(lambda number: {"anything-but": number}),
    st.sampled_from([{"wildcard": "*y"}, {"wildcard": "x*"}, {"exists": True}, {"cidr": "10.0.0.0/8"}]),
)
_LEAVES = st.lists(_TESTS, min_size=1, max_size=3)
_PATTERNS = st.recursive(
    st.dictionaries(_NAMES, _LEAVES, min_size=1, max_size=2),
    lambda inner: st.dictionaries(_NAMES, _LEAVES | inner, min_size=1, max_size=2)
    | st.lists(inner, min_size=2, max_size=2).map(lambda branches: {"$or": branches}),
    max_leaves=4,
)


def _worlds(data: Any) -> list[dict[tuple[str, ...], Any]]:
    """Every way to choose one element of every array: then each path has one value."""
    if isinstance(data, list):
        return [world for one in data for world in _worlds(one)] or [{}]
    if not isinstance(data, dict):
        return [{(): data}]
    found: list[dict[tuple[str, ...], Any]] = [{}]
    for name, value in data.items():
        inner = _worlds(value)
        found = [{**one, **{(name, *path): v for path, v in world.items()}} for one in found for world in inner]
    return found


def _naive(pattern: Any, world: dict[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> bool:
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(_naive(branch, world, path) for branch in wanted):
                return False
        elif isinstance(wanted, dict):
            if not _naive(wanted, world, (*path, name)):
                return False
        elif (*path, name) not in world or not any(_one(test, world[(*path, name)]) for test in wanted):
            return False
    return True


def _one(test: Any, value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match test:
        case {"exists": True}:
            return True
        case {"prefix": text}:
            return isinstance(value, str) and value.find(text) == 0
        case {"suffix": {"equals-ignore-case": text}}:
            return isinstance(value, str) and value.upper()[::-1].find(text.upper()[::-1]) == 0
        case {"equals-ignore-case": text}:
            return isinstance(value, str) and value.upper() == text.upper()
        case {"anything-but": list(texts)}:
            return not any(isinstance(value, str) and value == text for text in texts)
        case {"anything-but": unwanted}:
            return not (number and value == unwanted)
        case {"numeric": [_, bound]}:
            return number and value >= bound
        case {"wildcard": "*y"}:
            return isinstance(value, str) and value[-1:] == "y"
        case {"wildcard": "x*"}:
            return isinstance(value, str) and value[:1] == "x"
        case {"cidr": _}:
            return bool(value == "10.0.0.1")
    if number and type(test) in (int, float):
        return bool(test == value)
    return type(test) is type(value) and bool(test == value)


@given(_PATTERNS, _EVENTS)
@settings(max_examples=400, deadline=None)
def test_it_agrees_with_a_naive_reading(pattern: dict[str, Any], event: dict[str, Any]) -> None:
    found = read(json.dumps(pattern))
    matches = found.matches(event)
    assert matches == any(_naive(pattern, world) for world in _worlds(event))
    source, kind = event.get("source"), event.get("detail-type")
    if matches and isinstance(source, str) and isinstance(kind, str):
        assert set(found.places()) & set(keys_of(source, kind))


@given(st.text(alphabet='{}[]",:ax1 .$-\\nul', max_size=30))
@settings(max_examples=300, deadline=None)
def test_json_is_read_as_everybody_reads_it(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        expected = None
    try:
        read(text)
    except PatternError:
        return
    assert isinstance(expected, dict)
