"""One jar for the stories of a file, and a tool of this machine told of it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stories.served import Served, serving

PATIENCE = 300.0
Tool = Callable[..., str]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A jar in a process of its own."""
    with serving(tmp_path_factory.mktemp("s3")) as jar:
        yield jar


@pytest.fixture(scope="module")
def key(shop: Served) -> tuple[str, str]:
    """The key of an administrator who is not root."""
    return shop.user("admin-dev")


@pytest.fixture
def run(shop: Served, key: tuple[str, str]) -> Tool:
    """Runs a program as an administrator; gives what it printed, or fails with it."""

    def run(*words: str, **more: str) -> str:
        if shutil.which(words[0]) is None and "/" not in words[0]:
            pytest.fail(f"{words[0]} is not on this machine. Try: make clients")
        done = subprocess.run(
            words,
            cwd=shop.folder,
            env=shop.environment(*key, **more),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}: {done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="module")
def tree(shop: Served) -> Path:
    """Files as people have them: small and large, deep, with names that must be escaped."""
    root = shop.folder / "tree"
    (root / "a" / "deep one").mkdir(parents=True)
    (root / "a" / "deep one" / "ü+%&=?#.txt").write_text("names\n")
    (root / "empty").write_bytes(b"")
    for n in range(1, 6):
        (root / "a" / f"file {n}.bin").write_bytes(bytes([n]) * 10_000 * n)
    (root / "large.bin").write_bytes(b"".join(n.to_bytes(4, "big") for n in range(5 << 20)))
    return root


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""

    def files(root: Path) -> dict[str, bytes]:
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    return files(one) == files(other)
