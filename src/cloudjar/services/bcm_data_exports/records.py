"""What Data Exports keeps.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_bcmDataExports_Export.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record
from cloudjar.services.bcm_data_exports import errors

SUCCESS, FAILURE = "DELIVERY_SUCCESS", "DELIVERY_FAILURE"
HEALTHY, UNHEALTHY = "HEALTHY", "UNHEALTHY"
EXPORTS = 5
"""Of one table each (https://docs.aws.amazon.com/cur/latest/userguide/dataexports-quotas.html)."""


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery; `reason` is "" when it went well."""

    id: str
    status: str
    reason: str = ""
    at: datetime


@record("bcm-data-exports", "export", arn="export/{id}", missing=errors.NO_EXPORT)
class Export(Record, frozen=True, kw_only=True):
    """A query whose answer is put into a bucket every day. `destination` is the S3Destination as it was given."""

    id: str
    name: str
    description: str = ""
    statement: str
    tables: dict[str, dict[str, str]] = {}
    destination: dict[str, Any]
    made: datetime
    changed: datetime
    refreshed: datetime | None = None
    due: bool = True
    """Whether it was made or changed and not delivered since."""
    executions: tuple[Execution, ...] = ()
    tags: dict[str, str] = {}
