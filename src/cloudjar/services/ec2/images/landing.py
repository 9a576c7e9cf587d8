"""What tasks write into buckets: put down whole first and then handed to S3, and how one that failed says why.

https://docs.aws.amazon.com/vm-import/latest/userguide/vmexport_image.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit.machine import Step
from cloudjar.services.ec2 import errors

CANCELLED = "User initiated task cancelation"


@contextmanager
def landed(step: Step, write: Callable[[Callable[[bytes], None]], None]) -> Iterator[Any]:
    """What `write` feeds, put down as the body of an object that is to be, for as long as it is handed over."""
    sink = step.world.ports["objects"].sink()
    try:
        write(sink.feed)
        body = sink.finish()
    except BaseException:
        sink.abort()
        raise
    try:
        yield body
    finally:
        body.close()


def failure(work: Callable[[], None]) -> str | None:
    """Do an export's work; None when it is done, else why not, for its owner to read. Faults of a server's, not of what
    was asked for, are raised, so that it is tried again."""
    try:
        work()
    except AwsError as error:
        if error.is_server_fault:
            raise
        return error.message
    except PlaneError as error:
        return str(error)
    return None


def check_active(task: str, state: str) -> None:
    """Only an export that is not done yet can be given up. Raises InvalidParameterValue."""
    if state != "active":
        raise errors.invalid_parameter(task, "exportTaskId", f"The task is {state}.")
