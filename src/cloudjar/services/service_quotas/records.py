"""What Service Quotas stores beside the values in force (`kit.quota.AppliedQuota`): the requests to raise them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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


@record("service-quotas", "template", key="organization", regional=False)
class Template(Record, frozen=True, kw_only=True):
    """The template of an organization, in its management account. `since` is when it was associated, None while it is
    not; `applied` are the accounts for which requests were made by it."""

    organization: str
    since: datetime | None = None
    applied: tuple[str, ...] = ()


@record("service-quotas", "wanted", key="place", regional=False)
class Wanted(Record, frozen=True, kw_only=True):
    """A line of the template; `place` is ``SERVICE/QUOTA/REGION``."""

    place: str
    service: str
    quota: str
    place_region: str
    desired: float


@record("service-quotas", "tagged-quota", key="place")
class TaggedQuota(Record, frozen=True, kw_only=True):
    """The tags of a quota (``service/L-...``)."""

    place: str
    tags: dict[str, str] = {}


@record("service-quotas", "utilization-report")
class UtilizationReport(Record, frozen=True, kw_only=True):
    """How much of which quotas was used when it was asked for; `rows` as the API shows them."""

    id: str
    started: datetime
    done: datetime
    rows: tuple[dict[str, Any], ...] = ()
