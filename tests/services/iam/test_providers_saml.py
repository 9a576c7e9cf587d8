"""SAML providers as IAM keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import refused
from tests.services.sts.idp import metadata


def create(iam: Any, document: str = "", **more: Any) -> str:
    """A provider; its ARN."""
    made = iam.create_saml_provider(Name="idp", SAMLMetadataDocument=document or metadata(), **more)
    return str(made["SAMLProviderArn"])


def test_a_provider_is_kept_as_its_document_describes_it(jar: TestJar, iam: Any) -> None:
    arn = create(iam, Tags=[{"Key": "a", "Value": "b"}])
    assert arn == f"arn:aws:iam::{ACCOUNT}:saml-provider/idp"
    found = iam.get_saml_provider(SAMLProviderArn=arn)
    assert (found["SAMLMetadataDocument"], found["CreateDate"]) == (metadata(), jar.clock.now())
    assert (found["ValidUntil"] - found["CreateDate"]).days == 36500
    assert len(found["SAMLProviderUUID"]) >= 21
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    (listed,) = iam.list_saml_providers()["SAMLProviderList"]
    assert (listed["Arn"], listed["ValidUntil"]) == (arn, found["ValidUntil"])
    with refused("EntityAlreadyExists", status=409):
        create(iam)
    iam.delete_saml_provider(SAMLProviderArn=arn)
    with refused("NoSuchEntity", status=404):
        iam.get_saml_provider(SAMLProviderArn=arn)
    with refused("NoSuchEntity", status=404):
        iam.delete_saml_provider(SAMLProviderArn=arn)


def test_another_document_takes_the_place_of_the_first(jar: TestJar, iam: Any) -> None:
    arn = create(iam)
    until = metadata("new", more=' validUntil="2090-01-01T00:00:00Z"')
    assert iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument=until)["SAMLProviderArn"] == arn
    found = iam.get_saml_provider(SAMLProviderArn=arn)
    assert found["SAMLMetadataDocument"] == until
    assert found["ValidUntil"].year == 2090
    with refused("InvalidInput", "No updates are defined", status=400):
        iam.update_saml_provider(SAMLProviderArn=arn)
    with refused("InvalidInput", "Could not parse metadata"):
        iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument="x" * 1000)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "document",
    [
        "x" * 1000,
        "<a/>" + " " * 1000,
        BOMB + metadata(entity="&b;"),
        FILE + metadata(entity="&a;"),
        "\ufeff" + metadata(),
        metadata().replace("IDPSSODescriptor", "SPSSODescriptor"),
        metadata().replace('entityID="https://idp.example.com/saml"', ""),
        metadata().replace('use="signing"', 'use="encryption"'),
        metadata().replace("MII", "!!!"),
        metadata(more=' validUntil="2020-01-01T00:00:00Z"'),
        metadata(more=' validUntil="soon"'),
        metadata()[:-10],
    ],
)
def test_a_document_that_describes_no_provider_is_refused(steady_jar: TestJar, document: str) -> None:
    with refused("InvalidInput", "etadata", status=400):
        create(steady_jar.client("iam"), document)


def test_tags_of_a_provider(jar: TestJar, iam: Any) -> None:
    arn = create(iam)
    iam.tag_saml_provider(SAMLProviderArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_saml_provider(SAMLProviderArn=arn, TagKeys=["a"])
    assert iam.list_saml_provider_tags(SAMLProviderArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_encryption_is_not_built_and_says_so(steady_jar: TestJar) -> None:
    with refused("NotImplemented", "Encrypted SAML assertions", status=501):
        create(steady_jar.client("iam"), AssertionEncryptionMode="Required")
