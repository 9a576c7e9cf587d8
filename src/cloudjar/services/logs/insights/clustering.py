"""The command ``pattern``: texts of one shape are one pattern, with a token for what varies.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Pattern.html

A text is cut into words and gaps between them; times, addresses, UUIDs and numbers are told by their looks. Texts of
the same shape are one pattern at once; shapes that have the same gaps and agree in most words are too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_PIECE = re.compile(
    r"(?P<Timestamp>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
    r"|(?P<UUID>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)"
    r"|(?P<IPAddress>\b\d{1,3}(?:\.\d{1,3}){3}\b)"
    r"|(?P<Number>(?<![\w.])\d{1,30}(?:\.\d{1,30})?(?!\w|\.\d))"
    r"|(?P<word>\w+)"
    r"|(?P<gap>[^\w]+?(?=\w|$))",
    re.DOTALL,
)
_ALWAYS = frozenset(("Timestamp", "UUID", "IPAddress"))
"""What varies by its nature: a token even where it was always the same."""
_ALIKE = 0.6
_MOST = 32
"""Patterns with the same gaps; what comes then goes to the one that is most like it."""
_LONGEST = 4096
"""Characters of a text that are looked at."""
_SEVERITY = re.compile(r"\b(fatal|critical|error|warn(?:ing)?|info|debug|trace)\b", re.IGNORECASE)
_LABELS = {"fatal": "Fatal", "critical": "Critical", "error": "Error", "warn": "Warning", "warning": "Warning",
           "info": "Info", "debug": "Debug", "trace": "Trace"}  # fmt: skip


class Found(NamedTuple):
    """A pattern and how many texts have it; `severity` is "" when they do not say."""

    pattern: str
    often: int
    severity: str


class _Cluster:
    """Texts of one pattern. `kinds` has "" where words differ."""

    def __init__(self, kinds: list[str], texts: list[str]) -> None:
        self.kinds, self.texts = kinds, texts
        self.varies = [False] * len(texts)
        self.count = 0

    def alike(self, kinds: list[str], texts: list[str]) -> float:
        """The share of words that agree, of a text with the same gaps."""
        same = words = 0
        for mine, kind, own, text in zip(self.kinds, kinds, self.texts, texts, strict=True):
            if kind != "gap":
                words += 1
                same += mine == kind and (mine != "word" or own == text)
        return same / words if words else 1.0

    def take(self, kinds: list[str], texts: list[str]) -> None:
        """One more text."""
        self.count += 1
        for place, text in enumerate(texts):
            if text != self.texts[place]:
                self.varies[place] = True
                if kinds[place] == "word" or kinds[place] != self.kinds[place]:
                    self.kinds[place] = ""

    def shown(self) -> str:
        """The pattern, its tokens counted from 1."""
        said, tokens = [], 0
        for kind, text, varies in zip(self.kinds, self.texts, self.varies, strict=True):
            if varies or kind in _ALWAYS:
                tokens += 1
                said.append(f"<{kind or 'Token'}-{tokens}>")
            else:
                said.append(text)
        return "".join(said)


def _cut(text: str) -> tuple[list[str], list[str]]:
    found = [(match.lastgroup or "", match[0]) for match in _PIECE.finditer(text[:_LONGEST])]
    return [kind for kind, _ in found], [piece for _, piece in found]


def patterns(texts: Iterable[str]) -> list[Found]:
    """The patterns of texts, the most frequent first."""
    known: dict[tuple[str, ...], _Cluster] = {}
    near: dict[tuple[str, ...], list[_Cluster]] = {}
    for text in texts:
        kinds, pieces = _cut(text)
        both = zip(kinds, pieces, strict=True)
        shape = tuple(piece if kind in ("word", "gap") else f"<{kind}>" for kind, piece in both)
        cluster = known.get(shape)
        if cluster is None:
            gaps = tuple(piece if kind == "gap" else "" for kind, piece in zip(kinds, pieces, strict=True))
            cluster = known[shape] = _nearest(near.setdefault(gaps, []), kinds, pieces)
        cluster.take(kinds, pieces)
    # Two shapes may have come to the same pattern.
    said: dict[str, int] = {}
    for cluster in dict.fromkeys(known.values()):
        shown = cluster.shown()
        said[shown] = said.get(shown, 0) + cluster.count
    ordered = sorted(said.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Found(one, count, _severity(one)) for one, count in ordered]


def _nearest(near: list[_Cluster], kinds: list[str], pieces: list[str]) -> _Cluster:
    best = max(near, key=lambda one: one.alike(kinds, pieces), default=None)
    likeness = best.alike(kinds, pieces) if best is not None else 0.0
    if best is not None and (likeness >= _ALIKE or len(near) >= _MOST):
        return best
    made = _Cluster(list(kinds), list(pieces))
    near.append(made)
    return made


def _severity(text: str) -> str:
    found = _SEVERITY.search(text)
    return _LABELS[found[1].lower()] if found else ""
