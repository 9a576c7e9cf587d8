"""Records as KMS shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.kms import material
from cloudjar.services.kms.records import ENABLED, LEAVING, Key, KeyGrant, Material
from cloudjar.services.kms.specs import AGREE, ENCAPSULATE, ENCRYPT, MAC, SIGN, SPECS, SYMMETRIC

_ALGORITHMS = {
    ENCRYPT: "EncryptionAlgorithms",
    SIGN: "SigningAlgorithms",
    MAC: "MacAlgorithms",
    AGREE: "KeyAgreementAlgorithms",
    ENCAPSULATE: "EncapsulationAlgorithms",
}


def algorithms(key: Key) -> dict[str, list[str]]:
    """The member that lists what the key can do."""
    return {_ALGORITHMS[key.usage]: list(SPECS[key.spec].algorithms[key.usage])}


def show_key(ctx: Ctx, key: Key) -> dict[str, Any]:
    """KeyMetadata."""
    shown: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": arn_of(key),
        "CreationDate": key.made,
        "Enabled": key.state == ENABLED,
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state,
        "Origin": key.origin,
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "MultiRegion": bool(key.multi_region),
        **algorithms(key),
    }
    if key.spec == SYMMETRIC and key.material:
        shown["CurrentKeyMaterialId"] = key.material
    if key.state in LEAVING:
        shown["DeletionDate"] = key.deletion
        if key.deletion is None:
            shown["PendingDeletionWindowInDays"] = key.window
    if key.multi_region:
        shown["MultiRegionConfiguration"] = multi_region(key)
    if key.origin == "EXTERNAL" and key.material:
        shown.update(expiry(material.get(ctx, key, key.material)))
    return shown


def expiry(one: Material | None) -> dict[str, Any]:
    """ExpirationModel and ValidTo of imported material that is there."""
    if one is None or not one.sealed:
        return {}
    if one.valid_to is None:
        return {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    return {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": one.valid_to}


def multi_region(key: Key) -> dict[str, Any]:
    """MultiRegionConfiguration: the primary key and its replicas."""

    def place(region: str) -> dict[str, str]:
        return {"Arn": arns.make("kms", region, key.account, f"key/{key.id}"), "Region": region}

    return {
        "MultiRegionKeyType": key.multi_region,
        "PrimaryKey": place(key.primary),
        "ReplicaKeys": [place(region) for region in key.replicas],
    }


def show_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags in KMS's own spelling, in key order."""
    return [{"TagKey": name, "TagValue": tags[name]} for name in sorted(tags)]


def show_grant(key: Key, grant: KeyGrant) -> dict[str, Any]:
    """One entry of ListGrants."""
    limits: dict[str, Any] = {}
    if grant.equals is not None:
        limits["EncryptionContextEquals"] = grant.equals
    if grant.subset is not None:
        limits["EncryptionContextSubset"] = grant.subset
    if grant.source_arn:
        limits["SourceArn"] = grant.source_arn
    shown: dict[str, Any] = {
        "KeyId": arn_of(key),
        "GrantId": grant.id,
        "Name": grant.name,
        "CreationDate": grant.made,
        "IssuingAccount": f"arn:aws:iam::{grant.issuer}:root",
        "Operations": list(grant.operations),
        "Constraints": limits or None,
    }
    shown["GranteeServicePrincipal" if grant.source_arn and grant.grantee.service else "GranteePrincipal"] = (
        grant.grantee.name
    )
    if grant.retiring is not None:
        shown["RetiringServicePrincipal" if grant.retiring.service else "RetiringPrincipal"] = grant.retiring.name
    return shown


def show_rotation(key: Key, one: Material) -> dict[str, Any]:
    """One entry of ListKeyRotations."""
    shown: dict[str, Any] = {
        "KeyId": key.id,
        "KeyMaterialId": one.id,
        "KeyMaterialState": one.state,
        "RotationDate": one.rotated,
        "RotationType": one.rotation or None,
    }
    if one.imported:
        shown["KeyMaterialDescription"] = one.description or None
        shown["ImportState"] = "IMPORTED" if one.sealed else "PENDING_IMPORT"
        shown.update(expiry(one))
    return shown
