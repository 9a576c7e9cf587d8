"""Reading pattern text: words, quoted strings, regular expressions; and what values are compared with."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.services.logs import errors

Test = Callable[[str], bool]
_SECONDS = 0.05
"""How long one regular expression may look at one event."""
_REGEX = re.compile(r"(?:[A-Za-z0-9:_#=@/;, \-^$?\[\]{}|*+.]|\\[\x21-\x7e])+")
_BARE = re.compile(r"[^\s()&|,\]}\"%=!<>]+")


class TooSlow(AwsError):
    """A regular expression that takes too long on an event."""

    def __init__(self) -> None:
        super().__init__("InvalidParameterException", "Invalid filter pattern: the regular expression is too complex")


def refused(why: str) -> AwsError:
    """A pattern that is none."""
    return errors.invalid(f"Invalid filter pattern: {why}")


class Value(NamedTuple):
    """What a pattern compares with: a regular expression (`test`), or text that may have wildcards."""

    text: str
    quoted: bool = False
    test: Test | None = None

    @property
    def number(self) -> Decimal | None:
        """The text as a number, when it is written as one."""
        return None if self.quoted or self.test is not None else number(self.text)

    def holds(self, text: str) -> bool:
        """Whether a text equals this value."""
        if self.test is not None:
            return self.test(text)
        return wildcard(self.text)(text) if "*" in self.text else text == self.text


class Scanner:
    """A place in a pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.regexes = 0

    @property
    def done(self) -> bool:
        """At the end."""
        return self.at >= len(self.text)

    def blank(self) -> None:
        """Pass over blanks."""
        while not self.done and self.text[self.at].isspace():
            self.at += 1

    def peek(self, word: str) -> bool:
        """Whether this comes next, after blanks."""
        self.blank()
        return self.text.startswith(word, self.at)

    def take(self, word: str) -> bool:
        """Pass over this if it comes next."""
        if not self.peek(word):
            return False
        self.at += len(word)
        return True

    def need(self, word: str) -> None:
        """Pass over this; raises when it does not come next."""
        if not self.take(word):
            raise refused(f"expected '{word}' at position {self.at}")

    def find(self, pattern: re.Pattern[str]) -> str:
        """What matches here, or ""; no blanks are passed."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def quoted(self) -> str:
        """The inside of a quoted string that begins here."""
        mark, out = self.text[self.at], ""
        i = self.at + 1
        while i < len(self.text) and self.text[i] != mark:
            if self.text[i] == "\\" and self.text[i + 1 : i + 2] in (mark, "\\"):
                i += 1
            out += self.text[i]
            i += 1
        if i >= len(self.text):
            raise refused("a quotation mark is missing")
        self.at = i + 1
        return out

    def regex(self) -> Test:
        """The regular expression that begins here."""
        end = self.at + 1
        while end < len(self.text) and self.text[end] != "%":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise refused("a percent sign is missing")
        text, self.at = self.text[self.at + 1 : end], end + 1
        self.regexes += 1
        return _searcher(text)

    def value(self) -> Value:
        """What something is compared with."""
        self.blank()
        first = self.text[self.at : self.at + 1]
        if first == '"':
            return Value(self.quoted(), quoted=True)
        if first == "%":
            return Value("", test=self.regex())
        found = self.find(_BARE)
        if not found:
            raise refused(f"a value is missing at position {self.at}")
        return Value(found)


def _searcher(text: str) -> Test:
    if _REGEX.fullmatch(text) is None:
        raise refused("the regular expression has characters that are not supported")
    import regex  # some 30 ms, for the few patterns that have one

    try:
        compiled = regex.compile(text)
    except regex.error as error:
        raise refused("the regular expression is not one") from error

    def test(message: str) -> bool:
        try:
            return compiled.search(message, timeout=_SECONDS) is not None
        except TimeoutError as error:
            raise TooSlow from error

    return test


def wildcard(text: str) -> Test:
    """A test for text in which ``*`` stands for anything; linear in what it is given."""
    first, *middle, last = text.split("*")

    def test(given: str) -> bool:
        if len(given) < len(first) + len(last) or not given.startswith(first) or not given.endswith(last):
            return False
        at, end = len(first), len(given) - len(last)
        for part in middle:
            at = given.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return test


def number(text: str) -> Decimal | None:
    """A decimal number, also in scientific notation, or None."""
    if len(text) > 64 or not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


_ORDERS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
OPERATORS = ("!=", "<=", ">=", "=", "<", ">")


def ordered(operator: str, left: str, right: Value) -> bool:
    """Whether two numbers stand in an order; what is no number stands in none."""
    one, other = number(left), right.number
    return one is not None and other is not None and _ORDERS[operator](one, other)
