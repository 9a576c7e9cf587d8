"""DryRun on every operation of EC2: permissions are checked, and nothing is done."""

from __future__ import annotations

from typing import Any

from cloudjar.spec import models
from tests.calls import minimal, read, signed, write
from tests.laws.built import REGISTRY
from tests.laws.conftest import Court

PROTOCOL = "ec2"


def dry() -> list[tuple[str, dict[str, Any]]]:
    """(operation, a well-formed call that must not be carried out) of every operation that knows DryRun."""
    known = models.service("ec2").operations
    inputs = ((operation.name, known[operation.name].input) for operation in REGISTRY.operations("ec2"))
    return [(name, minimal(shape) | {"DryRun": True}) for name, shape in inputs
            if shape is not None and "DryRun" in shape.members]  # fmt: skip


def answered(court: Court, operation: str, params: dict[str, Any], *who: Any) -> tuple[int, str]:
    """Status and error code."""
    answer = court.line.send(signed(write("ec2", operation, params, PROTOCOL), "ec2", *who))
    return answer.status, str(read("ec2", operation, answer, PROTOCOL).get("Error", {}).get("Code"))


def test_who_may_is_told_so_and_nothing_is_done(court: Court) -> None:
    asked = dry()
    assert len(asked) > 200
    wrong = {name: said for name, params in asked
             if (said := answered(court, name, params)) != (412, "DryRunOperation")}  # fmt: skip
    assert wrong == {}


def test_who_may_not_is_told_that(court: Court) -> None:
    wrong = {name: said for name, params in dry()
             if (said := answered(court, name, params, court.nobody)) != (403, "UnauthorizedOperation")}  # fmt: skip
    assert wrong == {}
