"""An OpenID Connect issuer on loopback: real TLS, real keys, tokens signed without the product's help."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    """A number in a JWK."""
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """A key by name: making one takes a while."""
    return rsa.generate_private_key(65537, 2048)


@cache
def curve_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A key of P-256 by name."""
    return ec.generate_private_key(ec.SECP256R1())


def rsa_jwk(name: str, **more: Any) -> dict[str, Any]:
    """The public half as an issuer publishes it."""
    public = rsa_key(name).public_key().public_numbers()
    return {"kty": "RSA", "kid": name, "use": "sig", "n": number(public.n), "e": number(public.e), **more}


def curve_jwk(name: str, **more: Any) -> dict[str, Any]:
    """The public half as an issuer publishes it."""
    public = curve_key(name).public_key().public_numbers()
    x, y = number(public.x, 32), number(public.y, 32)
    return {"kty": "EC", "kid": name, "use": "sig", "crv": "P-256", "x": x, "y": y, **more}


def token(claims: dict[str, Any], name: str = "one", algorithm: str = "RS256", **header: Any) -> str:
    """A signed token; `name` chooses the key, header members may be replaced (None leaves one out)."""
    whole = {"alg": algorithm, "typ": "JWT", "kid": name, **header}
    parts = ({k: v for k, v in whole.items() if v is not None}, claims)
    signed = ".".join(b64(json.dumps(part).encode()) for part in parts)
    if algorithm == "ES256":
        r, s = decode_dss_signature(curve_key(name).sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    return f"{signed}.{b64(rsa_key(name).sign(signed.encode(), PKCS1v15(), hashes.SHA256()))}"


class Certificates:
    """An authority of nobody's and a certificate for loopback."""

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC)
        authority_key, key = curve_key("authority"), curve_key("server")
        authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Nobody's authority")])
        names = [x509.DNSName("localhost")]

        def begin(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
            builder = x509.CertificateBuilder().subject_name(subject).issuer_name(authority_name)
            builder = builder.public_key(public).serial_number(x509.random_serial_number())
            return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))

        self.authority = (
            begin(authority_name, authority_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(False, False, False, False, False, True, True, False, False),
                critical=True,
            )
            .sign(authority_key, hashes.SHA256())
        )
        leaf = (
            begin(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")]), key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )
        self.chain, self.authority_file = folder / "issuer.pem", folder / "authority.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        shown = leaf.public_bytes(Encoding.PEM) + self.authority.public_bytes(Encoding.PEM)
        self.chain.write_bytes(private + shown)
        self.authority_file.write_bytes(self.authority.public_bytes(Encoding.PEM))

    @property
    def thumbprint(self) -> str:
        """The authority's, as AWS wants it."""
        return hashlib.sha1(self.authority.public_bytes(Encoding.DER)).hexdigest()


class Issuer:
    """Serves its discovery document and its keys; `asked` are the paths that were asked for."""

    def __init__(self, folder: Path) -> None:
        self.certificates = Certificates(folder)
        self.keys: list[dict[str, Any]] = [rsa_jwk("one"), curve_jwk("curve")]
        self.documents: dict[str, bytes] = {}
        self.asked: list[str] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                found = issuer._answer(self.path)
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Length", str(len(found or b"")))
                self.end_headers()
                self.wfile.write(found or b"")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class names it so
                """Quietly."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.chain)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """Without the scheme: what stands before condition keys."""
        return f"localhost:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"https://{self.name}"

    @property
    def connections(self) -> int:
        """How often anybody came."""
        return self._server.connections

    def _answer(self, path: str) -> bytes | None:
        if path in self.documents:
            return self.documents[path]
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        return json.dumps({"keys": self.keys}).encode() if path == "/keys" else None

    def claims(self, **more: Any) -> dict[str, Any]:
        """What a token of this issuer says, good for an hour."""
        now = int(datetime.now(UTC).timestamp())
        whole = {"iss": self.url, "aud": "jar", "sub": "repo:ann/app", "iat": now, "exp": now + 3600, **more}
        return {name: value for name, value in whole.items() if value is not None}

    def close(self) -> None:
        """Serve no more; to close twice is no error."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    connections = 0

    def get_request(self) -> Any:
        """Everybody is heard, and counted."""
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that do not trust the certificate hang up: that is the point."""
