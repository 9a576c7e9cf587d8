"""What becomes of a transaction that nobody ends: it is rolled back.

https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_BeginTransaction.html
"""

from __future__ import annotations

from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.rds_data import transactions
from cloudjar.services.rds_data.records import Transaction


@reconciler(Transaction)
def converge(step: Step, one: Transaction | None) -> None:
    """End it when its time is over, and forget one whose session ended with the server or with the engine."""
    if one is None or (transactions.is_open(step.world, one.id) and step.early(one.ends.timestamp())):
        return
    with step.world.state.database.transaction():
        now = step.db[Transaction].get(one.id)
        if now is None or (now.used != one.used and transactions.is_open(step.world, one.id)):
            return  # it was used meanwhile: that wakes this one again
        step.db[Transaction].drop(now)
        session = transactions.let_go(step.world, one.id)
    if session is not None:
        session.abort()
