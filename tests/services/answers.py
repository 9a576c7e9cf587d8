"""What the tests of several services share: refusals and policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, *words: str, status: int = 400) -> Iterator[None]:
    """The call is refused with a code, and the message has these words."""
    with pytest.raises(ClientError) as error:
        yield
    answer = error.value.response
    assert answer["Error"]["Code"] == code, answer
    for text in words:
        assert text in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


def statement(action: Any, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A policy's statement."""
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
