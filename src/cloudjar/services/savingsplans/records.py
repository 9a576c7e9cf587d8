"""A Savings Plan as it is stored."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record

ACTIVE, PENDING_RETURN, RETURNED = "active", "pending-return", "returned"
IN_FORCE = (ACTIVE, PENDING_RETURN)


@record(
    "savingsplans",
    "savingsplan",
    arn="savingsplan/{id}",
    missing=("ResourceNotFoundException", "The Savings Plan {key} does not exist.", 404),
    regional=False,
)
class SavingsPlan(Record, frozen=True, kw_only=True):
    """Dollars are exact texts: `commitment` an hour, `upfront` in all, `recurring` an hour."""

    id: str
    offering: str
    commitment: str
    upfront: str
    recurring: str
    bought: datetime
    start: datetime
    end: datetime
    state: str
    tags: dict[str, str] = {}
