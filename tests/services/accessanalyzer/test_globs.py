"""Patterns as sets, against the engine that matches one text at a time."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.policy import match
from cloudjar.services.accessanalyzer.reach import globs

TEXTS = ["".join(chars) for size in range(5) for chars in product("ab:", repeat=size)]
PATTERN = st.text(alphabet="ab:*?", max_size=6)


def matching(pattern: str) -> set[str]:
    test = match.compile_glob(match.parse(pattern, wildcards=True, variables=False))
    return {text for text in TEXTS if test(text)}


@given(PATTERN, PATTERN)
@settings(max_examples=400, deadline=None)
def test_sets_relate_as_their_members_do(one: str, other: str) -> None:
    mine, theirs = matching(one), matching(other)
    if mine & theirs:
        assert globs.meet(globs.like(one), globs.like(other))
    if globs.covers(globs.like(one), globs.like(other)):
        assert theirs <= mine


@given(PATTERN, PATTERN)
@settings(max_examples=200, deadline=None)
def test_what_never_meets_is_said_to(one: str, other: str) -> None:
    if not globs.meet(globs.like(one), globs.like(other)):
        assert not matching(one) & matching(other)


def test_arns_are_compared_as_the_engine_does() -> None:
    within = [
        ("arn:aws:s3:::b*", "arn:aws:s3:::bucket/key"),
        ("arn:aws:s3:::*", "arn:aws:s3:::b/*"),
        ("*", "arn:aws:s3:::b"),
        ("arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:eu-west-3:000000000000:instance/i-1"),
        ("arn:aws:ec2:eu-*:0*0:instance/*", "arn:aws:ec2:eu-west-3:000000000000:instance/i-?"),
        ("arn:aws:s3:::a*?", "arn:aws:s3:::a?*"),
    ]
    beyond = [
        ("arn:aws:s3:::b", "arn:aws:s3:::b/*"),
        ("arn:aws:ec2:e*1:0:instance/*", "arn:aws:ec2:e*:0:instance/*"),
        ("arn:aws:ec2:*1:0:instance/*", "arn:aws:ec2:*:0:instance/*"),
    ]
    for wide, narrow in within:
        assert globs.covers(globs.resource(wide), globs.resource(narrow)), (wide, narrow)
        assert globs.meet(globs.resource(wide), globs.resource(narrow))
    for wide, narrow in beyond:
        assert not globs.covers(globs.resource(wide), globs.resource(narrow)), (wide, narrow)
    # A star inside one of the first five segments does not reach over a colon.
    inner = globs.resource("arn:aws:ec2:e*1:0:instance/x")
    assert not globs.meet(inner, globs.exact("arn:aws:ec2:eu:1:0:instance/x"))
    assert globs.meet(inner, globs.exact("arn:aws:ec2:eu-1:0:instance/x"))


def test_variables_may_be_anything() -> None:
    home = globs.resource("arn:aws:s3:::b/${aws:username}/*")
    assert globs.meet(home, globs.exact("arn:aws:s3:::b/ann/x"))
    assert globs.has_variables("arn:aws:s3:::b/${aws:username}/*")
    assert not globs.has_variables("arn:aws:s3:::b/${*}")


def test_long_patterns_are_walked_in_no_time() -> None:
    wild = globs.like("*a" * 400)
    assert globs.covers(wild, wild)
    assert globs.meet(wild, globs.exact("a" * 2000))
    assert not globs.meet(wild, globs.exact("b" * 2000))
