"""Roles for holders of SAML responses: what a response opens, and how responses are forged in vain."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from lxml import etree

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER, Person, allow, policy, refused, role, root, session, trust
from tests.services.sts.idp import (
    DS,
    ENTITY,
    OURS,
    RECIPIENT,
    SAML,
    answer,
    assertion,
    encoded,
    metadata,
    response,
    signed,
)
from tests.services.sts.test_web_identity import sts

ACTION = "sts:AssumeRoleWithSAML"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:saml-provider/idp"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Team"
AUDIENCE = {"StringEquals": {"saml:aud": RECIPIENT}}
SAID: dict[str, str | Sequence[str]] = {
    f"{OURS}Role": [f"arn:aws:iam::{ACCOUNT}:role/Else,{PROVIDER}", f"{ROLE},{PROVIDER}"],
    f"{OURS}RoleSessionName": "ann",
}


def trusts(*actions: str, provider: str = PROVIDER, **conditions: Any) -> str:
    """A trust policy that names a provider."""
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": list(actions or (ACTION,))}
    return policy({**statement, "Condition": {**AUDIENCE, **conditions}})


def prepare(jar: TestJar, document: str = "", *statements: dict[str, Any], **more: Any) -> None:
    """The provider, and a role that trusts it."""
    root(jar, "iam").create_saml_provider(Name="idp", SAMLMetadataDocument=metadata())
    role(jar, "Team", document or trusts(), *statements, **more)


def ask(jar: TestJar, text: str, **more: Any) -> Any:
    """The answer to a response."""
    return sts(jar).assume_role_with_saml(**{"RoleArn": ROLE, "PrincipalArn": PROVIDER, "SAMLAssertion": text, **more})


def enter(jar: TestJar, text: str, **more: Any) -> Person:
    """The session that a response opens."""
    return session(jar, ask(jar, text, **more))


def test_a_response_opens_the_role_that_trusts_its_provider(jar: TestJar) -> None:
    prepare(jar, "", allow("iam:ListRoles"))
    made = ask(jar, answer(SAID))
    assert made["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Team/ann"
    assert (made["Subject"], made["SubjectType"]) == ("ann@example.com", "persistent")
    assert (made["Issuer"], made["Audience"]) == (ENTITY, RECIPIENT)
    qualifier = b64encode(hashlib.sha1(f"{ENTITY}{ACCOUNT}/idp".encode()).digest()).decode()
    assert made["NameQualifier"] == qualifier
    assert (made["Credentials"]["Expiration"] - jar.clock.now()).total_seconds() == 3600
    inside = session(jar, made)
    assert inside.client("iam").list_roles()["Roles"]
    with refused("AccessDenied"):
        inside.client("iam").list_users()


@pytest.mark.parametrize(
    "make",
    [
        lambda: response(signed(assertion(SAID))),
        lambda: signed(response(assertion(SAID))),
        lambda: signed(response(signed(assertion(SAID)))),
        lambda: response(signed(assertion(SAID), algorithm="rsa-sha512")),
        lambda: signed(response(assertion(SAID).replace("><", ">\n  <"))),
    ],
    ids=["the assertion", "the response", "both", "with another hash", "with white space"],
)
def test_either_or_both_may_be_signed(steady_jar: TestJar, make: Any) -> None:
    prepare(steady_jar)
    assert enter(steady_jar, encoded(make())).arn.endswith("/ann")


def test_what_the_provider_says_decides_in_the_trust_policy(jar: TestJar) -> None:
    staff = {"ForAnyValue:StringEquals": {"saml:edupersonaffiliation": "staff"}}
    where = {"saml:iss": ENTITY, "saml:sub_type": "persistent", "saml:doc": f"{ACCOUNT}/idp"}
    conditions: dict[str, Any] = {"StringEquals": {**AUDIENCE["StringEquals"], **where}, **staff}
    prepare(jar, trusts(**conditions))
    affiliation = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"
    assert enter(jar, answer({**SAID, affiliation: ["member", "staff"]})).arn
    with refused("AccessDenied", f"Not authorized to perform {ACTION}", status=403):
        ask(jar, answer({**SAID, affiliation: ["member"]}))


def test_who_it_is_holds_for_the_session(jar: TestJar) -> None:
    mine = {"StringEquals": {"saml:sub": "ann@example.com"}}
    prepare(jar, "", allow("iam:ListRoles", Condition=mine))
    assert enter(jar, answer(SAID)).client("iam").list_roles()["Roles"]
    with refused("AccessDenied"):
        enter(jar, answer(SAID, subject="bob@example.com")).client("iam").list_roles()


def test_tags_and_source_identity_come_with_the_response_and_need_consent(jar: TestJar) -> None:
    red = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    prepare(jar, trusts(ACTION, "sts:TagSession"), allow("iam:ListRoles", Condition=red))
    tags = {f"{OURS}PrincipalTag:team": "red", f"{OURS}TransitiveTagKeys": ["team"]}
    inside = enter(jar, answer({**SAID, **tags}))
    assert inside.client("iam").list_roles()["Roles"]
    second = role(
        jar, "Next", trust(ROLE, actions=("sts:AssumeRole", "sts:TagSession")), allow("iam:ListRoles", Condition=red)
    )
    assert inside.assume(second).client("iam").list_roles()["Roles"]
    with refused("AccessDenied", "sts:SetSourceIdentity"):
        ask(jar, answer({**SAID, f"{OURS}SourceIdentity": "ann"}))
    root(jar, "iam").update_assume_role_policy(
        RoleName="Team", PolicyDocument=trusts(ACTION, "sts:SetSourceIdentity")
    )
    assert ask(jar, answer({**SAID, f"{OURS}SourceIdentity": "ann"}))["SourceIdentity"] == "ann"
    with refused("AccessDenied", "sts:TagSession"):
        ask(jar, answer({**SAID, **tags}))


def test_how_long_a_session_lasts(jar: TestJar) -> None:
    prepare(jar, MaxSessionDuration=7200)

    def seconds(text: str, **more: Any) -> float:
        made = ask(jar, text, **more)
        return float((made["Credentials"]["Expiration"] - jar.clock.now()).total_seconds())

    assert seconds(answer(SAID), DurationSeconds=7200) == 7200
    assert seconds(answer({**SAID, f"{OURS}SessionDuration": "1800"})) == 1800
    assert seconds(answer({**SAID, f"{OURS}SessionDuration": "7200"})) == 3600
    assert 1100 < seconds(answer(SAID, session=1200)) <= 1200
    with refused("ValidationError", "MaxSessionDuration", status=400):
        ask(jar, answer(SAID), DurationSeconds=7201)


def test_the_jars_own_time_does_not_matter(jar: TestJar) -> None:
    prepare(jar)
    jar.advance(days=30)
    assert enter(jar, answer(SAID)).client("sts").get_caller_identity()["Arn"]


# -- what does not hold


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"issuer": "https://evil.example.com"}, "InvalidIdentityToken", "Issuer not present in specified provider"),
        ({"audience": "https://other.example.com"}, "InvalidIdentityToken", "required audience"),
        ({"recipient": "https://other.example.com/saml"}, "InvalidIdentityToken", "required recipient"),
        ({"recipient": RECIPIENT + "/acs/ASPPSOMEBODYELSE"}, "InvalidIdentityToken", "required recipient"),
        ({"issued": -301}, "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance"),
        ({"until": -1}, "ExpiredTokenException", "expired"),
        ({"session": -1}, "ExpiredTokenException", "expired"),
        ({"issued": 900, "until": 1200}, "InvalidIdentityToken", "not valid yet"),
        ({"method": "sender-vouches"}, "InvalidIdentityToken", "Invalid SAML response"),
        ({"subject": ""}, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"),
    ],
)
def test_assertions_that_do_not_hold(steady_jar: TestJar, more: dict[str, Any], code: str, words: str) -> None:
    prepare(steady_jar)
    with refused(code, words):
        ask(steady_jar, answer(SAID, **more))


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({f"{OURS}Role": f"{ROLE},arn:aws:iam::{ACCOUNT}:saml-provider/else"}, "AccessDenied", "Not authorized"),
        ({f"{OURS}Role": []}, "AccessDenied", "Not authorized"),
        ({f"{OURS}RoleSessionName": []}, "InvalidIdentityToken", "RoleSessionName is required in AuthnResponse"),
        ({f"{OURS}RoleSessionName": "a b"}, "InvalidIdentityToken", "RoleSessionName in AuthnResponse must match"),
        ({f"{OURS}SourceIdentity": "aws:me"}, "InvalidIdentityToken", "Source Identity must match"),
        ({f"{OURS}PrincipalTag:a": ["1", "2"]}, "InvalidIdentityToken", "exactly one value"),
        ({f"{OURS}PrincipalTag:a": "x" * 257}, "InvalidIdentityToken", "256"),
        ({f"{OURS}SessionDuration": "1"}, "InvalidIdentityToken", "SessionDuration"),
    ],
)
def test_attributes_that_do_not_hold(
    steady_jar: TestJar, change: dict[str, str | Sequence[str]], code: str, words: str
) -> None:
    prepare(steady_jar)
    with refused(code, words):
        ask(steady_jar, answer({**SAID, **change}))


def test_providers_and_roles_that_are_not_there(jar: TestJar) -> None:
    prepare(jar)
    with refused("InvalidIdentityToken", "Specified provider doesn't exist", status=400):
        ask(jar, answer(SAID), PrincipalArn=f"arn:aws:iam::{ACCOUNT}:saml-provider/nope")
    with refused("InvalidIdentityToken", "Specified provider doesn't exist"):  # a provider of another account
        ask(jar, answer(SAID), PrincipalArn=f"arn:aws:iam::{OTHER}:saml-provider/idp")
    with refused("AccessDenied", "Not authorized"):  # the role that the response names is not there
        ask(jar, answer(SAID), RoleArn=f"arn:aws:iam::{ACCOUNT}:role/Else")
    role(jar, "Else", trust(ACCOUNT, actions=(ACTION,)))
    with refused("AccessDenied", "Not authorized"):  # it is there, and trusts users
        ask(jar, answer(SAID), RoleArn=f"arn:aws:iam::{ACCOUNT}:role/Else")


# -- forgeries

EVIL = {**SAID, f"{OURS}RoleSessionName": "eve"}


def _wrapped(place: str) -> str:
    """A good assertion kept somewhere for its signature, and an evil one where it is read."""
    good = etree.fromstring(signed(assertion(SAID)))
    evil = etree.fromstring(assertion(EVIL, id="_evil" if place != "twice" else "_a1"))
    whole = etree.fromstring(response(""))
    if place == "beside":
        whole.extend([evil, good])
    elif place == "twice":
        whole.extend([good, evil])
    elif place == "extensions":
        hidden = etree.SubElement(whole, "Extensions")
        hidden.append(good)
        whole.append(evil)
    elif place == "inside":
        signature = good.find(f"{{{DS}}}Signature")
        evil.append(signature)
        etree.SubElement(signature, f"{{{DS}}}Object").append(good)
        whole.append(evil)
    elif place == "around":
        evil.append(good)
        whole.append(evil)
    return str(etree.tostring(whole, encoding="unicode"))


def _reference_to_another() -> str:
    """The evil assertion carries the signature of a harmless element beside it."""
    status = etree.fromstring(signed(f'<note xmlns:saml="{SAML}" ID="_n1">hello</note>'))
    evil = etree.fromstring(assertion(EVIL))
    evil.append(status.find(f"{{{DS}}}Signature"))
    whole = etree.fromstring(response(""))
    whole.extend([status, evil])
    return str(etree.tostring(whole, encoding="unicode"))


def _own_key() -> str:
    """Signed properly, by somebody else, whose certificate comes along."""
    return response(signed(assertion(EVIL), "eve"))


FORGERIES = {
    "not signed": lambda: response(assertion(EVIL)),
    "another key": _own_key,
    "changed after signing": lambda: response(signed(assertion(SAID)).replace(">ann<", ">eve<")),
    "changed around a signed assertion's neighbour": lambda: _wrapped("beside"),
    "the same id twice": lambda: _wrapped("twice"),
    "the signed one hidden in extensions": lambda: _wrapped("extensions"),
    "the signed one hidden in the signature": lambda: _wrapped("inside"),
    "the signed one inside the evil one": lambda: _wrapped("around"),
    "signed is something else": _reference_to_another,
    "a weak hash": lambda: response(signed(assertion(EVIL), algorithm="rsa-sha256").replace("rsa-sha256", "rsa-sha1")),
    "a shared secret": lambda: response(signed(assertion(SAID)).replace("rsa-sha256", "hmac-sha256")),
    "a response signed by somebody else": lambda: signed(response(signed(assertion(SAID))), "eve"),
    "no success": lambda: response(signed(assertion(SAID)), "urn:oasis:names:tc:SAML:2.0:status:Requester"),
    "an entity": lambda: '<!DOCTYPE x [<!ENTITY a "eve">]>' + response(signed(assertion(SAID))),
    "a file": lambda: '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + response(signed(assertion(SAID))),
    "an assertion alone": lambda: signed(assertion(SAID)),
    "an encrypted assertion": lambda: response(f'<saml:EncryptedAssertion xmlns:saml="{SAML}"/>'),
    "no xml": lambda: "nonsense",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_forged_responses_are_refused(steady_jar: TestJar, forge: Any) -> None:
    prepare(steady_jar)
    with refused("InvalidIdentityToken", status=400):
        ask(steady_jar, encoded(forge()))


def test_what_is_not_base64_is_refused(steady_jar: TestJar) -> None:
    prepare(steady_jar)
    with refused("InvalidIdentityToken", "Invalid base64 SAMLResponse", status=400):
        ask(steady_jar, "!!!!")


def test_a_comment_does_not_cut_a_name_short(steady_jar: TestJar) -> None:
    """Canonical XML leaves comments out of what is signed: whoever may call himself a<!---->b must not become a."""
    prepare(steady_jar)
    text = signed(assertion(SAID, subject="ann@example.com.evil.example"))
    text = text.replace("ann@example.com.evil", "ann@example.com<!---->.evil")
    assert ask(steady_jar, encoded(response(text)))["Subject"] == "ann@example.com.evil.example"


def test_a_provider_may_change_its_key(jar: TestJar, iam: Any) -> None:
    prepare(jar)
    iam.update_saml_provider(SAMLProviderArn=PROVIDER, SAMLMetadataDocument=metadata("idp", "next"))
    for key in ("idp", "next"):
        assert enter(jar, answer(SAID, key)).arn
    iam.update_saml_provider(SAMLProviderArn=PROVIDER, SAMLMetadataDocument=metadata("next"))
    with refused("InvalidIdentityToken", "Response signature invalid"):
        ask(jar, answer(SAID))


def test_the_trail_says_who_it_was(jar: TestJar) -> None:
    prepare(jar)
    text = answer(SAID)
    made = ask(jar, text)
    found = jar.client("cloudtrail", "us-east-1").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithSAML"}]
    )["Events"]
    (record,) = [json.loads(event["CloudTrailEvent"]) for event in found]
    assert record["userIdentity"]["type"] == "SAMLUser"
    assert record["userIdentity"]["principalId"] == f"{made['NameQualifier']}:ann@example.com"
    assert text not in json.dumps(record)
