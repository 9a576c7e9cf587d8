"""Documents by the names that requests give them: one's own, AWS's, and what another account shares.

A `Read` is what whoever runs or shows a document needs of it, whoever's it is.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ssm.documents import schema
from cloudjar.services.ssm.documents.managed import CREATED, DOCUMENTS, PREFERENCES
from cloudjar.services.ssm.documents.records import SESSION, Document, DocumentVersion, version_key

DEFAULT, LATEST = "$DEFAULT", "$LATEST"
AMAZON = "Amazon"


class Read(NamedTuple):
    """A document's version."""

    name: str
    kind: str
    number: int
    text: str
    format: str
    created: datetime
    owner: str
    record: Document | None
    version: DocumentVersion | None

    @property
    def content(self) -> dict[str, Any]:
        """The parsed content; it was checked when it was stored."""
        return schema.parse(self.text, self.format)

    @property
    def arn_account(self) -> str:
        """Whose ARN it has."""
        return "" if self.record is None else self.record.account


def missing(name: str) -> AwsError:
    """No such document, or not for this caller."""
    return AwsError("InvalidDocument", f"Document with name {name} does not exist.")


def bad_version(name: str, version: str) -> AwsError:
    """The document is there, the version is not."""
    return AwsError("InvalidDocumentVersion", f"The document version {version} of {name} does not exist.")


def own(ctx: Ctx, name: str) -> Document:
    """A document that may be changed: one's own; raises InvalidDocument."""
    if name in DOCUMENTS:
        raise AwsError("InvalidDocument", f"The document {name} is managed by Amazon and cannot be changed.")
    found = stored(ctx, name)
    if found is None or found.account != ctx.account:
        raise missing(name)
    return found


def stored(ctx: Ctx, name: str) -> Document | None:
    """The record behind a name or an ARN; another account's only when it is shared."""
    parsed = arns.parse(name)
    if parsed is None:
        return ctx.db[Document].get(name)
    if parsed.region != ctx.region or parsed.type != "document":
        return None
    found = ctx.db.at(parsed.account or ctx.account, ctx.region)[Document].get(parsed.name)
    if found is None or found.account == ctx.account or {"all", ctx.account} & set(found.shared):
        return found
    return None


def read(ctx: Ctx, name: str, version: str = "", label: str = "") -> Read:
    """A document's version: a number, ``$DEFAULT`` (also for nothing), ``$LATEST``, or its own name.

    Raises InvalidDocument and InvalidDocumentVersion.
    """
    plain = name.rpartition("/")[2] if name.startswith("arn:") else name
    managed = DOCUMENTS.get(plain)
    if managed is not None:
        if version not in ("", DEFAULT, LATEST, "1") or label:
            raise bad_version(name, version or label)
        return Read(managed.name, managed.kind, 1, managed.text, "JSON", CREATED, AMAZON, None, None)
    found = stored(ctx, name)
    if found is None:
        raise missing(name)
    one = _version(ctx, found, version, label)
    if one is None:
        raise bad_version(name, version or label)
    shown = found.name if found.account == ctx.account else name
    return Read(shown, found.kind, one.number, one.content, one.format, one.created, found.account, found, one)


def versions(ctx: Ctx, document: Document) -> list[DocumentVersion]:
    """All versions, newest first."""
    found = ctx.db.at(document.account, document.region)[DocumentVersion].all(name=document.name)
    return sorted(found, key=lambda one: -one.number)


def _version(ctx: Ctx, document: Document, version: str, label: str) -> DocumentVersion | None:
    if label:
        return next((one for one in versions(ctx, document) if one.label == label), None)
    number = {"": document.default, DEFAULT: document.default, LATEST: document.latest}.get(version)
    if number is None:
        number = int(version) if version.isdigit() else 0
    return ctx.db.at(document.account, document.region)[DocumentVersion].get(version_key(document.name, number))


def preferences(ctx: Ctx) -> dict[str, Any]:
    """What the account has said of its sessions (``inputs`` of its preferences document); nothing when it has not."""
    found = ctx.db[Document].get(PREFERENCES)
    if found is None or found.kind != SESSION:
        return {}
    inputs = read(ctx, PREFERENCES).content.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def in_format(found: Read, form: str) -> str:
    """The content in the format asked for."""
    if not form or form == found.format:
        return found.text
    if form == "YAML":
        import yaml

        return str(yaml.safe_dump(found.content, sort_keys=False, allow_unicode=True))
    return json.dumps(found.content, indent=2, default=str)
