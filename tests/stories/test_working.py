"""Celery on a queue: tasks are done once, tried again, and never lost with the worker who had them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.host.jar.served import until
from tests.stories.served import Served

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]
FOLDER = Path(__file__).parent


class Shop:
    """A program of workers and senders, and the notes that workers make."""

    def __init__(self, served: Served) -> None:
        self.python = Path(sys.prefix) / "clients" / "bin" / "python"
        assert self.python.exists(), "the Python clients are not there. Try: make clients"
        self.folder = served.folder
        self.notes = served.folder / "notes"
        address = served.endpoint.partition("://")[2]
        self.environment = served.environment(
            BROKER=f"sqs://test:test@{address}//", NOTES=str(self.notes), PYTHONDONTWRITEBYTECODE="1"
        )

    def send(self, what: str) -> None:
        subprocess.run([self.python, FOLDER / "working.py", what], env=self.environment, cwd=FOLDER, timeout=120,
                       check=True)  # fmt: skip

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker at work; killed in the end."""
        command = [str(self.python), "-m", "celery", "-A", "working", "worker", "--pool", "solo",
                   "--loglevel", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat"]  # fmt: skip
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.environment, cwd=FOLDER, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(60)

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []


def test_celery_works_on_a_queue(served: Served) -> None:
    shop, sqs = Shop(served), served.client("sqs")
    shop.send("send")
    [url] = sqs.list_queues(QueueNamePrefix="shop-")["QueueUrls"]
    assert url.endswith("/shop-celery")
    wanted = sorted([*(f"{n}+{n}={2 * n}" for n in range(50)), "1000+1=1001", "try 0", "try 1", "try 2"])
    with shop.worker():
        until(lambda: len(shop.noted()) >= len(wanted), "all tasks to be done", 120)

        def empty() -> bool:
            names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return set(told.values()) == {"0"}

        until(empty, "all messages to be deleted", 120)
    assert sorted(shop.noted()) == wanted


def test_a_task_outlives_its_worker(served: Served) -> None:
    shop = Shop(served)
    shop.send("die")
    with shop.worker():
        until(lambda: shop.noted() == ["began the order"], "the task to begin", 120)
    (served.folder / "spared").touch()
    with shop.worker():
        until(lambda: "ended the order" in shop.noted(), "another worker to do it", 120)
    assert shop.noted() == ["began the order", "began the order", "ended the order"]
