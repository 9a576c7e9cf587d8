"""Security policies: which versions and ciphers a TLS listener speaks; they hold in the proxy as they are shown.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from cloudjar.planes.proxy.port import TlsPolicy, TlsVersion

DEFAULT = "ELBSecurityPolicy-2016-08"
_SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_FS_GCM = (
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)  # fmt: skip
_FS_SHA2 = (
    "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384",
)  # fmt: skip
_FS_SHA1 = ("ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA")
_RSA_SHA2 = ("AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256")
_RSA_SHA1 = ("AES128-SHA", "AES256-SHA")
_FS_MODERN = (*_FS_GCM, *_FS_SHA2)
_FS = (*_FS_MODERN, *_FS_SHA1)
_MODERN = (*_FS_MODERN, *_RSA_SHA2)
_ALL = (*_FS, *_RSA_SHA2, *_RSA_SHA1)
_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


class Policy(NamedTuple):
    """`versions` in AWS's words, oldest first; `ciphers` with those of TLS 1.3 in front."""

    versions: tuple[str, ...]
    ciphers: tuple[str, ...]


def _old(least: int, ciphers: tuple[str, ...]) -> Policy:
    return Policy(_VERSIONS[least:3], ciphers)


def _new(least: int, ciphers: tuple[str, ...]) -> Policy:
    return Policy(_VERSIONS[least:], (*_SUITES, *ciphers))


POLICIES: Mapping[str, Policy] = {
    "ELBSecurityPolicy-TLS13-1-2-2021-06": _new(2, _FS_MODERN),
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06": _new(2, _FS_GCM),
    "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06": _new(2, _MODERN),
    "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06": _new(2, _ALL),
    "ELBSecurityPolicy-TLS13-1-1-2021-06": _new(1, _ALL),
    "ELBSecurityPolicy-TLS13-1-0-2021-06": _new(0, _ALL),
    "ELBSecurityPolicy-TLS13-1-3-2021-06": _new(3, ()),
    "ELBSecurityPolicy-2016-08": _old(0, _ALL),
    "ELBSecurityPolicy-2015-05": _old(0, _ALL),
    "ELBSecurityPolicy-TLS-1-0-2015-04": _old(0, (*_ALL, "DES-CBC3-SHA")),
    "ELBSecurityPolicy-TLS-1-1-2017-01": _old(1, _ALL),
    "ELBSecurityPolicy-TLS-1-2-2017-01": _old(2, _MODERN),
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06": _old(2, _ALL),
    "ELBSecurityPolicy-FS-2018-06": _old(0, _FS),
    "ELBSecurityPolicy-FS-1-1-2019-08": _old(1, _FS),
    "ELBSecurityPolicy-FS-1-2-2019-08": _old(2, _FS),
    "ELBSecurityPolicy-FS-1-2-Res-2019-08": _old(2, _FS_MODERN),
    "ELBSecurityPolicy-FS-1-2-Res-2020-10": _old(2, _FS_GCM),
}


def show(name: str) -> dict[str, Any]:
    """AWS's SslPolicy."""
    policy = POLICIES[name]
    return {
        "Name": name,
        "SslProtocols": list(policy.versions),
        "Ciphers": [{"Name": cipher, "Priority": n} for n, cipher in enumerate(policy.ciphers, 1)],
        "SupportedLoadBalancerTypes": ["application", "network"],
    }


def planned(name: str) -> TlsPolicy:
    """A policy as the proxy plane wants it."""
    policy = POLICIES[name]
    least, most = (cast(TlsVersion, f"{v}.0" if v == "TLSv1" else v) for v in (policy.versions[0], policy.versions[-1]))
    return TlsPolicy(
        least=least, most=most, ciphers=tuple(c for c in policy.ciphers if not c.startswith("TLS_")),
        suites=tuple(c for c in policy.ciphers if c.startswith("TLS_")),
    )  # fmt: skip
