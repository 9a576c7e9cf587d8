"""Make, read, change, share and delete documents.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import errors
from cloudjar.services.ssm.documents import finding, schema
from cloudjar.services.ssm.documents.managed import DOCUMENTS
from cloudjar.services.ssm.documents.records import COMMAND, SESSION, Document, DocumentVersion, version_key
from cloudjar.services.ssm.documents.views import describe, identify

_MOST_BYTES = 64 << 10
_MOST_VERSIONS = 1000
_BUILT = (COMMAND, SESSION)
_RESERVED = ("aws", "amazon", "amzn", "awsec2", "awsconfigremediation", "awssupport")


@op("CreateDocument")
def create_document(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A document with its first version."""
    kind = req.get("DocumentType") or COMMAND
    if kind not in _BUILT:
        raise errors.not_built(f"Documents of the type {kind}")
    _refuse(req, "Attachments", "Requires")
    name = req["Name"]
    if name.lower().startswith(_RESERVED):
        raise AwsError("ValidationException", f"The document name {name} begins with a reserved prefix.")
    if ctx.db[Document].get(name) is not None:
        raise AwsError("DocumentAlreadyExists", "Document with same name and document type already exists")
    form = req.get("DocumentFormat") or "JSON"
    _check_content(req["Content"], form, kind)
    document = ctx.db[Document].add(
        Document(
            name=name,
            kind=kind,
            display_name=req.get("DisplayName") or "",
            target_type=req.get("TargetType") or "",
            created=ctx.now,
            tags=tags.from_list(req.get("Tags") or ()),
        )
    )
    _add_version(ctx, document, req, form)
    return {"DocumentDescription": describe(finding.read(ctx, name))}


def _refuse(req: dict[str, Any], *members: str) -> None:
    for member in members:
        if req.get(member):
            raise errors.not_built(f"The member {member} of documents")


def _check_content(text: str, form: str, kind: str) -> None:
    if form == "TEXT":
        raise errors.not_built("The document format TEXT")
    if len(text.encode()) > _MOST_BYTES:
        raise AwsError("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
    schema.check(schema.parse(text, form), kind)


def _add_version(ctx: Ctx, document: Document, req: dict[str, Any], form: str) -> None:
    ctx.db[DocumentVersion].add(
        DocumentVersion(
            id=version_key(document.name, document.latest),
            name=document.name,
            number=document.latest,
            content=req["Content"],
            format=form,
            label=req.get("VersionName") or "",
            created=ctx.now,
        )
    )


@op("UpdateDocument")
def update_document(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another version; the default stays what it is."""
    _refuse(req, "Attachments")
    document = finding.own(ctx, req["Name"])
    base = finding.read(ctx, document.name, req.get("DocumentVersion") or finding.DEFAULT)
    if base.number != document.latest and req.get("DocumentVersion") != finding.LATEST:
        raise AwsError(
            "InvalidDocumentVersion",
            "The document version isn't valid or doesn't exist. Only the latest version can be updated.",
        )
    form = req.get("DocumentFormat") or base.format
    _check_content(req["Content"], form, document.kind)
    known = finding.versions(ctx, document)
    if any(one.content == req["Content"] for one in known):
        raise AwsError("DuplicateDocumentContent", "The content of the association document matches another document.")
    if req.get("VersionName") and any(one.label == req["VersionName"] for one in known):
        raise AwsError("DuplicateDocumentVersionName", "The version name has already been used in this document.")
    if len(known) >= _MOST_VERSIONS:
        raise AwsError("DocumentVersionLimitExceeded", "The document has too many versions. Delete one or more.")
    changed = replace(document, latest=document.latest + 1)
    for member, field in (("DisplayName", "display_name"), ("TargetType", "target_type")):
        if req.get(member):
            changed = replace(changed, **{field: req[member]})
    ctx.db[Document].put(changed)
    _add_version(ctx, changed, req, form)
    return {"DocumentDescription": describe(finding.read(ctx, document.name, finding.LATEST))}


@op("UpdateDocumentDefaultVersion")
def update_document_default_version(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Which version is meant when none is named."""
    document = finding.own(ctx, req["Name"])
    found = finding.read(ctx, document.name, req["DocumentVersion"])
    ctx.db[Document].put(replace(document, default=found.number))
    label = found.version.label if found.version is not None else ""
    return {
        "Description": {
            "Name": document.name,
            "DefaultVersion": str(found.number),
            "DefaultVersionName": label or None,
        }
    }


@op("DescribeDocument")
def describe_document(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a document is."""
    return {"Document": describe(_named(ctx, req))}


@op("GetDocument")
def get_document(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a document says."""
    found = _named(ctx, req)
    return {
        "Name": found.name,
        "CreatedDate": found.created,
        "DisplayName": (found.record.display_name or None) if found.record else None,
        "VersionName": (found.version.label or None) if found.version else None,
        "DocumentVersion": str(found.number),
        "Status": "Active",
        "Content": finding.in_format(found, req.get("DocumentFormat") or ""),
        "DocumentType": found.kind,
        "DocumentFormat": req.get("DocumentFormat") or found.format,
    }


def _named(ctx: Ctx, req: dict[str, Any]) -> finding.Read:
    return finding.read(ctx, req["Name"], req.get("DocumentVersion") or "", req.get("VersionName") or "")


@op("DeleteDocument")
def delete_document(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A document, or one of its versions that is not the default."""
    document = finding.own(ctx, req["Name"])
    if document.shared:
        raise AwsError(
            "InvalidDocumentOperation", "You must first unshare the document before you can delete it."
        )
    if not (req.get("DocumentVersion") or req.get("VersionName")):
        for one in finding.versions(ctx, document):
            ctx.db[DocumentVersion].drop(one)
        ctx.db[Document].drop(document)
        return {}
    found = _named(ctx, req)
    if found.number == document.default:
        raise AwsError("InvalidDocumentOperation", "Default version of the document can't be deleted.")
    assert found.version is not None
    ctx.db[DocumentVersion].drop(found.version)
    return {}


@op("ListDocumentVersions")
def list_document_versions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Versions, newest first."""
    found = finding.read(ctx, req["Name"])
    if found.record is None:
        return {"DocumentVersions": [_shown_version(found, default=True)]}
    shown = []
    for one in finding.versions(ctx, found.record):
        read = finding.read(ctx, req["Name"], str(one.number))
        shown.append(_shown_version(read, default=one.number == found.record.default))
    return {"DocumentVersions": shown}


def _shown_version(found: finding.Read, *, default: bool) -> dict[str, Any]:
    return {
        "Name": found.name,
        "DisplayName": (found.record.display_name or None) if found.record else None,
        "DocumentVersion": str(found.number),
        "VersionName": (found.version.label or None) if found.version else None,
        "CreatedDate": found.created,
        "IsDefaultVersion": default,
        "DocumentFormat": found.format,
        "Status": "Active",
    }


@op("ListDocuments")
def list_documents(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One's own documents and AWS's."""
    wanted = [(one["key"], [one["value"]]) for one in req.get("DocumentFilterList") or ()]
    wanted += [(one["Key"], one.get("Values") or []) for one in req.get("Filters") or ()]
    names = [document.name for document in ctx.db[Document].all()]
    found = [finding.read(ctx, name) for name in sorted([*names, *DOCUMENTS])]
    for key, values in wanted:
        found = [one for one in found if _admits(ctx, key, values, one)]
    return {"DocumentIdentifiers": [identify(one) for one in found]}


def _admits(ctx: Ctx, key: str, values: list[str], found: finding.Read) -> bool:
    shown = identify(found)
    if key == "Owner":
        owners = {"Self": ctx.account, "Amazon": finding.AMAZON}
        named = [v for value in values for v in (owners.get(value, value), ctx.account * (value == "Private"))]
        return "All" in values or found.owner in named
    if key == "Name":
        return any(found.name.startswith(value.removesuffix("*")) for value in values)
    if key in ("PlatformTypes", "DocumentType", "SchemaVersion", "TargetType"):
        held = shown[key]
        return any(value in (held if isinstance(held, list) else [held]) for value in values)
    own = found.record.tags if found.record is not None else {}
    if key.startswith("tag:"):
        return own.get(key.removeprefix("tag:")) in values
    if key == "SearchKeyword":
        return any(value.lower() in found.name.lower() for value in values)
    raise AwsError("InvalidFilterKey", f"The specified filter key {key} is not valid.")


@op("ModifyDocumentPermission")
def modify_document_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who else may use a document: accounts, or all."""
    document = finding.own(ctx, req["Name"])
    if req.get("SharedDocumentVersion") not in (None, "", "$ALL", "All"):
        raise errors.not_built("Sharing of single versions of a document")
    added = [one.lower() if one.lower() == "all" else one for one in req.get("AccountIdsToAdd") or ()]
    gone = {one.lower() if one.lower() == "all" else one for one in req.get("AccountIdsToRemove") or ()}
    if set(added) & gone:
        raise AwsError("ValidationException", "An account cannot be added and removed in one request.")
    shared = tuple(dict.fromkeys([*(one for one in document.shared if one not in gone), *added]))
    limit = ctx.limit("ssm", "L-F5EE067E")
    if limit is not None and len(shared) > limit:
        raise AwsError("DocumentPermissionLimit", "The document can't be shared with more AWS accounts.")
    ctx.db[Document].put(replace(document, shared=shared))
    return {}


@op("DescribeDocumentPermission")
def describe_document_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The same, read."""
    document = finding.own(ctx, req["Name"])
    return {
        "AccountIds": list(document.shared),
        "AccountSharingInfoList": [{"AccountId": one, "SharedDocumentVersion": "$DEFAULT"} for one in document.shared],
    }
