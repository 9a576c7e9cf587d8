"""The list of checks: each is a function that looks at an account and says what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cloudjar.kit.advice import Call, Check, Finding
from cloudjar.services.trustedadvisor.looking import Look

Run = Callable[[Look], Iterable[Finding]]
CHECKS: dict[str, tuple[Check, Run]] = {}


def check(
    key: str, name: str, category: str, description: str, columns: tuple[str, ...] = (), services: tuple[str, ...] = ()
) -> Callable[[Run], Run]:
    """Decorator: declare a check. `key` and `columns` are AWS's where AWS has such a check."""

    def declare(run: Run) -> Run:
        CHECKS[key] = (Check(key, name, category, description, columns, services), run)
        return run

    return declare


def mend(region: str, service: str, operation: str, **params: Any) -> Call:
    """A call that mends something."""
    return Call(service, operation, params, region)


COLOURS = {"ok": "Green", "warning": "Yellow", "error": "Red"}
"""What the reports' columns call a status."""


def dollars(amount: float) -> str:
    """``$8.35``."""
    return f"${amount:,.2f}"
