"""ArnEquals and ArnLike, which behave alike: each of the six components is compared on its own."""

from __future__ import annotations

from collections.abc import Sequence

from cloudjar.policy.conditions.text import Compare
from cloudjar.policy.match import Context, compile_segments, fill, parse, variables_of


def like(values: Sequence[str], variables: bool) -> Compare:
    """Case-sensitive, wildcards inside each component, variables filled in."""
    patterns = [parse(v, wildcards=True, variables=variables) for v in values]
    tests = [compile_segments(p) for p in patterns if not variables_of(p)]
    open_ = [p for p in patterns if variables_of(p)]

    def compare(value: str, context: Context) -> bool:
        if any(test(value) for test in tests):
            return True
        filled = (fill(p, context) for p in open_)
        return any(f is not None and compile_segments(f)(value) for f in filled)

    return compare
