"""What people see: aligned tables, colour on a terminal only, errors that say what to try."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import IO, Any

import click


class Failure(click.ClickException):
    """Something could not be done: `what`, `why` it could not, and what to `hint` at trying. Exit code 1."""

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.why = why
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        """Up to three lines on standard error."""
        out = file or sys.stderr
        print(f"{paint('cloudjar:', 'red', out)} {self.message}", file=out)
        for line in self.why.splitlines():
            print(f"  {line}", file=out)
        if self.hint:
            print(f"  Try: {self.hint}", file=out)


def colourful(out: IO[Any] | None = None) -> bool:
    """True on a terminal that did not ask for none (https://no-color.org)."""
    return (out or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, out: IO[Any] | None = None) -> str:
    """Text in a colour, where colours are shown."""
    return click.style(text, fg=colour) if colour and colourful(out) else text


def say(text: str = "") -> None:
    """A line for the reader, at once."""
    print(text, flush=True)


def note(text: str) -> None:
    """A line about the work itself: on standard error, so that output can be piped."""
    print(text, file=sys.stderr, flush=True)


def show_json(value: Any) -> None:
    """For programs."""
    print(json.dumps(value, indent=2, default=str))


def table(rows: Sequence[Sequence[str]], heads: Sequence[str] = (), *, right: Sequence[int] = ()) -> list[str]:
    """Aligned lines; the columns numbered in `right` are set flush right."""
    everything = [list(heads), *map(list, rows)] if heads else [list(row) for row in rows]
    if not everything:
        return []
    widths = [max(len(row[i]) for row in everything) for i in range(len(everything[0]))]
    lines = []
    for row in everything:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def print_table(rows: Sequence[Sequence[str]], heads: Sequence[str] = (), *, right: Sequence[int] = ()) -> None:
    """`table` on standard output, its head dimmed on a terminal."""
    for number, line in enumerate(table(rows, heads, right=right)):
        print(click.style(line, dim=True) if heads and number == 0 and colourful() else line)
