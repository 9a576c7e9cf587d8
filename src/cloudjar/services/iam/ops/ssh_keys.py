"""Users' SSH public keys, for CodeCommit.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.iam import certificates, errors, names
from cloudjar.services.iam.credentials import SshPublicKey
from cloudjar.services.iam.ops.signing_certificates import asked_status, status_of
from cloudjar.services.iam.records import User

_PER_USER = 5
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def _metadata(user: User, item: SshPublicKey) -> dict[str, Any]:
    return {
        "UserName": user.name,
        "SSHPublicKeyId": item.id,
        "Status": status_of(item.active),
        "UploadDate": item.made,
    }


def _shown(user: User, item: SshPublicKey, body: str) -> dict[str, Any]:
    return {**_metadata(user, item), "Fingerprint": item.fingerprint, "SSHPublicKeyBody": body}


def _need(ctx: Ctx, req: dict[str, Any]) -> tuple[User, SshPublicKey]:
    user = names.need(ctx, User, req["UserName"])
    item = ctx.db[SshPublicKey].need(req["SSHPublicKeyId"])
    if item.user_id != user.id:
        raise ctx.db[SshPublicKey].meta.not_found(item.id)
    return user, item


@op("UploadSSHPublicKey")
def upload_ssh_public_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An RSA key; a user may have five, each once."""
    user = names.need(ctx, User, req["UserName"])
    body = certificates.ssh_key(req["SSHPublicKeyBody"])
    present = ctx.db[SshPublicKey].all(user_id=user.id)
    if any(item.body == body for item in present):
        raise AwsError("DuplicateSSHPublicKey", "The SSH public key is already associated with the user.", 400)
    if len(present) >= _PER_USER:
        raise errors.quota("SSHPublicKeysPerUser", _PER_USER)
    item = SshPublicKey(
        id=ids.unique_id("APKA"),
        user_id=user.id,
        made=ctx.now.replace(microsecond=0),
        body=body,
        fingerprint=certificates.fingerprint(body),
    )
    return {"SSHPublicKey": _shown(user, ctx.db[SshPublicKey].add(item), body)}


@op("GetSSHPublicKey")
def get_ssh_public_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A key in the encoding asked for: SSH or PEM."""
    user, item = _need(ctx, req)
    body = item.body if req["Encoding"] == "SSH" else certificates.pem_of(item.body)
    return {"SSHPublicKey": _shown(user, item, body)}


@op("ListSSHPublicKeys")
def list_ssh_public_keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A user's keys, oldest first, without what they say."""
    user = names.user_or_caller(ctx, req.get("UserName"))
    found = sorted(ctx.db[SshPublicKey].all(user_id=user.id), key=lambda item: item.made)
    return {"SSHPublicKeys": [_metadata(user, item) for item in found]}


@op("UpdateSSHPublicKey")
def update_ssh_public_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a key active or inactive."""
    active = asked_status(req, "an SSH public key")
    ctx.db[SshPublicKey].put(replace(_need(ctx, req)[1], active=active))
    return {}


@op("DeleteSSHPublicKey")
def delete_ssh_public_key(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a key."""
    ctx.db[SshPublicKey].drop(_need(ctx, req)[1])
    return {}
