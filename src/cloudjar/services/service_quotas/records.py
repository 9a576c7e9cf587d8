"""What Service Quotas stores beside the values in force (`kit.quota.AppliedQuota`): the requests to raise them."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record
from cloudjar.services.service_quotas import errors

_MISSING = errors.no_request()


@record("service-quotas", "request", index=("service", "quota", "state"), missing=(_MISSING.code, _MISSING.message))
class IncreaseRequest(Record, frozen=True, kw_only=True):
    """A request for a higher limit; `requester` is the ARN of who asked."""

    id: str
    service: str
    quota: str
    desired: float
    state: str
    created: datetime
    updated: datetime
    requester: str
