"""What is stored of documents."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from cloudjar.kit.record import Quota, Record, record

COMMAND, SESSION = "Command", "Session"
_SHARED = (
    "ssm:DescribeDocument",
    "ssm:GetDocument",
    "ssm:ListDocumentVersions",
    "ssm:SendCommand",
    "ssm:StartSession",
)
"""What somebody with whom a document is shared may do with it."""


@record(
    "ssm",
    "document",
    key="name",
    missing=("InvalidDocument", "Document with name {key} does not exist."),
    quotas=(
        Quota(
            ("ssm", "L-60D2045D"),
            ("DocumentLimitExceeded", "You can have at most {limit} active SSM documents."),
        ),
    ),
)
class Document(Record, frozen=True, kw_only=True):
    """A document of an account's own; its contents are its versions."""

    name: str
    kind: str
    display_name: str = ""
    target_type: str = ""
    created: datetime
    default: int = 1
    latest: int = 1
    shared: tuple[str, ...] = ()
    """Account ids, or ``all``."""
    tags: dict[str, str] = {}

    @property
    def policy(self) -> str:
        """The shares as a resource policy: what authorisation looks at."""
        if not self.shared:
            return ""
        who: Any = "*" if "all" in self.shared else {"AWS": [f"arn:aws:iam::{one}:root" for one in self.shared]}
        statement = {"Effect": "Allow", "Principal": who, "Action": list(_SHARED), "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@record("ssm", "document-version", index=("name",))
class DocumentVersion(Record, frozen=True, kw_only=True):
    """One content. Versions are numbers that never come back; `label` is the version's own name."""

    id: str
    name: str
    number: int
    content: str
    format: str
    label: str = ""
    created: datetime


def version_key(name: str, number: int) -> str:
    """The key of a version."""
    return f"{name}:{number}"
