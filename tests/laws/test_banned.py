"""Time, chance, processes and sockets come from one room each; nothing of the workshop is left lying about."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests.laws.tree import Module, product, texts

BANNED_MODULES = {"random", "uuid", "secrets"}
BANNED_CALLS = {
    ("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"),
    ("date", "today"), ("os", "urandom"), ("os", "getrandom"),
}  # fmt: skip
HANDS = {"subprocess", "socket", "pyroute2", "multiprocessing", "ctypes", "fcntl", "pty"}
WITH_HANDS = {"planes", "gateway", "cli", "console"}
MAY_FORK = {"planes", "cli"}
PUBLIC_HOSTS = ("pypi.org", "pythonhosted.org", "debian.org", "ubuntu.com", "amazonaws.com", "npmjs.org", "localhost")


def imported(module: Module) -> Iterator[tuple[str, int]]:
    """(top name, line) of everything that a module imports."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0], node.lineno


def attributes(module: Module) -> Iterator[tuple[tuple[str, str], int]]:
    """((owner, name), line) of ``owner.name`` anywhere, owners by their last part."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            yield (name, node.attr), node.lineno


def test_time_and_chance_come_from_base() -> None:
    found = []
    for module in product():
        if module.room == "base":
            continue
        found += [f"{module.name}:{line} {name}" for name, line in imported(module) if name in BANNED_MODULES]
        found += [f"{module.name}:{line} {call}" for call, line in attributes(module) if call in BANNED_CALLS]
        found += [
            f"{module.name}:{node.lineno} from {node.module}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ImportFrom)
            and any((node.module, alias.name) in BANNED_CALLS for alias in node.names)
        ]
    assert found == []


def test_only_the_rooms_with_hands_touch_the_host() -> None:
    found = [
        f"{module.name}:{line} {name}"
        for module in product()
        for name, line in imported(module)
        if name in HANDS and module.room not in WITH_HANDS
    ]
    assert found == []


def test_only_planes_and_the_command_line_run_programs() -> None:
    calls = {("os", name) for name in ("system", "popen", "fork", "execv", "execve", "execvp", "spawnv", "posix_spawn")}
    found = [
        f"{module.name}:{line} {what}"
        for module in product()
        if module.room not in MAY_FORK
        for what, line in [*attributes(module), *(((name, ""), line) for name, line in imported(module))]
        if what in calls or what[0] == "subprocess"
    ]
    assert found == []


def test_nothing_sleeps_in_the_product_or_waits_in_tests() -> None:
    """AWS's time is a durable alarm; a test waits for a condition."""
    found = [
        f"{module.name}:{line}"
        for module in product()
        if module.room not in {"planes", "cli"}
        for call, line in attributes(module)
        if call == ("time", "sleep")
    ]
    assert found == []


def test_nothing_is_left_to_be_done_in_silence() -> None:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|raise NotImplemented" + "Error")
    found = [f"{name}:{n}" for name, text in texts() if name.endswith(".py")
             for n, line in enumerate(text.splitlines(), 1) if marks.search(line)]  # fmt: skip
    assert found == []


def workshop() -> set[str]:
    """Words of the machine that this was made on: its folders, and its private mirrors if it has any."""
    words = {"/work" + "/main", "/work" + "/shared", "/root" + "/.", "/tmp" + "/w/"}
    for file in ("/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/apt/sources.list", "~/.npmrc"):
        path = Path(file).expanduser()
        if path.is_file():
            words |= private_hosts(path.read_text(errors="replace"))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        words |= private_hosts(os.environ.get(name, ""))
    return words


def private_hosts(text: str) -> set[str]:
    """Hosts of the URLs in a text that are nobody's public service."""
    hosts = {urlsplit(url).hostname or "" for url in re.findall(r"https?://[^\s\"']+", text)}
    return {host for host in hosts if "." in host and not host.endswith(PUBLIC_HOSTS) and not host[0].isdigit()}


def test_private_hosts_are_found_and_public_ones_are_not() -> None:
    text = "index-url = https://user:x@pip.mirror.example/simple\nextra = https://pypi.org/simple http://10.0.0.1/x"
    assert private_hosts(text) == {"pip.mirror.example"}


def test_nothing_names_the_machine_it_was_made_on() -> None:
    words = workshop()
    found = [f"{name}: {word}" for name, text in texts() for word in words if word in text]
    assert found == []
