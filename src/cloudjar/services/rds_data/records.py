"""What is stored: which transactions are open. Their sessions are the server's, and end with it."""

from __future__ import annotations

from datetime import datetime, timedelta

from cloudjar.kit.record import Record, record

UNUSED = timedelta(minutes=3)
LONGEST = timedelta(hours=24)


@record("rds-data", "transaction", key="id", index=("cluster",))
class Transaction(Record, frozen=True, kw_only=True):
    """A transaction on a cluster, by the cluster's resource id."""

    id: str
    cluster: str
    machine: str
    """Whose engine has it: who is no writer any more lost it."""
    database: str
    begun: datetime
    used: datetime
    """When a call named it last."""

    @property
    def ends(self) -> datetime:
        """When it is rolled back, if nobody names it."""
        return min(self.used + UNUSED, self.begun + LONGEST)
