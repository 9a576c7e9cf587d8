"""The models' regular expressions, made to run: they are Java's, and Python's grammar differs.

A pattern is matched against the whole value, as AWS does. Unicode categories become explicit ranges: those of
ASCII for values in ASCII, the whole table (made at first need) for the rest.
"""

from __future__ import annotations

import re
import sys
import unicodedata
import warnings
from collections.abc import Callable
from functools import cache

_PROPERTY = re.compile(r"\\([pP])\{(\^?[A-Za-z]+)\}")
_CLASS_THEN_DASH = re.compile(r"(\\[wdsWDS])-(?!\])")
_WORDS_AND_DASHES = re.compile(r"\(\?:-\?(\[[^\]-]*(?:\w-\w[^\]-]*)*\])\+\)")
"""``(?:-?[a-z0-9]+)``, repeated: each letter more doubles the ways to divide a word, and a matcher tries them all."""
_ASTRAL = r"\uD800\uDC00-\uDBFF\uDFFF"
_POSIX = {
    "ASCII": r"\x00-\x7f",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "Digit": "0-9",
    "Graph": r"\x21-\x7e",
    "Print": r"\x20-\x7e",
    "Punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "Upper": "A-Z",
    "XDigit": "0-9a-fA-F",
    "all": r"\x00-\U0010ffff",
}
_CATEGORIES = {"IsAlphabetic": ("L", "Nl"), "IsWhitespace": ("Z",), "LD": ("L", "Nd")}


@cache
def _ranges(name: str, limit: int, inverted: bool) -> str:
    """The characters below `limit` of a Unicode category (or without it), as the inside of a class."""
    wanted = _CATEGORIES.get(name, (name,))
    runs: list[list[int]] = []
    for code in range(limit):
        if unicodedata.category(chr(code)).startswith(wanted) is not inverted:
            if runs and runs[-1][1] == code - 1:
                runs[-1][1] = code
            else:
                runs.append([code, code])
    return "".join(f"\\U{a:08x}-\\U{b:08x}" if b > a else f"\\U{a:08x}" for a, b in runs)


def _inside_class(text: str, at: int) -> bool:
    """True when position `at` of a pattern stands between brackets."""
    depth = 0
    i = 0
    while i < at:
        if text[i] == "\\":
            i += 1
        elif text[i] == "[" and not depth:
            depth = 1
            if text[i + 1 : i + 2] == "]" or text[i + 1 : i + 3] == "^]":
                i += 2
        elif text[i] == "]" and depth:
            depth = 0
        i += 1
    return bool(depth)


def _translated(pattern: str, limit: int) -> str:
    def category(match: re.Match[str]) -> str:
        name = match[2].lstrip("^")
        inverted = (match[1] == "P") != match[2].startswith("^")
        if name in _POSIX and not inverted:
            inner = _POSIX[name]
        else:
            inner = _ranges(name, limit, inverted)
        if _inside_class(match.string, match.start()):
            after = match.string[match.end() : match.end() + 2]
            return inner + ("\\" if after[:1] == "-" and after[1:] != "]" else "")
        return f"[{inner}]" if inner else "(?!)"

    text = pattern.replace(_ASTRAL, r"\U00010000-\U0010ffff").replace(r"\z", r"\Z")
    text = _WORDS_AND_DASHES.sub(r"(?:-?\1++)", text)
    text = re.sub(r"\\x\{([0-9A-Fa-f]{2,4})\}", lambda m: f"\\u{int(m[1], 16):04x}", text)
    text = _CLASS_THEN_DASH.sub(lambda m: m[1] + ("\\-" if _inside_class(m.string, m.start()) else "-"), text)
    return _PROPERTY.sub(category, text)


@cache
def matcher(pattern: str) -> Callable[[str], bool] | None:
    """A test of whole values; None: a published pattern that is no regular expression, which nobody can enforce."""
    try:
        ascii_only = _compile(_translated(pattern, 128))
    except (re.error, OverflowError):
        return None
    if not _PROPERTY.search(pattern):
        return lambda value: ascii_only.fullmatch(value) is not None

    def test(value: str) -> bool:
        if value.isascii():
            return ascii_only.fullmatch(value) is not None
        return _unicode(pattern).fullmatch(value) is not None

    return test


@cache
def _unicode(pattern: str) -> re.Pattern[str]:
    return _compile(_translated(pattern, sys.maxunicode + 1))


def _compile(text: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # "[[" and "--" mean in Java what they meant in Python
        return re.compile(text, re.ASCII)
