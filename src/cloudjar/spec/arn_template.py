"""ARN templates: how the resources that a request touches are read from the request.

A template is data (JSON) made of a small closed set of forms; nothing in it is code.

Text
    ``arn:${Partition}:ec2:${Region}:${Account}:vpc/${VpcId}``: each ``${...}`` is a slot. A slot is
    ``Partition``, ``Region``, ``Account``, ``value`` (see `by`, `starts`) or a path into the request:
    ``A.B`` descends, ``A[]`` takes each element, ``A@`` the keys of a map, ``A,B`` both one after the
    other. Filters follow a bar, in order: ``${QueueUrl|segment:-1}``. A slot that has no value gives no
    ARN; several values give several ARNs. Where the last slot's value is itself an ARN of the same
    service it stands for the whole template, as most operations accept a name or an ARN.

Lists
    ``["if", path, then, else?]``           `then` where the request has a true value at the path
    ``["arn", path, format]``               the values that are ARNs of this format
    ``["by", kind, path, text]``            the stored record's own ARN, asked of `find`; text with
                                            ``${value}`` where the record is unknown. Path "" asks once.
    ``["starts", path, prefix, yes, no]``   per value, by its prefix; both texts use ``${value}``
    ``["ids", path, {prefix: format}]``     EC2 ids to ARNs by the part before the first hyphen
    ``["types", path, {type: format}]``     resource types to the wildcard ARN of a thing to be made
    ``["first", t...]`` ``["all", t...]``   the first that gives something; everything
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

Request = dict[str, Any]
Nodes = Callable[["Scope"], list[str]]


class Lookup(NamedTuple):
    """A question for the store: the ARN of the `kind` (``iam:user``) that has `value` in `member`.

    `value` is "" when the request names none and the default is meant: the caller's own user
    (``iam:caller``), the default subnet.
    """

    kind: str
    member: str
    value: str


Find = Callable[[Lookup], str | None]


class Scope(NamedTuple):
    """Everything an expansion may read."""

    req: Request
    partition: str
    region: str
    account: str
    find: Find | None
    value: str = ""


class TemplateError(ValueError):
    """The template is not one: a fault of the table, found by its tests."""


class ArnTemplate:
    """A compiled template; compiled once, expanded per request."""

    __slots__ = ("_expand", "source")

    def __init__(self, source: Any) -> None:
        self.source = source
        self._expand = _compile(source)

    def expand(self, req: Request, partition: str, region: str, account: str, find: Find | None = None) -> list[str]:
        """The ARNs that the request names: none when it names none, never a duplicate.

        `find` answers a `Lookup` with a stored record's ARN or None; without it, names stand for themselves.
        """
        found = self._expand(Scope(req, partition, region, account, find))
        return found if len(found) < 2 else list(dict.fromkeys(found))

    def paths(self) -> set[str]:
        """The request paths that the template reads."""
        return set(_paths(self.source))

    def __repr__(self) -> str:
        return f"ArnTemplate({self.source!r})"


# -- values ----------------------------------------------------------------------------------------


def values(req: Request, path: str) -> list[str]:
    """The texts at a path of a request: ``A.B``, ``A[].B``, ``A@`` (keys), ``A,B`` (both)."""
    found: list[str] = []
    for one in path.split(","):
        level: list[Any] = [req]
        for step in one.split("."):
            level = _descend(level, step)
        found += [v if isinstance(v, str) else _text(v) for v in level]
    return found


def _descend(level: list[Any], step: str) -> list[Any]:
    name = step.rstrip("[]@")
    below = [v[name] for v in level if isinstance(v, dict) and v.get(name) is not None]
    if step.endswith("[]"):
        return [e for v in below if isinstance(v, list) for e in v]
    if step.endswith("@"):
        return [k for v in below if isinstance(v, dict) for k in v]
    return below


def _text(value: Any) -> str:
    """Numbers and booleans in AWS's spelling; a structure, list or map only says that it is there."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return "x" if value else ""


def _true(req: Request, path: str) -> bool:
    return any(v not in ("", "false") for v in values(req, path))


# -- filters: text in, texts out --------------------------------------------------------------------


def _last(text: str, _: str) -> list[str]:
    tail = re.split(r"[/:]", text)[-1] if text.startswith("arn:") else text.rsplit("/", 1)[-1]
    return [tail] if tail else []


def _name(text: str, _: str) -> list[str]:
    """The name at the end of an ARN; a text that is no ARN is the name already."""
    return _last(text, "") if text.startswith("arn:") else [text]


def _segment(text: str, index: str) -> list[str]:
    parts = [p for p in text.split("/") if p]
    return [parts[int(index)]] if len(parts) >= abs(int(index)) else []


def _path(text: str, _: str) -> list[str]:
    """An IAM path as it stands in an ARN: without the leading slash, with the closing one."""
    return [text.removeprefix("/")]


_FUNCTION = re.compile(r"(?:.*:)?function:([^:]+)(?::([^:]+))?$")


def _function(text: str, _: str) -> list[str]:
    """A Lambda function's name out of a name, partial ARN or ARN, with or without a qualifier."""
    match = _FUNCTION.match(text)
    return [match[1] if match else text.split(":", 1)[0]]


def _bus(text: str, _: str) -> list[str]:
    """What an EventBridge rule's ARN has before its name: the type, and the bus when it is not the default one."""
    [bus] = _last(text, "") or ["default"]
    return ["rule/" if bus == "default" else f"rule/{bus}/"]


_FILTERS: dict[str, Callable[[str, str], list[str]]] = {
    "bus": _bus,
    "last": _last,
    "name": _name,
    "segment": _segment,
    "path": _path,
    "function": _function,
    "only": lambda text, prefix: [text] if text.startswith(prefix) else [],
    "bare": lambda text, prefix: [text.removeprefix(prefix)],
    "before": lambda text, mark: [text.split(mark, 1)[0]],
    "lower": lambda text, _: [text.lower()],
}


# -- slots ------------------------------------------------------------------------------------------

_SLOT = re.compile(r"\$\{([^}]*)\}")
_SCOPE = {"Partition", "Region", "Account", "value"}


class _Slot(NamedTuple):
    """A compiled slot: how it reads the request and what its filters make of the values."""

    read: Nodes
    refine: Callable[[list[str]], list[str]]


def _slot(text: str) -> _Slot:
    path, *filters = text.split("|")
    if path in _SCOPE - {"value"} and not filters:
        name = path.lower()
        return _Slot(lambda scope: [getattr(scope, name)], lambda found: found)
    default: str | None = None
    steps: list[tuple[Callable[[str, str], list[str]], str]] = []
    for one in filters:
        name, _, argument = one.partition(":")
        if name == "or":
            default = argument
        elif name in _FILTERS:
            steps.append((_FILTERS[name], argument))
        else:
            raise TemplateError(f"no filter {name!r} in {text!r}")

    def refine(found: list[str]) -> list[str]:
        for step, argument in steps:
            found = [out for v in found if v for out in step(v, argument)]
        found = [v for v in found if v and not v.startswith("arn:")]
        return found or ([] if default is None else [default])

    if path == "value":
        return _Slot(lambda scope: [scope.value], refine)
    return _Slot(_reader(path), refine)


def _reader(path: str) -> Nodes:
    """How to read a path; a plain member, by far the most frequent, without the general descent."""
    if not re.fullmatch(r"\w+", path):
        return lambda scope: values(scope.req, path)

    def member(scope: Scope) -> list[str]:
        value = scope.req.get(path)
        if isinstance(value, str):
            return [value] if value else []
        return [] if value is None else [_text(value)]

    return member


def _compile_text(source: str) -> Nodes:
    parts = _SLOT.split(source)
    literals, names = parts[::2], parts[1::2]
    slots = [_slot(name) for name in names]
    if len(slots) == 1 and literals == ["", ""]:
        return lambda scope: [v for v in slots[0].read(scope) if v.startswith("arn:")]
    if not source.startswith("arn:") and source != "*":
        raise TemplateError(f"neither an ARN nor a slot that holds one: {source!r}")
    simple = _simple(literals, names)
    if simple:
        return simple
    named = names[-1:] and names[-1] not in _SCOPE - {"value"}
    service = source.split(":")[2] if named else ""

    def expand(scope: Scope) -> list[str]:
        found = [slot.read(scope) for slot in slots]
        given = [v for v in found[-1] if _is_of(v, service)] if service else []
        if given:
            found[-1] = [v for v in found[-1] if v not in given]
            if not found[-1]:
                return given
        return given + _product(literals, [s.refine(v) for s, v in zip(slots, found, strict=True)])

    return expand


def _simple(literals: list[str], names: list[str]) -> Nodes | None:
    """A quick way for the common shape: partition, region, account and one plain member at the end."""
    if any(n not in _SCOPE - {"value"} for n in names[:-1]) or not re.fullmatch(r"\w+", names[-1] if names else ""):
        return None
    name, tail = names[-1], literals[-1]
    if name in _SCOPE - {"value"}:
        return None
    read = _slot(name).read
    head = "".join(
        text + (f"{{{n.lower()}}}" if n in _SCOPE - {"value"} else "")
        for text, n in zip((t.replace("{", "{{").replace("}", "}}") for t in literals), names, strict=False)
    )
    service = head.split(":")[2]

    def expand(scope: Scope) -> list[str]:
        found = read(scope)
        if not found:
            return found
        value = found[0]
        if value.startswith("arn:"):
            return found if _is_of(value, service) else []
        return [head.format(partition=scope.partition, region=scope.region, account=scope.account) + value + tail]

    return expand


def _is_of(value: str, service: str) -> bool:
    return value.startswith("arn:") and value.count(":") >= 5 and value.split(":", 3)[2] == service


def _product(literals: list[str], slots: list[list[str]]) -> list[str]:
    texts = [literals[0]]
    for found, literal in zip(slots, literals[1:], strict=True):
        texts = [text + v + literal for text in texts for v in found]
    return texts


# -- forms ------------------------------------------------------------------------------------------


def _compile(source: Any) -> Nodes:
    if isinstance(source, str):
        return _compile_text(source)
    if isinstance(source, list) and source and source[0] in _FORMS:
        return _FORMS[source[0]](*source[1:])
    raise TemplateError(f"not a template: {source!r}")


def _if(path: str, then: Any, otherwise: Any = None) -> Nodes:
    yes = _compile(then)
    no = _compile(otherwise) if otherwise is not None else lambda _: []
    return lambda scope: yes(scope) if _true(scope.req, path) else no(scope)


def format_pattern(formats: str) -> re.Pattern[str]:
    """A pattern of the ARNs that a resource type's format describes; several are separated by ", "."""
    texts = []
    for one in formats.split(", "):
        pieces = _SLOT.split(one)
        for i in range(1, len(pieces), 2):
            pieces[i] = "[^:]*" if pieces[i] in _SCOPE else ".+"
        texts.append("".join(p if i % 2 else re.escape(p) for i, p in enumerate(pieces)))
    return re.compile("|".join(texts))


def _arn(path: str, formats: str) -> Nodes:
    pattern = format_pattern(formats)
    return lambda scope: [v for v in values(scope.req, path) if pattern.fullmatch(v)]


def _by(kind: str, path: str, text: Any) -> Nodes:
    fallback = _compile(text)
    plain = re.fullmatch(r"\w+", path) is not None

    def ask(scope: Scope) -> list[str]:
        found: list[str] = []
        given = scope.req.get(path) if plain else None
        for value in [given] if isinstance(given, str) else values(scope.req, path) if path else [""]:
            record = scope.find(Lookup(kind, path, value)) if scope.find else None
            found += [record] if record else fallback(scope._replace(value=value))
        return found

    return ask


def _starts(path: str, prefix: str, yes: Any, no: Any) -> Nodes:
    then, otherwise = _compile(yes), _compile(no)

    def choose(scope: Scope) -> list[str]:
        return [
            arn
            for value in values(scope.req, path)
            for arn in (then if value.startswith(prefix) else otherwise)(scope._replace(value=value))
        ]

    return choose


def _filled(formats: dict[str, str], blank: str) -> dict[str, Nodes]:
    """Formats whose own variables, the id of the thing, are all replaced by one text."""
    return {k: _compile_text(_SLOT.sub(lambda m: m[0] if m[1] in _SCOPE else blank, v)) for k, v in formats.items()}


def _ids(path: str, formats: dict[str, str]) -> Nodes:
    nodes = _filled(formats, "${value}")

    def read(scope: Scope) -> list[str]:
        found: list[str] = []
        for value in values(scope.req, path):
            node = nodes.get(value.rpartition("-")[0])
            found += node(scope._replace(value=value)) if node else ["*"]
        return found

    return read


def _types(path: str, formats: dict[str, str]) -> Nodes:
    nodes = _filled(formats, "*")
    return lambda scope: [arn for t in values(scope.req, path) for arn in (nodes[t](scope) if t in nodes else ["*"])]


def _first(*sources: Any) -> Nodes:
    nodes = [_compile(s) for s in sources]

    def first(scope: Scope) -> list[str]:
        for node in nodes:
            found = node(scope)
            if found:
                return found
        return []

    return first


def _all(*sources: Any) -> Nodes:
    nodes = [_compile(s) for s in sources]
    return lambda scope: [arn for node in nodes for arn in node(scope)]


_FORMS: dict[str, Callable[..., Nodes]] = {
    "if": _if,
    "arn": _arn,
    "by": _by,
    "starts": _starts,
    "ids": _ids,
    "types": _types,
    "first": _first,
    "all": _all,
}


def _paths(source: Any) -> list[str]:
    if isinstance(source, str):
        slots = (s.split("|", 1)[0] for s in _SLOT.findall(source))
        return [p for slot in slots if slot not in _SCOPE for p in slot.split(",")]
    form, *rest = source
    if form in ("first", "all"):
        return [p for s in rest for p in _paths(s)]
    where = 1 if form == "by" else 0
    own = [p for p in rest[where].split(",") if p]
    below = {"if": rest[1:], "by": rest[2:], "starts": rest[2:]}.get(form, [])
    return own + [p for s in below if s is not None for p in _paths(s)]
