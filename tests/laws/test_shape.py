"""Functions and files stay small, imports go downwards, names say something."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

from tests.laws.tree import ROOT, modules, product, texts

RATCHET = Path(__file__).with_name("ratchet.json")
FILE_LINES, FUNCTION_LINES = 500, 60
OURS = ("src", "tests", "bench", "tools")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
Sizes = dict[str, dict[str, int]]


def oversize() -> Sizes:
    """Files and functions beyond their limit, with their lengths."""
    files, functions = {}, {}
    for module in modules(*OURS):
        lines = len(module.text.splitlines())
        if lines > FILE_LINES:
            files[module.name] = lines
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    functions[f"{module.name}:{node.name}"] = length
    return {"files": files, "functions": functions}


def test_what_is_too_large_only_shrinks() -> None:
    """`ratchet.json` lists the offenders of the past. Whoever shrinks one lowers its number; nobody adds one."""
    allowed: Sizes = json.loads(RATCHET.read_text())
    found = oversize()
    for kind in ("files", "functions"):
        grown = {name: size for name, size in found[kind].items() if size > allowed[kind].get(name, 0)}
        assert grown == {}, f"too large ({kind}): split it, say in two rooms what two things are"
        stale = {name: size for name, size in allowed[kind].items() if found[kind].get(name, 0) < size}
        assert stale == {}, f"these {kind} have shrunk: lower or remove their numbers in {RATCHET.name}"


def test_upper_rooms_import_lower_ones_and_services_are_strangers() -> None:
    # In a process of its own: it silences the loggers of the one in which it runs.
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    done = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [
        module.name
        for module in modules(*OURS)
        if FORBIDDEN_NAMES & {*module.path.relative_to(ROOT).parts[:-1], module.path.stem}
    ]
    assert named == []


def test_imports_are_absolute() -> None:
    relative = [
        f"{module.name}:{node.lineno}"
        for module in modules(*OURS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_every_module_and_every_public_function_of_the_product_says_what_it_is() -> None:
    silent = []
    for module in product():
        if module.text.strip() and ast.get_docstring(module.tree) is None:
            silent.append(module.name)
        silent += [
            f"{module.name}:{node.name}"
            for node in module.tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and node.name[0] != "_"
            and ast.get_docstring(node) is None
            and not _is_overload(node)
        ]
    assert silent == []


def _is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)


def test_a_silenced_checker_is_told_why() -> None:
    """``type: ignore`` and ``noqa`` are followed by a reason on their line."""
    silent = []
    for name, text in texts():
        if not name.endswith(".py"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for mark in ("# type: " + "ignore", "# no" + "qa"):
                _, found, rest = line.partition(mark)
                reason = rest.partition("]")[2] if mark.endswith("ignore") else rest.partition(":")[2].strip()[7:]
                if found and not any(c.isalpha() for c in reason):
                    silent.append(f"{name}:{number}")
    assert silent == []
