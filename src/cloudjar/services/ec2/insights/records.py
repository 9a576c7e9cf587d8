"""Reachability Analyzer as it is stored: paths to ask about, and analyses with what came out.

https://docs.aws.amazon.com/vpc/latest/reachability/how-reachability-analyzer-works.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record

PATHS, ANALYSES = 100, 1000
"""How many of each an account may have in a region; Service Quotas has no number for them here."""


@record(
    "ec2",
    "network-insights-path",
    missing=("InvalidNetworkInsightsPathId.NotFound", "The network insights path ID '{key}' does not exist"),
)
class Path(Record, frozen=True, kw_only=True):
    """From where to where, and which packets. Port 0 is any."""

    id: str
    created: datetime
    source: str
    destination: str = ""
    source_ip: str = ""
    destination_ip: str = ""
    protocol: str
    port: int = 0
    source_port: int = 0
    filters: dict[str, Any] = {}
    """FilterAtSource and FilterAtDestination as they were given."""
    tags: dict[str, str] = {}


@record(
    "ec2",
    "network-insights-analysis",
    index=("path_id",),
    missing=("InvalidNetworkInsightsAnalysisId.NotFound", "The network insights analysis ID '{key}' does not exist"),
)
class Analysis(Record, frozen=True, kw_only=True):
    """One look at a path; the network as it was then."""

    id: str
    path_id: str
    started: datetime
    status: str = "running"
    message: str = ""
    found: bool | None = None
    forward: list[dict[str, Any]] = []
    back: list[dict[str, Any]] = []
    explanations: list[dict[str, Any]] = []
    said: list[str] = []
    """The same in words, one line for each decision."""
    tags: dict[str, str] = {}


@record(
    "ec2",
    "network-insights-access-scope",
    missing=("InvalidNetworkInsightsAccessScopeId.NotFound", "The Network Access Scope ID '{key}' does not exist"),
)
class Scope(Record, frozen=True, kw_only=True):
    """What nobody should be able to do: paths that count, but for those that are excepted; as they were given."""

    id: str
    created: datetime
    match: list[dict[str, Any]] = []
    exclude: list[dict[str, Any]] = []
    tags: dict[str, str] = {}


@record(
    "ec2",
    "network-insights-access-scope-analysis",
    index=("scope_id",),
    missing=(
        "InvalidNetworkInsightsAccessScopeAnalysisId.NotFound",
        "The Network Access Scope analysis ID '{key}' does not exist",
    ),
)
class ScopeAnalysis(Record, frozen=True, kw_only=True):
    """One look at a scope; `findings` are the paths that packets could take then."""

    id: str
    scope_id: str
    started: datetime
    ended: datetime | None = None
    status: str = "running"
    message: str = ""
    interfaces: int = 0
    findings: list[dict[str, Any]] = []
    tags: dict[str, str] = {}
