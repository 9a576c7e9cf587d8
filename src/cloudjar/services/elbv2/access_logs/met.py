"""One entry of a connection log, and of a Network Load Balancer's access log. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from cloudjar.planes.proxy.port import Connection

_REASONS = {
    "expired": "ClientCertExpired", "early": "ClientCertNotYetValid", "revoked": "ClientCertCrlHit",
    "untrusted": "ClientCertUntrusted", "unlisted": "ClientCertCrlProcessingError",
    "purpose": "ClientCertPurposeInvalid", "invalid": "ClientCertInvalid", "unmapped": "UnmappedConnectionError",
}  # fmt: skip


class TlsFront(NamedTuple):
    """A listener that ends TLS: its id, and its certificates' ARNs by the certificate's SHA-1 (hexadecimal)."""

    id: str
    certificates: Mapping[str, str]


def fingerprint(pem: str) -> str:
    """The SHA-1 of the first certificate of a text."""
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex()  # a name


def of_connection(met: Connection, shift: float) -> str:
    """The line of a connection to an Application Load Balancer; `shift` is how far AWS time is ahead, in seconds."""
    host, _, port = met.client.rpartition(":")
    secure = bool(met.protocol)
    validity = f"NotBefore={met.not_before};NotAfter={met.not_after}" if met.not_after else "-"
    status = f"Failed:{_REASONS[met.failure]}" if met.failure else "Success" if secure else "-"
    fields = (
        _stamp(met.begun + shift), host, port, str(met.listener), met.protocol or "-", met.cipher or "-",
        f"{met.handshake:.3f}" if secure else "-", _quoted(met.subject), validity, met.serial or "-", status,
        f"TID_{met.id}" if met.id else "-", "-",
    )  # fmt: skip
    return " ".join(fields)


def of_relayed(name: str, met: Connection, front: TlsFront, shift: float) -> str:
    """The line of a TLS connection to a Network Load Balancer; `name` is ``net/NAME/ID``. It is dated when it ended."""
    agreed = bool(met.protocol)
    times = (f"{met.lasted * 1000:.0f}", f"{met.handshake * 1000:.0f}") if agreed else ("-", "-")
    fields = (
        "tls", "2.0", _whole(met.begun + met.lasted + shift), name, front.id, met.client,
        f"{met.address}:{met.listener}", *times, str(met.received), str(met.given), "-",
        front.certificates.get(met.certificate, "-"), "-", met.cipher or "-", _version(met.protocol), "-",
        met.name or "-", met.alpn or "-", "-", "-", _whole(met.begun + shift),
    )  # fmt: skip
    return " ".join(fields)


def _version(protocol: str) -> str:
    """``TLSv1.3`` as ``tlsv13``."""
    return protocol.lower().replace(".", "") or "-"


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _whole(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _quoted(text: str) -> str:
    clean = "".join(c if c.isprintable() and c != '"' else f"\\x{ord(c):02X}" for c in text)
    return f'"{clean}"' if clean else "-"
