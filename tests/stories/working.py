"""A program that works with Celery, run by an environment of its own (see tools/clients.txt)."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from celery import Celery

app = Celery("shop", broker=os.environ["BROKER"])
app.conf.update(
    broker_transport_options={
        "region": os.environ["AWS_REGION"], "is_secure": False, "queue_name_prefix": "shop-", "visibility_timeout": 5,
        "wait_time_seconds": 10,
    },
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)  # fmt: skip


def note(text: str) -> None:
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"{text}\n")


@app.task(name="add")  # type: ignore[untyped-decorator]  # Celery has no types
def add(one: int, other: int) -> None:
    note(f"{one}+{other}={one + other}")


@app.task(name="dies once")  # type: ignore[untyped-decorator]  # Celery has no types
def dies_once(name: str) -> None:
    """The first worker who does this is killed in the middle of it."""
    note(f"began {name}")
    while not Path(os.environ["NOTES"]).with_name("spared").exists():
        time.sleep(0.05)
    note(f"ended {name}")


@app.task(name="tries", bind=True, max_retries=3)  # type: ignore[untyped-decorator]  # Celery has no types
def tries(self: object) -> None:
    count = self.request.retries  # type: ignore[attr-defined]  # Celery's
    note(f"try {count}")
    if count < 2:
        raise self.retry(countdown=0)  # type: ignore[attr-defined]  # Celery's


if __name__ == "__main__" and sys.argv[1:] == ["send"]:
    for number in range(50):
        add.delay(number, number)
    tries.delay()
    add.apply_async((1000, 1), countdown=1)
elif __name__ == "__main__":
    dies_once.delay("the order")
