"""Advice on an account: what is checked, what was found, and who checks. Two services tell it, and the command line.

Trusted Advisor (``services/trustedadvisor``) has the checks; whoever tells of them asks `advisor`.

https://docs.aws.amazon.com/awssupport/latest/user/trusted-advisor-check-reference.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from cloudjar.kit.context import Ctx, World

Status = Literal["ok", "warning", "error", "not_available"]
SERVICE = "trustedadvisor"
RANK: dict[str, int] = {"ok": 0, "not_available": 0, "warning": 1, "error": 2}


class Check(NamedTuple):
    """One check: AWS's own id and name where AWS has it; ours begin with ``cloudjar-``."""

    id: str
    name: str
    category: str
    """``cost_optimizing``, ``security``, ``fault_tolerance``, ``performance``, ``service_limits`` or
    ``operational_excellence``."""
    description: str
    columns: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether AWS has no such check."""
        return self.id.startswith("cloudjar-")


class Call(msgspec.Struct, frozen=True):
    """A call that mends something. A parameter ``$Name`` is that member of an answer of the calls before."""

    service: str
    operation: str
    params: dict[str, Any]
    region: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check says of one resource. `values` go with the check's columns."""

    status: Status
    region: str
    resource: str
    """What people call it: an id, a name."""
    values: tuple[str, ...] = ()
    evidence: str = ""
    monthly: float = 0.0
    """US dollars that it costs in this month, were it there for all of it."""
    fix: tuple[Call, ...] = ()
    hint: str = ""
    """What to do where no call can do it alone."""
    excluded: bool = False


class Outcome(NamedTuple):
    """What a check found when it ran last. `state` is ``not_available`` when it could not look."""

    check: Check
    at: datetime
    state: Status
    findings: tuple[Finding, ...]

    @property
    def flagged(self) -> list[Finding]:
        """What is not in order, and not excluded."""
        return [f for f in self.findings if f.status in ("warning", "error") and not f.excluded]

    @property
    def savings(self) -> float:
        """Dollars a month."""
        return sum(f.monthly for f in self.flagged) if self.check.category == "cost_optimizing" else 0.0


class Advisor(Protocol):
    """Who checks."""

    def checks(self) -> tuple[Check, ...]:
        """Every check there is."""
        ...

    def look(self, ctx: Ctx, checks: Iterable[str], *, anew: bool = False) -> None:
        """Run those checks whose outcome is older than a day (`anew`: all of them). Blocks; not in a transaction."""
        ...

    def outcome(self, ctx: Ctx, check: str) -> Outcome | None:
        """What was found last; None before the first look."""
        ...

    def refresh(self, ctx: Ctx, check: str) -> None:
        """Have a check run soon, in the background; in the running transaction."""
        ...

    def refreshing(self, ctx: Ctx, check: str) -> tuple[str, int]:
        """(``none``, ``enqueued``, ``success``, ``abandoned``; milliseconds until it may be refreshed again)."""
        ...

    def key(self, check: str, finding: Finding) -> str:
        """The id of a resource in a check's outcome: always the same 43 characters."""
        ...


_ADVISORS: list[Advisor] = []


def advises(advisor: Advisor) -> None:
    """Declare who checks (at import)."""
    _ADVISORS[:] = [advisor]


def advisor(world: World) -> Advisor:
    """Who checks; its service is loaded when it is not yet."""
    world.load(SERVICE)
    return _ADVISORS[0]
