"""The certificate authorities that AWS has for databases, and the kinds of keys that their certificates have (pure).

Here one authority, the jar's own, stands for all of them: clients trust its bundle. What differs is the server's key.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError

USUAL = "rds-ca-rsa2048-g1"
"""Who signs for new instances, unless an account wants another."""
KEYS = {USUAL: "RSA_2048", "rds-ca-rsa4096-g1": "RSA_4096", "rds-ca-ecc384-g1": "EC_secp384r1"}
"""Kinds of keys, as Certificate Manager calls them, by authority."""


def need(name: str) -> str:
    """An authority by its name. Raises CertificateNotFound."""
    if name not in KEYS:
        raise AwsError("CertificateNotFound", f"Certificate not found: {name}", 404)
    return name
