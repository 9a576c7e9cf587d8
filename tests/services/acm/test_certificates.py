"""Certificates: asked for and proven, brought from elsewhere, renewed, used up."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cloudjar.kit import certificates
from tests.jar import ACCOUNT, TestJar
from tests.services.acm.making import NOW, pair
from tests.services.elbv2.site import refused


def requested(jar: TestJar, domain: str = "www.example.com", **more: Any) -> str:
    asked = {"DomainName": domain, "ValidationMethod": "DNS", "KeyAlgorithm": "EC_prime256v1", **more}
    return str(jar.client("acm").request_certificate(**asked)["CertificateArn"])


def shown(jar: TestJar, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = jar.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return found


def proven(jar: TestJar, arn: str, domain: str = "") -> None:
    certificates.prove(jar.jar.world, arn, domain)
    jar.settle()


def test_a_certificate_waits_for_its_domains_and_is_then_signed_by_the_jar(jar: TestJar) -> None:
    acm = jar.client("acm")
    arn = requested(
        jar, SubjectAlternativeNames=["*.example.com", "WWW.example.com"], Tags=[{"Key": "a", "Value": "b"}]
    )
    jar.settle()
    detail = shown(jar, arn)
    assert re.fullmatch(rf"arn:aws:acm:eu-west-3:{ACCOUNT}:certificate/[0-9a-f-]{{36}}", arn)
    assert (detail["Status"], detail["Type"], detail["CreatedAt"]) == ("PENDING_VALIDATION", "AMAZON_ISSUED", NOW)
    assert detail["SubjectAlternativeNames"] == ["www.example.com", "*.example.com"]
    first, second = detail["DomainValidationOptions"]
    record = first["ResourceRecord"]
    assert record["Type"] == "CNAME"
    assert re.fullmatch(r"_[0-9a-f]{32}\.www\.example\.com\.", record["Name"])
    assert re.fullmatch(r"_[0-9a-f]{32}\.[a-z2-7]{10}\.acm-validations\.aws\.", record["Value"])
    assert second["ResourceRecord"]["Name"].endswith(".example.com.")
    with refused("RequestInProgressException"):
        acm.get_certificate(CertificateArn=arn)
    proven(jar, arn, "www.example.com")
    assert [d["ValidationStatus"] for d in shown(jar, arn)["DomainValidationOptions"]] == [
        "SUCCESS",
        "PENDING_VALIDATION",
    ]
    proven(jar, arn)
    acm.get_waiter("certificate_validated").wait(CertificateArn=arn)
    detail, got = shown(jar, arn), acm.get_certificate(CertificateArn=arn)
    leaf = x509.load_pem_x509_certificate(got["Certificate"].encode())
    root = x509.load_pem_x509_certificate(got["CertificateChain"].encode())
    leaf.verify_directly_issued_by(root)
    assert (jar.home / "tls" / "ca.pem").read_text() == got["CertificateChain"]
    assert detail["NotAfter"] == leaf.not_valid_after_utc == NOW + timedelta(days=198)
    assert (detail["KeyAlgorithm"], detail["Subject"], detail["Issuer"]) == (
        "EC_prime256v1",
        "CN=www.example.com",
        "Cloudjar",
    )
    assert (detail["IssuedAt"], detail["InUseBy"], detail["RenewalEligibility"]) == (NOW, [], "INELIGIBLE")
    assert detail["ExtendedKeyUsages"] == [{"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"}]
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceNotFoundException", f"Could not find certificate {arn}"):
        acm.describe_certificate(CertificateArn=arn)


def test_the_same_domain_is_always_asked_for_the_same_record_and_a_token_holds_for_an_hour(jar: TestJar) -> None:
    first, again = requested(jar, IdempotencyToken="one"), requested(jar, IdempotencyToken="one")
    other = requested(jar, IdempotencyToken="two")
    assert first == again != other
    assert (
        shown(jar, first)["DomainValidationOptions"][0]["ResourceRecord"]
        == shown(jar, other)["DomainValidationOptions"][0]["ResourceRecord"]
    )
    jar.advance(hours=1, seconds=1)
    assert requested(jar, IdempotencyToken="one") != first


def test_what_nobody_proves_times_out_and_what_is_awss_own_fails(jar: TestJar) -> None:
    waits, never = requested(jar), requested(jar, "www.amazonaws.com")
    jar.settle()
    assert (shown(jar, never)["Status"], shown(jar, never)["FailureReason"]) == ("FAILED", "DOMAIN_NOT_ALLOWED")
    jar.advance(hours=71)
    assert shown(jar, waits)["Status"] == "PENDING_VALIDATION"
    jar.advance(hours=2)
    assert shown(jar, waits)["Status"] == "VALIDATION_TIMED_OUT"
    with pytest.raises(ValueError, match="nothing is asked"):
        certificates.prove(jar.jar.world, waits)


def option(to: str) -> dict[str, str]:
    return {"DomainName": "www.example.com", "ValidationDomain": to}


def test_what_requests_refuse(jar: TestJar) -> None:
    with refused("LimitExceededException", "your limit of 10 domain names"):
        requested(jar, SubjectAlternativeNames=[f"a{n}.example.com" for n in range(10)])
    with refused("InvalidParameterException", "HTTP"):
        requested(jar, ValidationMethod="HTTP")
    with refused("InvalidParameterException", "RSA_1024"):
        requested(jar, KeyAlgorithm="RSA_1024")
    with refused("InvalidDomainValidationOptionsException"):
        requested(jar, ValidationMethod="EMAIL",
                  DomainValidationOptions=[option("example.org")])  # fmt: skip
    with refused("NotImplemented", "private certificate authority"):
        requested(jar, CertificateAuthorityArn=f"arn:aws:acm-pca:eu-west-3:{ACCOUNT}:certificate-authority/x")
    arn = requested(jar, ValidationMethod="EMAIL",
                    DomainValidationOptions=[option("example.com")])  # fmt: skip
    told = shown(jar, arn)["DomainValidationOptions"][0]
    assert "admin@example.com" in told["ValidationEmails"]
    assert len(told["ValidationEmails"]) == 5
    acm = jar.client("acm")
    acm.resend_validation_email(CertificateArn=arn, Domain="www.example.com", ValidationDomain="www.example.com")
    assert "admin@www.example.com" in shown(jar, arn)["DomainValidationOptions"][0]["ValidationEmails"]
    with refused("InvalidStateException"):
        acm.resend_validation_email(
            CertificateArn=requested(jar), Domain="www.example.com", ValidationDomain="example.com"
        )


def test_certificates_in_use_are_renewed_and_others_expire(jar: TestJar) -> None:
    used, idle = requested(jar), requested(jar, "idle.example.com")
    mailed = requested(jar, "mail.example.com", ValidationMethod="EMAIL")
    for arn in (used, idle, mailed):
        proven(jar, arn)
    world = jar.jar.world
    from cloudjar.base.caller import service
    from cloudjar.kit.context import Ctx

    ctx = Ctx(world, ACCOUNT, "eu-west-3", service("elasticloadbalancing.amazonaws.com", ""))
    user = f"arn:aws:elasticloadbalancing:eu-west-3:{ACCOUNT}:loadbalancer/app/web/0123456789abcdef"
    with world.state.database.transaction():
        for arn in (used, mailed):
            certificates.keeper(ctx).use(ctx, arn, user)
    before = certificates.keeper(ctx).pem(ctx, used)
    assert shown(jar, used)["RenewalEligibility"] == "ELIGIBLE"
    with refused("ResourceInUseException", "is in use"):
        jar.client("acm").delete_certificate(CertificateArn=used)
    jar.advance(days=152)
    assert shown(jar, used)["NotAfter"] == NOW + timedelta(days=198)
    jar.advance(days=2)
    assert shown(jar, used)["NotAfter"] == NOW + timedelta(days=153 + 198)
    assert shown(jar, used)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert certificates.keeper(Ctx(jar.jar.world, ACCOUNT, "eu-west-3", ctx.caller)).pem(
        Ctx(jar.jar.world, ACCOUNT, "eu-west-3", ctx.caller), used) != before  # fmt: skip
    assert shown(jar, mailed)["Status"] == "ISSUED"
    jar.advance(days=50)
    assert shown(jar, idle)["Status"] == "EXPIRED"
    events = [e for e in jar.jar.events.since(0) if e.source == "aws.acm"]
    approaching = [e.detail["DaysToExpiry"] for e in events
                   if e.detail_type == "ACM Certificate Approaching Expiration" and e.resources == (idle,)]  # fmt: skip
    assert approaching == list(range(45, 0, -1))
    assert [e.detail_type for e in events if e.resources == (idle,)][-1] == "ACM Certificate Expired"
    jar.advance(days=110)  # who answered once by mail is asked again
    assert shown(jar, mailed)["RenewalSummary"]["RenewalStatus"] == "PENDING_VALIDATION"
    proven(jar, mailed)
    assert shown(jar, mailed)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"


def test_certificates_are_imported_with_their_chain_and_again(jar: TestJar) -> None:
    acm = jar.client("acm")
    root = pair("Some Root")
    leaf = pair("shop.example.com", root, names=("www.shop.example.com",))
    arn = acm.import_certificate(Certificate=leaf.body, PrivateKey=leaf.key, CertificateChain=root.body)[
        "CertificateArn"
    ]
    detail = shown(jar, arn)
    assert (detail["Type"], detail["Status"], detail["ImportedAt"]) == ("IMPORTED", "ISSUED", NOW)
    assert detail["SubjectAlternativeNames"] == ["shop.example.com", "www.shop.example.com"]
    assert detail["SignatureAlgorithm"] == "SHA256WITHECDSA"
    assert "CreatedAt" not in detail
    assert leaf.key.splitlines()[1] not in b"".join(p.read_bytes() for p in jar.home.glob("cloudjar.db*"))
    renewed = pair("shop.example.com", root, days=180)
    acm.import_certificate(
        CertificateArn=arn, Certificate=renewed.body, PrivateKey=renewed.key, CertificateChain=root.body
    )
    assert shown(jar, arn)["NotAfter"] == renewed.certificate.not_valid_after_utc
    assert acm.get_certificate(CertificateArn=arn)["Certificate"].encode() == renewed.body
    with refused("ValidationException", "not a private certificate"):
        acm.export_certificate(CertificateArn=arn, Passphrase=b"secret")
    assert acm.list_certificates()["CertificateSummaryList"] == []  # RSA alone unless one says more
    listed = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    assert [(c["CertificateArn"], c["InUse"], c["Status"]) for c in listed] == [(arn, False, "ISSUED")]


def test_what_imports_refuse(jar: TestJar) -> None:
    acm = jar.client("acm")
    root, other = pair("Some Root"), pair("Another Root")
    leaf = pair("shop.example.com", root)

    def bring(body: bytes, key: bytes, chain: bytes = b"", **more: Any) -> None:
        acm.import_certificate(
            Certificate=body, PrivateKey=key, **({"CertificateChain": chain} if chain else {}), **more
        )

    with refused("ValidationException", "PEM format"):
        bring(b"rubbish", leaf.key)
    with refused("ValidationException", "more than one certificate"):
        bring(leaf.body + root.body, leaf.key)
    with refused("ValidationException", "does not match"):
        bring(leaf.body, other.key)
    with refused("ValidationException", "Unable to parse private key"):
        bring(leaf.body, b"rubbish")
    with refused("ValidationException", "Could not validate the certificate with the certificate chain"):
        bring(leaf.body, leaf.key, other.body)
    with refused("ValidationException", "expired"):
        old = pair("shop.example.com", begins=NOW - timedelta(days=90), days=30)
        bring(old.body, old.key)
    with refused("ValidationException", "not supported for key algorithm"):
        odd = pair("shop.example.com", key=ec.generate_private_key(ec.SECP256K1()))
        bring(odd.body, odd.key)
    with refused("ValidationException", "was not imported"):
        bring(leaf.body, leaf.key, root.body, CertificateArn=requested(jar))


def test_what_was_requested_as_exportable_can_be_exported_under_a_passphrase(jar: TestJar) -> None:
    acm = jar.client("acm")
    arn = requested(jar, Options={"Export": "ENABLED"})
    proven(jar, arn)
    got = acm.export_certificate(CertificateArn=arn, Passphrase=b"secret")
    key: Any = load_pem_private_key(got["PrivateKey"].encode(), b"secret")
    assert key.public_key() == x509.load_pem_x509_certificate(got["Certificate"].encode()).public_key()
    assert shown(jar, arn)["RenewalEligibility"] == "ELIGIBLE"
    with refused("ValidationException"):
        acm.update_certificate_options(CertificateArn=arn, Options={"Export": "DISABLED"})
    with refused("ValidationException", "cannot be renewed by hand"):
        acm.renew_certificate(CertificateArn=arn)


def test_tags_and_the_accounts_configuration(jar: TestJar) -> None:
    acm = jar.client("acm")
    arn = requested(jar)
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    with refused("InvalidTagException"):
        acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "aws:a", "Value": "1"}])
    assert acm.get_account_configuration()["ExpiryEvents"] == {"DaysBeforeExpiry": 45}
    acm.put_account_configuration(ExpiryEvents={"DaysBeforeExpiry": 10}, IdempotencyToken="x")
    assert acm.get_account_configuration()["ExpiryEvents"] == {"DaysBeforeExpiry": 10}


def test_a_policy_may_name_one_certificate(jar: TestJar) -> None:
    arn, other = requested(jar), requested(jar, "other.example.com")
    iam = jar.client("iam")
    iam.create_user(UserName="ann")
    allowed = {"Effect": "Allow", "Action": "acm:DescribeCertificate", "Resource": arn}
    iam.put_user_policy(UserName="ann", PolicyName="p",
                        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))  # fmt: skip
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = jar.client("acm", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert ann.describe_certificate(CertificateArn=arn)["Certificate"]["DomainName"] == "www.example.com"
    with refused("AccessDeniedException", "acm:DescribeCertificate"):
        ann.describe_certificate(CertificateArn=other)
