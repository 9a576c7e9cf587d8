"""Python source, written from shapes and compiled once: what makes a codec fast.

A `Source` collects functions, one per structure shape, and the objects that they name. Nothing that
comes from a request ever reaches the source: only names of AWS's published models do, and those
through `repr`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Source:
    """Functions that call each other, compiled together."""

    def __init__(self, label: str, names: dict[str, Any] | None = None) -> None:
        self._label = label
        self._space: dict[str, Any] = dict(names or {})
        self._lines: list[str] = []
        self._functions: dict[object, str] = {}
        self._queue: list[tuple[str, Callable[[Block], None], str]] = []

    def constant(self, value: object) -> str:
        """A name by which the functions may use `value`."""
        name = f"c{len(self._space)}"
        self._space[name] = value
        return name

    def function(self, key: object, args: str, body: Callable[[Block], None]) -> str:
        """The name of the function for `key`; its body is written once, later: shapes may be recursive."""
        name = self._functions.get(key)
        if name is None:
            name = self._functions[key] = f"f{len(self._functions)}"
            self._queue.append((name, body, args))
        return name

    def build(self) -> dict[str, Any]:
        """Compile everything; the namespace holds the functions by name."""
        while self._queue:
            name, body, args = self._queue.pop()
            self._lines.append(f"def {name}({args}):")
            block = Block(self._lines, 1)
            body(block)
            block.line("pass")
        code = compile("\n".join(self._lines), f"<wire {self._label}>", "exec")
        exec(code, self._space)  # our own source, made of published model names only
        return self._space


class Block:
    """Lines at one depth of indentation."""

    def __init__(self, lines: list[str], depth: int) -> None:
        self._lines = lines
        self._depth = depth

    def line(self, text: str) -> None:
        """One statement."""
        self._lines.append("    " * self._depth + text)

    def inside(self, header: str) -> Block:
        """The body of a compound statement, which must get at least one line."""
        self.line(header)
        return Block(self._lines, self._depth + 1)

    def variable(self, stem: str = "x") -> str:
        """A local name that an enclosing block does not use."""
        return f"{stem}{self._depth}"
