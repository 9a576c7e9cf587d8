"""What Free Tier keeps of an account: whom it told of what, and what the account earned.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/tracking-free-tier-usage.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record("freetier", "watch", key="id", regional=False)
class Watch(Record, frozen=True, kw_only=True):
    """The account's usage is looked at once a day. `told` are usage types with the month (``2026-01``) of which its
    holder was told that most of what is free is used; `earned` are activities with when they were found done."""

    id: str
    told: dict[str, str] = {}
    earned: dict[str, datetime] = {}
