"""Wildcards and policy variables, compiled once.

A pattern is a tuple of atoms: literal text, `STAR` (any run of characters), `ONE` (any single
character) and `Variable`. Patterns without variables compile to the cheapest test that decides them
(equal, starts with, regular expression); patterns with variables are filled in per request and the
compiled result is remembered.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

Context = Mapping[str, str | Sequence[str]]
"""Condition keys in lower case -> the request's value or values; may compute them lazily."""

Test = Callable[[str], object]
"""Truthy when the text matches."""


class Wild(Enum):
    """The two wildcards of the policy language."""

    STAR = "*"
    ONE = "?"


STAR, ONE = Wild.STAR, Wild.ONE


class Variable(NamedTuple):
    """``${key}`` or ``${key, 'default'}``; the key in lower case."""

    key: str
    default: str | None


Atom = str | Wild | Variable
Pattern = tuple[Atom, ...]

_VARIABLE = re.compile(r"\$\{([*?$])\}|\$\{\s*([^{}',\s][^{}',]*?)\s*(?:,\s*'([^']*)'\s*)?\}")


def parse(text: str, *, wildcards: bool, variables: bool) -> Pattern:
    """The atoms of `text`; without `variables` (language version 2008-10-17) ``${...}`` is plain text."""
    if not variables or "${" not in text:
        return tuple(_split_wild(text)) if wildcards else (text,)
    atoms: list[Atom] = []
    at = 0
    for found in _VARIABLE.finditer(text):
        atoms.extend(_literal(text[at : found.start()], wildcards))
        special, key, default = found.groups()
        atoms.append(special if special else Variable(key.lower(), default))
        at = found.end()
    atoms.extend(_literal(text[at:], wildcards))
    return _join(atoms)


def _literal(text: str, wildcards: bool) -> Iterable[Atom]:
    return _split_wild(text) if wildcards else (text,)


def _split_wild(text: str) -> Iterable[Atom]:
    if "*" not in text and "?" not in text:
        return (text,)
    return [STAR if p == "*" else ONE if p == "?" else p for p in re.split(r"([*?])", text) if p]


def _join(atoms: Iterable[Atom]) -> Pattern:
    """Neighbouring literals become one, so that equal patterns are equal tuples."""
    out: list[Atom] = []
    for atom in atoms:
        if isinstance(atom, str) and out and isinstance(out[-1], str):
            out[-1] += atom
        elif atom != "":
            out.append(atom)
    return tuple(out) or ("",)


def variables_of(pattern: Pattern) -> tuple[Variable, ...]:
    """The variables a pattern needs from the request."""
    return tuple(a for a in pattern if isinstance(a, Variable))


def fill(pattern: Pattern, context: Context) -> Pattern | None:
    """The pattern with its variables replaced by the request's values, taken literally.

    None when a variable has no single value and no default: AWS then treats the whole value as
    null, which is like nothing.
    """
    atoms: list[Atom] = []
    for atom in pattern:
        if not isinstance(atom, Variable):
            atoms.append(atom)
            continue
        value = single(context.get(atom.key))
        if value is None:
            value = atom.default
        if value is None:
            return None
        atoms.append(value)
    return _join(atoms)


def single(value: str | Sequence[str] | None) -> str | None:
    """The value of a single-valued key; None when missing or many (those cannot fill a variable)."""
    if value is None or isinstance(value, str):
        return value
    return value[0] if len(value) == 1 else None


def text_of(pattern: Pattern) -> str | None:
    """The text of a pattern made of one literal; None when it has wildcards."""
    return pattern[0] if len(pattern) == 1 and isinstance(pattern[0], str) else None


@lru_cache(maxsize=8192)
def compile_glob(pattern: Pattern) -> Test:
    """A test of the whole text against a pattern without variables."""
    exact = text_of(pattern)
    if exact is not None:
        return exact.__eq__
    if pattern == (STAR,):
        return _anything
    if len(pattern) == 2 and isinstance(pattern[0], str) and pattern[1] is STAR:
        prefix = pattern[0]
        return lambda text: text.startswith(prefix)
    return re.compile(regex_of(pattern), re.DOTALL).fullmatch


def _anything(text: str) -> bool:
    return True


def regex_of(pattern: Pattern) -> str:
    """A regular expression for `pattern` that cannot backtrack its way into exponential time.

    Between two stars the earliest occurrence of a chunk is always as good as any later one, so each
    chunk but the last sits in an atomic group.
    """
    chunks: list[str] = [""]
    for atom in pattern:
        if atom is STAR:
            chunks.append("")
        elif atom is ONE:
            chunks[-1] += "."
        else:
            chunks[-1] += re.escape(str(atom))
    head, *rest = chunks
    if not rest:
        return head
    middle = "".join(f"(?>.*?{chunk})" for chunk in rest[:-1] if chunk)
    return f"{head}{middle}.*{rest[-1]}"


@lru_cache(maxsize=8192)
def compile_arn_pattern(pattern: Pattern) -> Test:
    """A test of a resource ARN against a Resource value without variables.

    Wildcards stay within their segment, except that a star which ends one of the first five
    segments reaches over the colon, as AWS documents; the sixth, the resource, holds colons itself.
    """
    segments = _segments(pattern)
    if len(segments) < 6 or any(seg and seg[-1] is STAR for seg in segments[:5]):
        return compile_glob(pattern)
    if not any(isinstance(a, Wild) for seg in segments[:5] for a in seg):
        return compile_glob(pattern)
    return compile_segments(pattern)


@lru_cache(maxsize=8192)
def compile_segments(pattern: Pattern) -> Test:
    """A test of an ARN in which each of the six components is compared on its own.

    This is how the Arn condition operators work; text with fewer components than six matches nothing.
    """
    segments = _segments(pattern)
    if pattern == (STAR,):
        return _anything
    if len(segments) != 6:
        return _nothing
    tests = tuple(compile_glob(seg) for seg in segments)

    def test(text: str) -> bool:
        parts = text.split(":", 5)
        return len(parts) == 6 and all(t(p) for t, p in zip(tests, parts, strict=True))

    return test


def _nothing(text: str) -> bool:
    return False


def _segments(pattern: Pattern) -> list[Pattern]:
    """The pattern cut at its first five literal colons."""
    out: list[list[Atom]] = [[]]
    for atom in pattern:
        if not isinstance(atom, str):
            out[-1].append(atom)
            continue
        head, *tail = atom.split(":", 6 - len(out))
        out[-1].append(head)
        out.extend([part] for part in tail)
    return [_join(seg) for seg in out]


class ArnSet:
    """The values of a Resource or NotResource element."""

    __slots__ = ("anything", "endings", "exact", "keys", "needle", "open", "prefixes", "tests", "texts")

    def __init__(self, values: Sequence[str], *, variables: bool) -> None:
        self.texts = tuple(values)
        exact: set[str] = set()
        prefixes: list[str] = []
        tests: list[tuple[str, Test]] = []
        open_: list[Pattern] = []
        ends: set[str | None] = set()
        self.anything, self.needle = False, ""
        for value in values:
            pattern = parse(value, wildcards=True, variables=variables)
            literal = text_of(pattern)
            ends.add(_ending(pattern))
            self.needle = _needle(pattern) if len(values) == 1 else ""
            if all(atom is STAR for atom in pattern):
                self.anything = True
            elif variables_of(pattern):
                open_.append(pattern)
            elif literal is not None:
                exact.add(literal)
            elif _is_prefix(pattern):
                prefixes.append(str(pattern[0]))
            else:
                tests.append((_needle(pattern), compile_arn_pattern(pattern)))
        self.endings = None if None in ends else frozenset(end for end in ends if end is not None)
        self.exact, self.prefixes = frozenset(exact), tuple(prefixes)
        self.tests, self.open = tuple(tests), tuple(open_)
        self.keys = frozenset(v.key for p in open_ for v in variables_of(p))

    def has(self, arn: str, context: Context) -> bool:
        """Whether one of the values matches; ``*`` as `arn` (no particular resource) needs a ``*`` value."""
        if self.anything or arn in self.exact:
            return True
        if arn == "*":
            return False
        if self.prefixes and arn.startswith(self.prefixes):
            return True
        for needle, test in self.tests:
            if needle in arn and test(arn):
                return True
        return bool(self.open) and any(self._open_has(p, arn, context) for p in self.open)

    @staticmethod
    def _open_has(pattern: Pattern, arn: str, context: Context) -> bool:
        filled = fill(pattern, context)
        return filled is not None and bool(compile_arn_pattern(filled)(arn))


def _ending(pattern: Pattern) -> str | None:
    """What every text that the pattern matches has after its last colon; None when that is not certain."""
    last = pattern[-1]
    return last.rpartition(":")[2] if isinstance(last, str) and ":" in last else None


def _needle(pattern: Pattern) -> str:
    """A text that must be somewhere in whatever the pattern matches: cheap to look for. Not the beginning, which ARNs
    of a service have in common, if there is another of some length."""
    texts = [atom for atom in pattern if isinstance(atom, str)]
    later = max((atom for atom in pattern[1:] if isinstance(atom, str)), key=len, default="")
    return later if len(later) > 2 else max(texts, key=len, default="")


def _is_prefix(pattern: Pattern) -> bool:
    return len(pattern) == 2 and isinstance(pattern[0], str) and pattern[1] is STAR


ANY_SERVICE = "*"
"""Under this, patterns whose service itself has wildcards."""


class ActionSet:
    """The values of an Action or NotAction element, in lower case, ready to be indexed."""

    __slots__ = ("anything", "exact", "texts", "wild")

    def __init__(self, values: Sequence[str]) -> None:
        self.texts = tuple(values)
        exact: set[str] = set()
        wild: dict[str, list[Test]] = {}
        self.anything = False
        for value in values:
            pattern = parse(value.lower(), wildcards=True, variables=False)
            literal = text_of(pattern)
            if value in ("*", "*:*"):
                self.anything = True
            elif literal is not None:
                exact.add(literal)
            else:
                service = service_of(value.lower())
                key = ANY_SERVICE if "*" in service or "?" in service else service
                wild.setdefault(key, []).append(compile_glob(pattern))
        self.exact = frozenset(exact)
        self.wild = {service: tuple(tests) for service, tests in wild.items()}

    def has(self, action: str) -> bool:
        """Whether `action` (``service:name`` in lower case) is one of the values."""
        if self.anything or action in self.exact:
            return True
        tests = (*self.wild.get(service_of(action), ()), *self.wild.get(ANY_SERVICE, ()))
        return any(test(action) for test in tests)


def service_of(action: str) -> str:
    """The service prefix of an action."""
    return action.partition(":")[0]
