"""Server and signing certificates, SSH keys, credentials for single services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import allow, refused, root, user

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


class Made(NamedTuple):
    """A certificate with its key, as PEM."""

    body: str
    key: str
    own: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


@cache
def certificate(name: str, signer: Made | None = None, days: int = 4000) -> Made:
    """A certificate of its own, or signed by another's key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if signer is None else signer.own[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .sign(key if signer is None else signer.own[1], hashes.SHA256())
    )
    form = (PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Made(signed.public_bytes(PEM).decode(), key.private_bytes(*form).decode(), (signed, key))


TOP = certificate("top")
MIDDLE = certificate("middle", TOP)
LEAF = certificate("www.example.org", MIDDLE)


def upload(iam: Any, name: str = "www", made: Made = LEAF, **more: Any) -> dict[str, Any]:
    answer = iam.upload_server_certificate(
        ServerCertificateName=name, CertificateBody=made.body, PrivateKey=more.pop("key", made.key), **more
    )
    found: dict[str, Any] = answer["ServerCertificateMetadata"]
    return found


def test_a_server_certificate_is_kept_without_showing_its_key(jar: TestJar, iam: Any) -> None:
    chain = MIDDLE.body + TOP.body
    made = upload(iam, Path="/cloudfront/", CertificateChain=chain, Tags=[{"Key": "k", "Value": "v"}])
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate/cloudfront/www"
    assert made["ServerCertificateId"].startswith("ASCA")
    assert (made["UploadDate"], made["Expiration"]) == (jar.clock.now(), LEAF.own[0].not_valid_after_utc)
    found = iam.get_server_certificate(ServerCertificateName="WWW")["ServerCertificate"]
    assert (found["CertificateBody"], found["CertificateChain"]) == (LEAF.body, chain)
    assert (found["ServerCertificateMetadata"], found["Tags"]) == (made, [{"Key": "k", "Value": "v"}])
    assert iam.list_server_certificates(PathPrefix="/cloudfront/")["ServerCertificateMetadataList"] == [made]
    assert iam.list_server_certificates(PathPrefix="/other/")["ServerCertificateMetadataList"] == []
    stored = b"".join(path.read_bytes() for path in jar.home.iterdir() if path.is_file())
    assert LEAF.key.encode()[40:120] not in stored
    assert iam.get_account_summary()["SummaryMap"]["ServerCertificates"] == 1


def test_it_can_be_renamed_moved_tagged_and_deleted(iam: Any) -> None:
    made = upload(iam)
    upload(iam, "other")
    iam.tag_server_certificate(ServerCertificateName="www", Tags=[{"Key": "k", "Value": "v"}])
    with refused("EntityAlreadyExists", "The Server Certificate with name other already exists.", status=409):
        iam.update_server_certificate(ServerCertificateName="www", NewServerCertificateName="other")
    iam.update_server_certificate(ServerCertificateName="www", NewServerCertificateName="web", NewPath="/a/")
    found = iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]["ServerCertificateMetadata"]
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate/a/web"
    assert found["ServerCertificateId"] == made["ServerCertificateId"]
    assert iam.list_server_certificate_tags(ServerCertificateName="web")["Tags"] == [{"Key": "k", "Value": "v"}]
    iam.untag_server_certificate(ServerCertificateName="web", TagKeys=["k"])
    assert iam.list_server_certificate_tags(ServerCertificateName="web")["Tags"] == []
    iam.delete_server_certificate(ServerCertificateName="web")
    with refused("NoSuchEntity", "The Server Certificate with name web cannot be found.", status=404):
        iam.get_server_certificate(ServerCertificateName="web")


def test_what_is_no_certificate_or_another_ones_key_is_refused(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    not_pem = "Unable to parse certificate. Please ensure the certificate is in PEM format."
    for body in ("nonsense", LEAF.key, LEAF.body + MIDDLE.body, "text\n" + LEAF.body, LEAF.body.replace("M", "N")):
        with refused("MalformedCertificate", not_pem, status=400):
            upload(iam, made=LEAF._replace(body=body))
    with refused("MalformedCertificate", "Unable to parse private key."):
        upload(iam, key="nonsense")
    with refused("KeyPairMismatch", status=400):
        upload(iam, key=MIDDLE.key)


@pytest.mark.parametrize(
    ("chain", "index"),
    [([TOP, MIDDLE], -1), ([TOP], -1), ([MIDDLE, MIDDLE], 0), ([MIDDLE, certificate("stranger")], 0)],
)
def test_a_chain_begins_with_the_signer_and_goes_up(steady_jar: TestJar, chain: list[Made], index: int) -> None:
    iam = root(steady_jar, "iam")
    words = "Unable to validate certificate chain. The certificate chain must start with the immediate signing "
    with refused("MalformedCertificate", words, f"invalid certificate is: {index}", status=400):
        upload(iam, CertificateChain="".join(made.body for made in chain))
    with refused("MalformedCertificate", "certificate chain"):
        upload(iam, CertificateChain="nothing")


def test_an_account_has_twenty(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    for n in range(20):
        upload(iam, f"c{n}")
    with refused("LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: 20", status=409):
        upload(iam, "c20")


def test_permission_is_asked_for_by_the_certificates_own_arn(jar: TestJar, iam: Any) -> None:
    upload(iam, Path="/web/")
    arn = f"arn:aws:iam::{ACCOUNT}:server-certificate/web/"
    ann = user(jar, "ann", allow("iam:*ServerCertificate*", on=arn + "www"))
    assert ann.client("iam").get_server_certificate(ServerCertificateName="www")
    with refused("AccessDenied", arn + "new"):
        upload(ann.client("iam"), "new", Path="/web/")


def test_signing_certificates(jar: TestJar, iam: Any) -> None:
    ann = user(jar, "ann", allow("iam:*SigningCertificate*"))
    own = ann.client("iam")
    made = own.upload_signing_certificate(CertificateBody=TOP.body)["Certificate"]
    assert (made["UserName"], made["Status"], made["UploadDate"]) == ("ann", "Active", jar.clock.now())
    assert len(made["CertificateId"]) == 32
    with refused("DuplicateCertificate", status=409):
        own.upload_signing_certificate(CertificateBody=TOP.body)
    jar.advance(seconds=1)
    own.upload_signing_certificate(CertificateBody=MIDDLE.body)
    with refused("LimitExceeded", "Cannot exceed quota for CertificatesPerUser: 2", status=409):
        own.upload_signing_certificate(CertificateBody=LEAF.body)
    iam.update_signing_certificate(UserName="ann", CertificateId=made["CertificateId"], Status="Inactive")
    assert [c["Status"] for c in own.list_signing_certificates()["Certificates"]] == ["Inactive", "Active"]
    with refused("DeleteConflict", "must delete signing certificates first", status=409):
        iam.delete_access_key(UserName="ann", AccessKeyId=ann.key)
        iam.delete_user_policy(UserName="ann", PolicyName="own")
        iam.delete_user(UserName="ann")
    for listed in iam.list_signing_certificates(UserName="ann")["Certificates"]:
        iam.delete_signing_certificate(UserName="ann", CertificateId=listed["CertificateId"])
    with refused("NoSuchEntity", status=404):
        iam.delete_signing_certificate(UserName="ann", CertificateId=made["CertificateId"])
    iam.delete_user(UserName="ann")


def test_a_signing_certificate_must_be_one_that_holds(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="ann")
    with refused("MalformedCertificate", status=400):
        iam.upload_signing_certificate(UserName="ann", CertificateBody="nonsense")
    with refused("InvalidCertificate", "expired", status=400):
        iam.upload_signing_certificate(UserName="ann", CertificateBody=certificate("old", days=10).body)


@cache
def ssh_key(size: int = 2048) -> tuple[str, str]:
    """An RSA key as ``ssh-rsa ...`` and as PEM."""
    key = rsa.generate_private_key(65537, size).public_key()
    ssh = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    return ssh, key.public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def test_ssh_keys_are_taken_and_given_in_both_encodings(jar: TestJar, iam: Any) -> None:
    ssh, pem = ssh_key()
    iam.create_user(UserName="ann")
    made = iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=pem)["SSHPublicKey"]
    assert (made["SSHPublicKeyBody"], made["Status"], made["UploadDate"]) == (ssh, "Active", jar.clock.now())
    assert made["SSHPublicKeyId"].startswith("APKA")
    assert len(made["Fingerprint"].split(":")) == 16
    key = {"UserName": "ann", "SSHPublicKeyId": made["SSHPublicKeyId"]}
    assert iam.get_ssh_public_key(**key, Encoding="PEM")["SSHPublicKey"]["SSHPublicKeyBody"] == pem
    assert iam.get_ssh_public_key(**key, Encoding="SSH")["SSHPublicKey"]["SSHPublicKeyBody"] == ssh
    with refused("DuplicateSSHPublicKey", status=400):
        iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=ssh + " ann@home")
    iam.update_ssh_public_key(**key, Status="Inactive")
    (listed,) = iam.list_ssh_public_keys(UserName="ann")["SSHPublicKeys"]
    assert (listed["Status"], "SSHPublicKeyBody" in listed) == ("Inactive", False)
    with refused("DeleteConflict", "must delete SSH public keys first"):
        iam.delete_user(UserName="ann")
    iam.create_user(UserName="bob")
    with refused("NoSuchEntity", status=404):
        iam.delete_ssh_public_key(UserName="bob", SSHPublicKeyId=made["SSHPublicKeyId"])
    iam.update_user(UserName="ann", NewUserName="anna")
    iam.delete_ssh_public_key(UserName="anna", SSHPublicKeyId=made["SSHPublicKeyId"])
    assert iam.list_ssh_public_keys(UserName="anna")["SSHPublicKeys"] == []


def test_ssh_keys_are_rsa_and_long_enough(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="ann")
    curve = ed25519.Ed25519PrivateKey.generate().public_key()
    other = curve.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    for body in ("nonsense", "ssh-rsa AAAA", other, ssh_key(1024)[0]):
        with refused("InvalidPublicKey", status=400):
            iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=body)


def test_a_user_has_five_ssh_keys(steady_jar: TestJar) -> None:
    iam = root(steady_jar, "iam")
    iam.create_user(UserName="ann")
    for _ in range(5):
        ssh_key.cache_clear()
        iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=ssh_key()[0])
    ssh_key.cache_clear()
    with refused("LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 5", status=409):
        iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=ssh_key()[0])


GIT = "codecommit.amazonaws.com"


def test_a_service_specific_password_is_shown_once(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="ann")
    made = iam.create_service_specific_credential(UserName="ann", ServiceName=GIT)["ServiceSpecificCredential"]
    assert (made["ServiceUserName"], made["Status"]) == (f"ann-at-{ACCOUNT}", "Active")
    assert made["ServiceSpecificCredentialId"].startswith("ACCA")
    second = iam.create_service_specific_credential(UserName="ann", ServiceName=GIT)["ServiceSpecificCredential"]
    assert second["ServiceUserName"] == f"ann+1-at-{ACCOUNT}"
    with refused("LimitExceeded", "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2", status=409):
        iam.create_service_specific_credential(UserName="ann", ServiceName=GIT)
    listed = iam.list_service_specific_credentials(UserName="ann")["ServiceSpecificCredentials"]
    assert [set(c) & {"ServicePassword", "ServiceCredentialSecret"} for c in listed] == [set(), set()]
    stored = b"".join(path.read_bytes() for path in jar.home.iterdir() if path.is_file())
    assert made["ServicePassword"].encode() not in stored
    key = {"UserName": "ann", "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    again = iam.reset_service_specific_credential(**key)["ServiceSpecificCredential"]
    assert again["ServicePassword"] != made["ServicePassword"]
    iam.update_service_specific_credential(**key, Status="Inactive")
    with refused("InvalidInput", status=400):
        iam.update_service_specific_credential(**key, Status="Expired")
    with refused("DeleteConflict", "must delete service-specific credentials first"):
        iam.delete_user(UserName="ann")
    iam.delete_service_specific_credential(**key)
    with refused("NoSuchEntity", status=404):
        iam.reset_service_specific_credential(**key)


def test_api_keys_have_an_alias_and_may_expire(jar: TestJar, iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_user(UserName="bob")
    asked = {"UserName": "ann", "ServiceName": "bedrock.amazonaws.com", "CredentialAgeDays": 30}
    made = iam.create_service_specific_credential(**asked)["ServiceSpecificCredential"]
    assert made["ExpirationDate"] == jar.clock.now() + timedelta(days=30)
    assert (made["ServiceCredentialAlias"], "ServiceUserName" in made) == (f"ann-at-{ACCOUNT}", False)
    assert made["ServiceCredentialSecret"]
    iam.create_service_specific_credential(UserName="bob", ServiceName=GIT)
    jar.advance(days=30)
    everybody = iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
    assert [(c["UserName"], c["Status"]) for c in everybody] == [("ann", "Expired"), ("bob", "Active")]
    only = iam.list_service_specific_credentials(AllUsers=True, ServiceName=GIT)["ServiceSpecificCredentials"]
    assert [c["UserName"] for c in only] == ["bob"]
    with refused("ValidationError", "CredentialAgeDays"):
        iam.create_service_specific_credential(UserName="bob", ServiceName=GIT, CredentialAgeDays=1)
    with refused("NotSupportedService", "s3.amazonaws.com", status=404):
        iam.create_service_specific_credential(UserName="bob", ServiceName="s3.amazonaws.com")
