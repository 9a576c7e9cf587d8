"""String operators: exact, ignoring case, and with wildcards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cloudjar.policy.match import Context, Pattern, compile_glob, fill, parse, text_of, variables_of

Compare = Callable[[str, Context], bool]
"""Whether one value of the request is like any value of the policy."""


def equals(values: Sequence[str], variables: bool) -> Compare:
    """StringEquals: exact, case-sensitive; variables yes, wildcards no."""
    patterns = [parse(v, wildcards=False, variables=variables) for v in values]
    known = frozenset(t for t in map(text_of, patterns) if t is not None)
    filled = [p for p in patterns if variables_of(p)]
    if not filled:
        return lambda value, context: value in known
    return lambda value, context: value in known or any(_filled(p, context) == value for p in filled)


def equals_ignoring_case(values: Sequence[str], variables: bool) -> Compare:
    """StringEqualsIgnoreCase."""
    patterns = [parse(v, wildcards=False, variables=variables) for v in values]
    known = frozenset(t.casefold() for t in map(text_of, patterns) if t is not None)
    filled = [p for p in patterns if variables_of(p)]

    def compare(value: str, context: Context) -> bool:
        folded = value.casefold()
        if folded in known:
            return True
        texts = (_filled(p, context) for p in filled)
        return any(t is not None and t.casefold() == folded for t in texts)

    return compare


def like(values: Sequence[str], variables: bool) -> Compare:
    """StringLike: case-sensitive, ``*`` and ``?`` anywhere."""
    patterns = [parse(v, wildcards=True, variables=variables) for v in values]
    tests = [compile_glob(p) for p in patterns if not variables_of(p)]
    open_ = [p for p in patterns if variables_of(p)]

    def compare(value: str, context: Context) -> bool:
        if any(test(value) for test in tests):
            return True
        return any(_like(p, value, context) for p in open_)

    return compare


def _filled(pattern: Pattern, context: Context) -> str | None:
    done = fill(pattern, context)
    return None if done is None else text_of(done)


def _like(pattern: Pattern, value: str, context: Context) -> bool:
    done = fill(pattern, context)
    return done is not None and bool(compile_glob(done)(value))
