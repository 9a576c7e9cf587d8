"""Patterns of the policy language as sets of texts: whether two meet, whether one lies within another.

A pattern is a tuple of steps; a step is a literal character, or a class of characters, taken once or any number of
times. In the first five segments of an ARN pattern that the engine compares segment by segment, wildcards do not
take a colon; everywhere else they take anything (see `cloudjar.policy.match`).

States are bits of a number, so that a pattern is walked in time that grows with its length alone, whatever it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from cloudjar.policy import match
from cloudjar.policy.match import ONE, STAR, Pattern, Variable


class Step(NamedTuple):
    """`char` is a literal, or "" for any; then `colon` says whether that includes the colon."""

    char: str
    many: bool = False
    colon: bool = True


class Glob:
    """A compiled pattern. Two are equal when their steps are."""

    __slots__ = ("_hash", "_literal", "_many", "_many_but_colon", "_one", "_one_but_colon", "end", "steps")

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.steps = steps
        self._hash = hash(steps)
        self.end = 1 << len(steps)
        literal: dict[str, int] = defaultdict(int)
        masks = {(many, colon): 0 for many in (False, True) for colon in (False, True)}
        for place, step in enumerate(steps):
            if step.char:
                literal[step.char] |= 1 << place
            else:
                masks[step.many, step.colon] |= 1 << place
        self._literal = dict(literal)
        self._one, self._one_but_colon = masks[False, True], masks[False, False]
        self._many, self._many_but_colon = masks[True, True], masks[True, False]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Glob) and self.steps == other.steps

    def __hash__(self) -> int:
        return self._hash

    def _closed(self, states: int) -> int:
        """With the states that follow for nothing: what may be taken any number of times may be taken no times."""
        many = self._many | self._many_but_colon
        while True:
            more = states | (states & many) << 1
            if more == states:
                return states
            states = more

    @property
    def start(self) -> int:
        return self._closed(1)

    def some(self, states: int, step: Step) -> int:
        """The states after one character that the other pattern's step can be."""
        if step.char:
            colon = step.char == ":"
            once = self._literal.get(step.char, 0) | self._one | (0 if colon else self._one_but_colon)
            stay = self._many | (0 if colon else self._many_but_colon)
        else:
            once = (self.end - 1) & ~(self._many | self._many_but_colon)
            stay = self._many | self._many_but_colon
            if not step.colon:
                once &= ~self._literal.get(":", 0)
        return self._closed((states & once) << 1 | states & stay)

    def every(self, states: int, step: Step) -> int:
        """The states in which the pattern goes on whatever the other's step turns out to be."""
        if step.char:
            return self.some(states, step)
        stay = self._many | (0 if step.colon else self._many_but_colon)
        if step.many:
            return self._closed(states & stay)
        once = self._one | (0 if step.colon else self._one_but_colon)
        return self._closed((states & once) << 1 | states & stay)


ANY = Glob((Step("", many=True),))


@lru_cache(maxsize=8192)
def action(text: str) -> Glob:
    """A value of Action, whose case does not matter."""
    return Glob(_steps(match.parse(text.lower(), wildcards=True, variables=False), colon=True))


@lru_cache(maxsize=8192)
def resource(text: str, variables: bool = True) -> Glob:
    """A value of Resource, with variables taken for anything: they may be."""
    return Glob(_arn(match.parse(text, wildcards=True, variables=variables)))


@lru_cache(maxsize=8192)
def like(text: str) -> Glob:
    """A value of StringLike, with variables taken for anything."""
    return Glob(_steps(match.parse(text, wildcards=True, variables=True), colon=True))


def exact(text: str) -> Glob:
    """Just this text."""
    return Glob(tuple(Step(char) for char in text))


def has_variables(text: str) -> bool:
    """Whether a value depends on the request."""
    return bool(match.variables_of(match.parse(text, wildcards=True, variables=True)))


def _steps(pattern: Iterable[match.Atom], *, colon: bool) -> tuple[Step, ...]:
    """``*?`` is written as ``?*``, and neighbouring stars as one: then equal sets mostly have equal steps."""
    found: list[Step] = []
    star, one = Step("", many=True, colon=colon), Step("", colon=colon)
    for atom in pattern:
        if atom is STAR or isinstance(atom, Variable):
            if not (found and found[-1] == star):
                found.append(star)
        elif atom is ONE:
            found.insert(len(found) - 1 if found and found[-1] == star else len(found), one)
        else:
            found += [Step(char) for char in str(atom)]
    return tuple(found)


def _arn(pattern: Pattern) -> tuple[Step, ...]:
    segments: list[list[match.Atom]] = [[]]
    for atom in pattern:
        if not isinstance(atom, str):
            segments[-1].append(atom)
            continue
        head, *tail = atom.split(":", 6 - len(segments))
        segments[-1].append(head)
        segments.extend([part] for part in tail)
    ends_open = any([a for a in segment if a != ""][-1:] == [STAR] for segment in segments[:5])
    if len(segments) < 6 or ends_open:
        return _steps(pattern, colon=True)
    found: list[Step] = []
    for number, segment in enumerate(segments):
        found += [Step(":")] if number else []
        found += _steps(segment, colon=number == 5 or any(isinstance(a, Variable) for a in segment))
    return tuple(found)


@lru_cache(maxsize=65536)
def meet(one: Glob, other: Glob) -> bool:
    """Whether some text matches both."""
    states = other.start
    for step in one.steps:
        if not step.many:
            states = other.some(states, step)
        else:
            while True:
                more = states | other.some(states, step)
                if more == states:
                    break
                states = more
        if not states:
            return False
    return bool(states & other.end)


@lru_cache(maxsize=65536)
def covers(wide: Glob, narrow: Glob) -> bool:
    """Whether every text that matches `narrow` matches `wide`; never true wrongly."""
    states = wide.start
    for step in narrow.steps:
        states = wide.every(states, step)
        if not states:
            return False
    return bool(states & wide.end)


def within(one: Glob, others: Iterable[Glob]) -> bool:
    """Whether one of the others covers a pattern. What only several together cover is not seen."""
    return any(covers(wide, one) for wide in others)
