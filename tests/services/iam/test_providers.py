"""OpenID Connect providers as IAM keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import allow, refused, user
from tests.services.sts.issuer import Issuer

THUMBPRINT = "ABCDEF0123456789ABCDEF0123456789ABCDEF01"


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    """A real issuer on loopback."""
    made = Issuer(tmp_path)
    yield made
    made.close()


def create(iam: Any, url: str = "https://id.example.com/team", **more: Any) -> str:
    """A provider; its ARN."""
    asked = {"Url": url, "ThumbprintList": [THUMBPRINT], "ClientIDList": ["jar"], **more}
    return str(iam.create_open_id_connect_provider(**asked)["OpenIDConnectProviderArn"])


def test_a_provider_is_kept_as_it_was_described(jar: TestJar, iam: Any) -> None:
    arn = create(iam, Tags=[{"Key": "a", "Value": "b"}])
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/id.example.com/team"
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (found["Url"], found["ClientIDList"]) == ("id.example.com/team", ["jar"])
    assert (found["ThumbprintList"], found["CreateDate"]) == ([THUMBPRINT.lower()], jar.clock.now())
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == [{"Arn": arn}]
    assert iam.get_account_summary()["SummaryMap"]["Providers"] == 1
    with refused("EntityAlreadyExists", "Provider with url https://id.example.com/team already exists.", status=409):
        create(iam)
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)  # nothing to complain of
    with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", status=404):
        iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com",
        "https://",
        "https://id.example.com?x=1",
        "https://id.example.com/#x",
        "https://me@id.example.com",
        "https://id.example.com/a b",
        "https://[::1",
        "file:///etc/passwd",
        "HTTPS://id.example.com",
    ],
)
def test_an_issuer_is_an_https_address_and_no_more(steady_jar: TestJar, url: str) -> None:
    with refused("InvalidInput", status=400):
        create(steady_jar.client("iam"), url)


def test_client_ids_come_and_go_without_complaint(jar: TestJar, iam: Any) -> None:
    arn = create(iam)
    for client in ("app", "app"):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client)
    for client in ("jar", "jar"):
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client)
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["app"]


def test_limits_of_a_provider(steady_jar: TestJar) -> None:
    iam = steady_jar.client("iam")
    with refused("LimitExceeded", "100", status=409):
        create(iam, ClientIDList=[f"c{n}" for n in range(101)])
    with refused("InvalidInput", status=400):
        create(iam, ThumbprintList=[f"{n:040x}" for n in range(6)])
    with refused("InvalidInput", status=400):
        create(iam, ThumbprintList=["z" * 40])
    arn = create(iam, ClientIDList=[f"c{n}" for n in range(100)])
    with refused("LimitExceeded", status=409):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one more")


def test_thumbprints_and_tags_change(jar: TestJar, iam: Any) -> None:
    arn = create(iam)
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["0" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "A", "Value": "2"}])
    assert iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"] == [{"Key": "A", "Value": "2"}]
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["a"])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert found["ThumbprintList"] == ["0" * 40]
    assert "Tags" not in found


def test_without_a_thumbprint_the_issuers_certificate_is_looked_at(jar: TestJar, iam: Any, issuer: Issuer) -> None:
    arn = create(iam, issuer.url, ThumbprintList=[])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert found["ThumbprintList"] == [issuer.certificates.thumbprint]
    assert issuer.asked == []  # a look at the certificate asks for nothing
    issuer.close()
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    with refused("OpenIdIdpCommunicationError", status=400):
        create(iam, issuer.url, ThumbprintList=[])


def test_nobody_has_an_address_looked_at_who_may_make_no_provider(jar: TestJar, iam: Any, issuer: Issuer) -> None:
    ann = user(jar, "ann", allow("iam:ListUsers"))
    with refused("AccessDenied", "iam:CreateOpenIDConnectProvider", "oidc-provider/localhost"):
        create(ann.client("iam"), issuer.url, ThumbprintList=[])
    assert issuer.connections == 0
