"""What is stored of a job.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobDescriptor.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.machine import Machine
from cloudjar.kit.record import Record, record

PRINCIPAL = "batchoperations.s3.amazonaws.com"
DONE = ("Complete", "Failed", "Cancelled")


@record(
    "s3",
    "job",
    key="id",
    arn="job/{id}",
    missing=("NoSuchJobException", "No such job", 404),
)
class Job(Record, frozen=True, kw_only=True):
    """One job. What its tasks are lies in a table of its own (`tasks`)."""

    id: str
    state: str = "New"
    priority: int
    operation: dict[str, Any]
    """One member, in AWS's own spelling: ``S3PutObjectTagging`` -> its parameters."""
    report: dict[str, Any]
    manifest: dict[str, Any] | None = None
    generator: dict[str, Any] | None = None
    """``S3JobManifestGenerator``."""
    generated: dict[str, Any] | None = None
    """``GeneratedManifestDescriptor``."""
    role: str
    created: datetime
    description: str | None = None
    confirm: bool = False
    tags: dict[str, str] = {}
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    began: datetime | None = None
    """When it became Active."""
    ended: datetime | None = None
    suspended: datetime | None = None
    suspended_cause: str = ""
    reason: str = ""
    """``StatusUpdateReason``."""
    failures: list[dict[str, str]] = []
    @property
    def kind(self) -> str:
        """The operation's name: ``S3PutObjectTagging``."""
        return next(iter(self.operation))

    @property
    def ran(self) -> int:
        """How many tasks were tried."""
        return self.succeeded + self.failed


@record("s3control", "job-run", key="id")
class JobRun(Record, frozen=True, kw_only=True):
    """What wakes for a job. Never stored: jobs are S3's by their ARN, and are carried out by S3 Control."""

    id: str


RUN = "s3control/job-run"

LIFE = Machine(
    Job,
    start="New",
    moves="""
    New        -> Preparing | Cancelling
    Preparing  -> Ready | Suspended | Failing | Cancelling
    Suspended  -> Ready | Failing | Cancelling
    Ready      -> Active | Cancelling
    Active     -> Completing | Failing | Cancelling
    Completing -> Complete | Failing
    Failing    -> Failed
    Cancelling -> Cancelled
    """,
)
