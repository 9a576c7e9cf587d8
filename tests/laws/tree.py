"""The source tree as the laws read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "cloudjar"
OUR_FOLDERS = ("src", "tests", "bench", "tools", "docs", "examples", ".ci", "packaging")
TEXT_ENDINGS = (".py", ".md", ".toml", ".json", ".txt", ".cfg", ".sh", ".yml", ".yaml", "")
NOT_OURS = ("__pycache__", ".egg-info", "node_modules")


class Module(NamedTuple):
    """One Python file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its path from the repository's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        """The first folder below ``cloudjar`` (or the file itself)."""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The Python files below some folders of the repository."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            found.append(Module(path, text, ast.parse(text)))
    return tuple(found)


def product() -> tuple[Module, ...]:
    """Every module of the product."""
    return modules("src/cloudjar")


def texts() -> Iterator[tuple[str, str]]:
    """(path, content) of every text that we wrote: sources, tests, documents, settings."""
    tops = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT_ENDINGS]
    inside = [path for folder in OUR_FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    for path in tops + inside:
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in TEXT_ENDINGS and not any(part in name for part in NOT_OURS):
            try:
                yield name, path.read_text()
            except UnicodeDecodeError:
                continue  # a binary without an ending
