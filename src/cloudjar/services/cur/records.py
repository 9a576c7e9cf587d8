"""What Cost and Usage Reports keeps.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_cur_ReportDefinition.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record

REPORTS = 5
"""Of an account (https://docs.aws.amazon.com/cur/latest/userguide/cur-limits.html)."""


@record("cur", "cur", key="name", arn="definition/{name}")
class Report(Record, frozen=True, kw_only=True):
    """A report; `definition` is as it was given. `due` while it was not delivered since it was made or changed."""

    name: str
    definition: dict[str, Any]
    changed: datetime
    due: bool = True
    delivered: datetime | None = None
    status: str = ""
    tags: dict[str, str] = {}
