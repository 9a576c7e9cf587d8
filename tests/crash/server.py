"""A jar in a process of its own, so that it can be killed. Its planes are simulated and die with it, as a host does
that loses its power: whatever should run must be started again at boot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from cloudjar.base.clock import monotonic
from tests.ports import free_port

_SERVE = """
import sys
from pathlib import Path
from cloudjar.app import serve
from cloudjar.base.settings import Settings
home = Path(sys.argv[1])
serve(Settings(home=home, port=int(sys.argv[2]), planes="sim", durable=sys.argv[3] == "durable"), home / "ready.json")
"""


def until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for a condition; the deadline only keeps a broken product from hanging the suite."""
    pause = threading.Event()
    end = monotonic() + seconds
    while not condition():
        if monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        pause.wait(0.01)


class ServerProcess:
    """Starts, kills and restarts one jar on the same home and port."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self.port = free_port()
        self.log = home.parent / f"{home.name}.log"
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._dying = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def dead(self) -> bool:
        """True when it was killed (or fell over)."""
        return self._process is None or self._process.poll() is not None

    def start(self) -> None:
        """Start and wait until it answers; killed while it starts, it is started again."""
        while not self._launched():
            assert self._process is not None
            killed = self._process.returncode == -signal.SIGKILL
            assert killed, f"the server did not start:\n{self.log.read_text()[-4000:]}"

    def _launched(self) -> bool:
        ready = self.home / "ready.json"
        ready.unlink(missing_ok=True)
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(self.home), str(self.port), "durable" if self._durable else "fast"],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONFAULTHANDLER": "1"},
            )
        until(lambda: ready.exists() or self.dead, "the server to answer")
        if not ready.exists():
            return False
        assert json.loads(ready.read_text())["port"] == self.port
        return True

    def kill(self) -> None:
        """kill -9; the next call of a client finds nobody."""
        with self._dying:
            if not self.dead:
                os.kill(self.pid, signal.SIGKILL)
                assert self._process is not None
                self._process.wait(30)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        assert self._process is not None
        if not self.dead:
            self._process.terminate()
        return self._process.wait(60)
