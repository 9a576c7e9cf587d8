"""The operations, by what they are about."""

from cloudjar.services.kms.ops import (
    aliases,
    asymmetric,
    data_keys,
    encryption,
    grants,
    imports,
    keys,
    policies,
    regions,
    rotation,
    tags,
    usage,
)

__all__ = [
    "aliases",
    "asymmetric",
    "data_keys",
    "encryption",
    "grants",
    "imports",
    "keys",
    "policies",
    "regions",
    "rotation",
    "tags",
    "usage",
]
