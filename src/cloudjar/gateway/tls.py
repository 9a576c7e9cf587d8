"""TLS beside plain HTTP on one port: a local certificate authority per installation, and TLS over a transport.

The authority's key never leaves its folder; users trust `ca.pem` (``AWS_CA_BUNDLE``). `cryptography` is imported
only when a certificate must be made: at the first TLS client of a new installation, or at renewal.
"""

from __future__ import annotations

import fcntl
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudjar.base.clock import SystemClock

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

HOSTS = (
    "localhost",
    "*.localhost",
    "s3.localhost",
    "*.s3.localhost",
    "localhost.localstack.cloud",
    "*.localhost.localstack.cloud",
    "s3.localhost.localstack.cloud",
    "*.s3.localhost.localstack.cloud",
    "host.docker.internal",
    "127.0.0.1",
    "::1",
)
"""Names every server certificate holds. A wildcard covers one label, and some clients refuse it right below the
top: hence the explicit names for S3, whose buckets are a label more."""

_CA_LIFE = timedelta(days=3650)
_LEAF_LIFE = timedelta(days=397)
_RENEW = timedelta(days=30)
_BACKDATED = timedelta(hours=1)


class Authority:
    """The certificate authority kept in `folder`: ``ca.pem`` (for clients), ``ca.key``, ``server.pem``."""

    def __init__(self, folder: Path, hosts: Sequence[str] = ()) -> None:
        self.folder = folder
        self.hosts = tuple(dict.fromkeys((*HOSTS, *hosts)))
        self._context: ssl.SSLContext | None = None
        self._until: datetime | None = None
        self._clock = SystemClock()

    @property
    def bundle(self) -> Path:
        """The authority's certificate, for clients to trust; made on first use."""
        with self._locked():
            self._load_or_make_ca()
        return self.folder / "ca.pem"

    def context(self) -> ssl.SSLContext:
        """A server context with a valid certificate for `hosts`; kept, renewed when near its end."""
        if self._context is None or self._until is None or self._clock.real() > self._until - _RENEW:
            with self._locked():
                self._until = self._ensure_leaf()
                self._context = _server_context(self.folder / "server.pem")
        return self._context

    def issue(
        self, names: Sequence[str], algorithm: str, not_before: datetime, not_after: datetime
    ) -> tuple[str, str, bytes]:
        """A server certificate for DNS names: (certificate, chain, private key), all PEM.

        `algorithm` is Certificate Manager's name of a kind of key: ``RSA_2048``, ``EC_prime256v1``, ``EC_secp384r1``.
        """
        with self._locked():
            ca, ca_key = self._load_or_make_ca()
        return _issue(ca, ca_key, names, algorithm, not_before, not_after)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _ensure_leaf(self) -> datetime:
        from cryptography import x509

        now = self._clock.real()
        path = self.folder / "server.pem"
        ca, key = self._load_or_make_ca()
        if path.exists():
            leaf = x509.load_pem_x509_certificate(path.read_bytes())
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            fresh = leaf.not_valid_after_utc - _RENEW > now and leaf.issuer == ca.subject
            if fresh and set(names) == set(_alternative_names(self.hosts)):
                return leaf.not_valid_after_utc
        return self._make_leaf(ca, key, now)

    def _load_or_make_ca(self) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key_path, path = self.folder / "ca.key", self.folder / "ca.pem"
        if key_path.exists() and path.exists():
            key = load_pem_private_key(key_path.read_bytes(), None)
            ca = x509.load_pem_x509_certificate(path.read_bytes())
            assert isinstance(key, EllipticCurvePrivateKey)
            if ca.not_valid_after_utc - _LEAF_LIFE > self._clock.real() and ca.public_key() == key.public_key():
                return ca, key
        return self._make_ca()

    def _make_ca(self) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding

        key = ec.generate_private_key(ec.SECP256R1())
        now = self._clock.real()
        serial = x509.random_serial_number()
        name = x509.Name(
            [
                x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Cloudjar"),
                x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Cloudjar local authority {serial:x}"[:64]),
            ]
        )
        builder = _builder(name, name, key, now, _CA_LIFE, serial).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        ca = builder.add_extension(_usage(signs=True), critical=True).sign(key, _sha256())
        _write(self.folder / "ca.key", _pem(key), 0o600)
        _write(self.folder / "ca.pem", ca.public_bytes(Encoding.PEM), 0o644)
        return ca, key

    def _make_leaf(self, ca: x509.Certificate, ca_key: EllipticCurvePrivateKey, now: datetime) -> datetime:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.x509.oid import ExtendedKeyUsageOID

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        leaf = (
            _builder(name, ca.subject, key, now, _LEAF_LIFE, x509.random_serial_number(), ca_key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(_alternative_names(self.hosts)), critical=False)
            .sign(ca_key, _sha256())
        )
        chain = leaf.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM) + _pem(key)
        _write(self.folder / "server.pem", chain, 0o600)
        return leaf.not_valid_after_utc


def _issue(
    ca: x509.Certificate, ca_key: EllipticCurvePrivateKey, names: Sequence[str], algorithm: str,
    not_before: datetime, not_after: datetime,
) -> tuple[str, str, bytes]:  # fmt: skip
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID

    curves = {"EC_prime256v1": ec.SECP256R1(), "EC_secp384r1": ec.SECP384R1()}
    key: Any = (
        ec.generate_private_key(curves[algorithm])
        if algorithm in curves
        else rsa.generate_private_key(65537, int(algorithm.removeprefix("RSA_")))
    )
    common = names[0] if len(names[0]) <= 64 else ""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)] if common else [])
    serial = x509.random_serial_number()
    leaf = (
        _builder(name, ca.subject, key, not_before, not_after - not_before, serial, ca_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False, enciphers=algorithm.startswith("RSA")), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=not common)
        .sign(ca_key, _sha256())
    )
    return leaf.public_bytes(Encoding.PEM).decode(), ca.public_bytes(Encoding.PEM).decode(), _pem(key)


def _server_context(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.sni_callback = _asked
    context.load_cert_chain(path)
    return context


def _asked(tls: Any, name: str | None, context: ssl.SSLContext) -> None:
    """Remember by which name the client called; see `Layer.name`."""
    del context
    tls.asked_for = name or ""


def _builder(
    name: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey | RSAPrivateKey,
    now: datetime,
    life: timedelta,
    serial: int,
    issuer_key: EllipticCurvePrivateKey | None = None,
) -> x509.CertificateBuilder:
    from cryptography import x509

    signer = (issuer_key or key).public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _usage(*, signs: bool, enciphers: bool = False) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _sha256() -> Any:
    from cryptography.hazmat.primitives.hashes import SHA256

    return SHA256()


def _alternative_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    from cryptography import x509

    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _pem(key: EllipticCurvePrivateKey | RSAPrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace `path` whole or not at all; the content is never readable more widely than `mode`."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, mode)
        file.write(content)
        file.flush()
        os.fsync(fd)
    os.replace(new, path)


class Layer:
    """TLS over a plain transport, so that the first byte of a connection may decide. It is the transport that the
    connection then writes to, and hands decrypted bytes to `connection.plain_received`."""

    def __init__(self, context: ssl.SSLContext, wire: Any, connection: Any) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._wire = wire
        self._connection = connection
        self._open = False
        self._closed = False

    def feed(self, data: bytes) -> None:
        """Take bytes off the wire; garbage ends the connection with an alert."""
        if self._closed:
            return
        self._in.write(data)
        try:
            if not self._open:
                self._tls.do_handshake()
                self._open = True
            self._read()
        except ssl.SSLWantReadError:
            self._flush()
        except (ssl.SSLError, ValueError):
            self._flush()
            self._closed = True
            self._wire.close()

    def hand_over(self, connection: Any) -> None:
        """Decrypted bytes go to another one from now on."""
        self._connection = connection

    @property
    def is_open(self) -> bool:
        """Whether both sides have agreed."""
        return self._open

    @property
    def name(self) -> str:
        """By which name the client called, if it said so."""
        asked: str = getattr(self._tls, "asked_for", "")
        return asked

    def agreed(self) -> tuple[str, str]:
        """The version and the cipher suite that both sides agreed upon."""
        cipher = self._tls.cipher()
        return self._tls.version() or "", cipher[0] if cipher else ""

    def write(self, data: bytes) -> None:
        """Encrypt and send."""
        if self._closed or not self._open or not data:
            return
        try:
            self._tls.write(data)
        except ssl.SSLError:
            self._closed = True
            self._wire.abort()
            return
        self._flush()

    def can_write_eof(self) -> bool:
        """TLS says goodbye by closing."""
        return False

    def write_eof(self) -> None:
        """Not part of TLS; see `close`."""
        self.close()

    def close(self) -> None:
        """Send close_notify and close once everything has left."""
        if not self._closed:
            self._closed = True
            # The peer has not said goodbye yet, which raises; our own goodbye is in the buffer, and we do not wait.
            with suppress(ssl.SSLError, ValueError):
                self._tls.unwrap()
            self._flush()
        self._wire.close()

    def _read(self) -> None:
        pieces: list[bytes] = []
        ended = False
        while True:
            try:
                piece = self._tls.read(64 << 10)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                piece = b""
            if not piece:
                ended = True
                break
            pieces.append(piece)
        self._flush()
        if pieces:
            self._connection.plain_received(b"".join(pieces))
        if ended and not self._connection.eof_received():
            self.close()

    def _flush(self) -> None:
        if self._out.pending:
            self._wire.write(self._out.read())
