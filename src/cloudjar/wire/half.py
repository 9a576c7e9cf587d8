"""What each protocol module makes for an operation, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from cloudjar.spec.models import OperationModel
from cloudjar.wire.message import Request, Response
from cloudjar.wire.rendered import Rendered

Parse = Callable[[Request, dict[str, str]], dict[str, Any]]
Respond = Callable[[dict[str, Any], str], Response]


class Half(Protocol):
    """What a protocol module makes for an operation."""

    def parser(self) -> Parse: ...

    def responder(self) -> Respond: ...

    def element(self, path: str, value: dict[str, Any]) -> Rendered: ...


def shape_at(op: OperationModel, path: str) -> Any:
    """The output structure that dotted `path` leads to, through lists and maps."""
    shape = op.output
    for step in path.split("."):
        shape = shape.members[step] if shape is not None else None
        while shape is not None and shape.type in ("list", "map"):
            shape = shape.member if shape.type == "list" else shape.value
    if shape is None or shape.type != "structure":
        raise KeyError(path)
    return shape
