"""Limits in force: AWS's defaults, overridden by what Service Quotas granted."""

from __future__ import annotations

from cloudjar.kit.record import Record, meta, record
from cloudjar.store.tables import Tables

_GLOBAL = "us-east-1"
"""Where Service Quotas keeps the quotas of services without regions."""


@record("servicequotas", "applied", key="code", arn="{code}")
class AppliedQuota(Record, frozen=True, kw_only=True):
    """A quota that was raised for an account in a region; `code` is ``service/L-...``."""

    code: str
    value: float


class Quotas:
    """Effective values, by account, region and (service code, quota code)."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def limit(self, account: str, region: str, code: tuple[str, str]) -> float | None:
        """The limit in force; None when the quota exists but AWS publishes no number."""
        applied = self._tables.get(meta(AppliedQuota).spec, account, region or _GLOBAL, "/".join(code))
        if applied is not None:
            return applied.value
        from cloudjar.spec import quotas  # read at the first add of a counted record, not at start

        return quotas.default(*code)
