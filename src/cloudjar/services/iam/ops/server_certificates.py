"""Certificates for TLS, with their private keys.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.iam import certificates, names, rules
from cloudjar.services.iam.credentials import ServerCertificate
from cloudjar.services.iam.views import tag_list


def _metadata(item: ServerCertificate) -> dict[str, Any]:
    return {
        "Path": item.path,
        "ServerCertificateName": item.name,
        "ServerCertificateId": item.id,
        "Arn": arn_of(item),
        "UploadDate": item.created,
        "Expiration": item.expires,
    }


@op("UploadServerCertificate")
def upload_server_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A certificate that its private key belongs to; the key is never shown again."""
    name = req["ServerCertificateName"]
    names.need_free(ctx, ServerCertificate, name)
    leaf = certificates.certificate(req["CertificateBody"])
    certificates.check_key(leaf, req["PrivateKey"])
    above = req.get("CertificateChain") or ""
    if above:
        found = certificates.chain(above)
        if not found:
            raise certificates.malformed(
                "Unable to parse certificate chain. Please ensure the certificates are in PEM format."
            )
        certificates.check_chain(leaf, found)
    new_id = ids.unique_id("ASCA")
    item = ServerCertificate(
        name=name,
        folded=name.lower(),
        id=new_id,
        path=req.get("Path") or "/",
        created=ctx.now.replace(microsecond=0),
        body=req["CertificateBody"],
        chain=above,
        key=ctx.world.sealer.seal(req["PrivateKey"].encode(), f"server-certificate/{new_id}"),
        expires=certificates.expiry(leaf),
        tags=rules.tags(req.get("Tags") or ()),
    )
    added = ctx.db[ServerCertificate].add(item)
    return {"ServerCertificateMetadata": _metadata(added), "Tags": tag_list(added)}


@op("GetServerCertificate")
def get_server_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A certificate and its chain, without the key."""
    item = names.need(ctx, ServerCertificate, req["ServerCertificateName"])
    return {
        "ServerCertificate": {
            "ServerCertificateMetadata": _metadata(item),
            "CertificateBody": item.body,
            "CertificateChain": item.chain or None,
            "Tags": tag_list(item),
        }
    }


@op("ListServerCertificates")
def list_server_certificates(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Certificates below a path."""
    prefix = req.get("PathPrefix") or "/"
    found = [item for item in ctx.db[ServerCertificate].all() if item.path.startswith(prefix)]
    return {"ServerCertificateMetadataList": [_metadata(item) for item in found]}


@op("UpdateServerCertificate")
def update_server_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another name or path, and so another ARN."""
    item = names.need(ctx, ServerCertificate, req["ServerCertificateName"])
    name, path = req.get("NewServerCertificateName") or item.name, req.get("NewPath") or item.path
    moved = replace(item, name=name, folded=name.lower(), path=path)
    if name == item.name:
        ctx.db[ServerCertificate].put(moved)
        return {}
    names.need_free(ctx, ServerCertificate, name, but=item)
    ctx.db[ServerCertificate].drop(item)
    ctx.db[ServerCertificate].add(moved)
    return {}


@op("DeleteServerCertificate")
def delete_server_certificate(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a certificate. Nothing here can use one yet, so nothing stands against it."""
    ctx.db[ServerCertificate].drop(names.need(ctx, ServerCertificate, req["ServerCertificateName"]))
    return {}
