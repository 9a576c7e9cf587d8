"""Roles for holders of an issuer's tokens: what a token opens, and how tokens are forged in vain."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.jar import ACCOUNT, SESSION, TestJar
from tests.services.iam.people import OTHER, Person, allow, policy, refused, role, root, session, trust
from tests.services.sts.issuer import Issuer, b64, curve_jwk, rsa_jwk, rsa_key, token

ACTION = "sts:AssumeRoleWithWebIdentity"
WITH_TAGS = (ACTION, "sts:TagSession")


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    """A real issuer on loopback."""
    made = Issuer(tmp_path)
    yield made
    made.close()


def register(jar: TestJar, issuer: Issuer, account: str = ACCOUNT, **more: Any) -> str:
    """The issuer as a provider of an account; its ARN."""
    asked = {"Url": issuer.url, "ClientIDList": ["jar"], "ThumbprintList": [issuer.certificates.thumbprint], **more}
    return str(root(jar, "iam", account).create_open_id_connect_provider(**asked)["OpenIDConnectProviderArn"])


def trusts(provider: str, *actions: str, **conditions: Any) -> str:
    """A trust policy that names a provider."""
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": list(actions or (ACTION,))}
    return policy({**statement, **({"Condition": conditions} if conditions else {})})


def sts(jar: TestJar) -> Any:
    """STS, asked without any credentials."""
    client = SESSION.client(
        "sts",
        region_name="eu-west-3",
        endpoint_url=jar.endpoint,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, parameter_validation=False),
    )
    if jar.reborn:
        client.meta.events.register_last("after-call", lambda **_: jar.crash())
    return client


def ask(jar: TestJar, arn: str, text: str, **more: Any) -> Any:
    """The answer to a token."""
    return sts(jar).assume_role_with_web_identity(
        RoleArn=arn, RoleSessionName="build", WebIdentityToken=text, **more
    )


def enter(jar: TestJar, arn: str, text: str, **more: Any) -> Person:
    """The session that a token opens."""
    return session(jar, ask(jar, arn, text, **more))


@pytest.mark.parametrize(("name", "algorithm"), [("one", "RS256"), ("curve", "ES256")])
def test_a_token_opens_the_role_that_trusts_its_issuer(
    jar: TestJar, issuer: Issuer, name: str, algorithm: str
) -> None:
    provider = register(jar, issuer)
    arn = role(jar, "Deploy", trusts(provider), allow("iam:ListRoles"))
    answer = ask(jar, arn, token(issuer.claims(), name, algorithm))
    assert answer["SubjectFromWebIdentityToken"] == "repo:ann/app"
    assert (answer["Audience"], answer["Provider"]) == ("jar", provider)
    inside = session(jar, answer)
    assert inside.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/build"
    assert inside.client("sts").get_caller_identity()["Arn"] == inside.arn
    assert inside.client("iam").list_roles()["Roles"]
    with refused("AccessDenied"):
        inside.client("iam").list_users()
    assert (answer["Credentials"]["Expiration"] - jar.clock.now()).total_seconds() == 3600


def test_claims_decide_in_the_trust_policy(jar: TestJar, issuer: Issuer) -> None:
    wanted = {
        f"{issuer.name}:aud": "jar",
        f"{issuer.name}:sub": "repo:ann/app",
    }
    arn = role(jar, "Deploy", trusts(register(jar, issuer), StringEquals=wanted))
    assert enter(jar, arn, token(issuer.claims())).arn
    with refused("AccessDenied", f"Not authorized to perform {ACTION}", status=403):
        enter(jar, arn, token(issuer.claims(sub="repo:eve/app")))


def test_how_somebody_signed_in_decides_too(jar: TestJar, issuer: Issuer) -> None:
    condition = {"ForAnyValue:StringEquals": {f"{issuer.name}:amr": "hwk"}}
    arn = role(jar, "Deploy", trusts(register(jar, issuer), **condition))
    assert enter(jar, arn, token(issuer.claims(amr=["pwd", "hwk"]))).arn
    with refused("AccessDenied"):
        enter(jar, arn, token(issuer.claims(amr=["pwd"])))


def test_the_authorized_party_stands_for_the_audience(jar: TestJar, issuer: Issuer) -> None:
    arn = role(jar, "Deploy", trusts(register(jar, issuer), StringEquals={f"{issuer.name}:aud": "jar"}))
    answer = ask(jar, arn, token(issuer.claims(aud=["api", "other"], azp="jar")))
    assert answer["Audience"] == "jar"
    with refused("InvalidIdentityToken", "Incorrect token audience", status=400):
        ask(jar, arn, token(issuer.claims(aud=["jar"], azp="eve")))


def test_a_trust_policy_that_names_users_or_another_provider_is_not_for_tokens(jar: TestJar, issuer: Issuer) -> None:
    register(jar, issuer)
    other = f"arn:aws:iam::{ACCOUNT}:oidc-provider/id.example.com"
    for number, document in enumerate((trust(ACCOUNT, actions=(ACTION,)), trusts(other), trusts(other, "sts:*"))):
        with refused("AccessDenied", f"Not authorized to perform {ACTION}"):
            ask(jar, role(jar, f"R{number}", document), token(issuer.claims()))
    with refused("AccessDenied", f"Not authorized to perform {ACTION}"):
        ask(jar, f"arn:aws:iam::{ACCOUNT}:role/Nope", token(issuer.claims()))


def test_a_provider_counts_in_its_own_account(jar: TestJar, issuer: Issuer) -> None:
    provider = register(jar, issuer)
    arn = role(jar, "Deploy", trusts(provider), account=OTHER)
    with refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer.url}"):
        ask(jar, arn, token(issuer.claims()))
    theirs = register(jar, issuer, OTHER)
    with refused("AccessDenied"):  # the role trusts the provider of the first account
        ask(jar, arn, token(issuer.claims()))
    assert enter(jar, role(jar, "D", trusts(theirs), account=OTHER), token(issuer.claims())).arn.startswith(
        f"arn:aws:sts::{OTHER}:"
    )


def test_tags_and_source_identity_come_with_the_token_and_need_consent(jar: TestJar, issuer: Issuer) -> None:
    provider = register(jar, issuer)
    tags = {"principal_tags": {"team": ["red"], "cost": "7"}, "transitive_tag_keys": ["team"]}
    said = issuer.claims(
        **{"https://aws.amazon.com/tags": tags, "https://aws.amazon.com/source_identity": "ann"}
    )
    red = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    plain = role(jar, "Plain", trusts(provider))
    with refused("AccessDenied", "sts:TagSession"):
        ask(jar, plain, token(said))
    no_source = role(jar, "NoSource", trusts(provider, *WITH_TAGS))
    with refused("AccessDenied", "sts:SetSourceIdentity"):
        ask(jar, no_source, token(said))
    actions = (*WITH_TAGS, "sts:SetSourceIdentity")
    arn = role(jar, "Deploy", trusts(provider, *actions), allow("iam:ListRoles", Condition=red))
    answer = ask(jar, arn, token(said))
    assert answer["SourceIdentity"] == "ann"
    assert answer["PackedPolicySize"] > 0
    inside = session(jar, answer)
    assert inside.client("iam").list_roles()["Roles"]
    second = role(
        jar, "Next", trust(arn, actions=("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")),
        allow("iam:ListRoles", Condition=red),
    )  # fmt: skip
    assert inside.assume(second).client("iam").list_roles()["Roles"]  # the tag is transitive


def test_flattened_tags(jar: TestJar, issuer: Issuer) -> None:
    wanted = {"aws:RequestTag/team": "red"}
    arn = role(jar, "Deploy", trusts(register(jar, issuer), *WITH_TAGS, StringEquals=wanted))
    flat = {"https://aws.amazon.com/tags/principal_tags/team": "red"}
    assert enter(jar, arn, token(issuer.claims(**flat))).arn
    with refused("InvalidIdentityToken"):
        ask(jar, arn, token(issuer.claims(**{"https://aws.amazon.com/tags": {"principal_tags": {"team": ["a", "b"]}}})))


def test_a_session_knows_its_provider(jar: TestJar, issuer: Issuer) -> None:
    provider = register(jar, issuer)
    mine = {"StringEquals": {"aws:FederatedProvider": provider}}
    arn = role(jar, "Deploy", trusts(provider), allow("iam:ListRoles", Condition=mine))
    assert enter(jar, arn, token(issuer.claims())).client("iam").list_roles()["Roles"]


def test_session_policies_and_durations_hold(jar: TestJar, issuer: Issuer) -> None:
    arn = role(jar, "Deploy", trusts(register(jar, issuer)), allow("iam:*"))
    inside = enter(jar, arn, token(issuer.claims()), Policy=policy(allow("iam:ListRoles")), DurationSeconds=900)
    with refused("AccessDenied", "because no session policy allows"):
        inside.client("iam").list_users()
    with refused("ValidationError", "MaxSessionDuration", status=400):
        enter(jar, arn, token(issuer.claims()), DurationSeconds=7200)
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
        inside.client("sts").get_session_token()


# -- forgeries


def _none(issuer: Issuer) -> str:
    header, claims, _ = token(issuer.claims(), algorithm="none").split(".")
    return f"{header}.{claims}."


def _public_key_as_secret(issuer: Issuer) -> str:
    """What verifies RS256 is used as the secret of HS256."""
    signed = token(issuer.claims(), algorithm="HS256").rpartition(".")[0]
    public = rsa_key("one").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{signed}.{b64(hmac.digest(public, signed.encode(), hashlib.sha256))}"


def _changed(issuer: Issuer) -> str:
    head, _, signature = token(issuer.claims()).split(".")
    return f"{head}.{b64(json.dumps(issuer.claims(sub='repo:eve/app')).encode())}.{signature}"


def _key_of_another_kind(issuer: Issuer) -> str:
    """An RSA signature that says it is of a curve, under the curve's key id."""
    return token(issuer.claims(), "one", alg="ES256", kid="curve")


def _key_in_the_header(issuer: Issuer) -> str:
    return token(issuer.claims(), "eve", jwk=rsa_jwk("eve"), kid="one")


FORGERIES = {
    "no signature": _none,
    "the public key as a shared secret": _public_key_as_secret,
    "other claims under a good signature": _changed,
    "another key under a known id": lambda issuer: token(issuer.claims(), "eve", kid="one"),
    "another key under its own id": lambda issuer: token(issuer.claims(), "eve"),
    "a key of another kind": _key_of_another_kind,
    "a key that the token brings": _key_in_the_header,
    "no key id, and two keys fit": lambda issuer: token(issuer.claims(), "eve", kid=None),
    "critical extensions": lambda issuer: token(issuer.claims(), crit=["b64"], b64=False),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_forged_tokens_are_refused(steady_jar: TestJar, issuer: Issuer, forge: Any) -> None:
    issuer.keys.append(rsa_jwk("two"))
    arn = role(steady_jar, "Deploy", trusts(register(steady_jar, issuer)))
    with refused("InvalidIdentityToken", status=400):
        ask(steady_jar, arn, forge(issuer))


@pytest.mark.parametrize(
    "text", ["a.b.c", "....", "ab.b", "x" * 50, "e30.e30.e30", "W10.W10.W10", "e30.e30.e30.e30.e30", "eyJ.é.x"]
)
def test_what_is_no_token_is_refused(steady_jar: TestJar, issuer: Issuer, text: str) -> None:
    arn = role(steady_jar, "Deploy", trusts(register(steady_jar, issuer)))
    with refused("InvalidIdentityToken", "not a valid JWT", status=400):
        ask(steady_jar, arn, text)
    assert issuer.asked == []


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"aud": "somebody"}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"aud": []}, "InvalidIdentityToken", "aud"),
        ({"sub": None}, "InvalidIdentityToken", "Missing a required claim: sub"),
        ({"iss": None}, "InvalidIdentityToken", "Missing a required claim: iss"),
        ({"exp": None}, "InvalidIdentityToken", "Missing a required claim: exp"),
        ({"iat": None}, "InvalidIdentityToken", "Missing a required claim: iat"),
        ({"exp": 1_600_000_000}, "ExpiredTokenException", "must be before the expiration date/time 1600000000"),
        ({"exp": "never"}, "InvalidIdentityToken", "exp"),
        ({"nbf": 9_000_000_000}, "InvalidIdentityToken", "not valid yet"),
        ({"iss": "https://id.example.com"}, "InvalidIdentityToken", "No OpenIDConnect provider found"),
    ],
)
def test_claims_that_do_not_hold(
    steady_jar: TestJar, issuer: Issuer, change: dict[str, Any], code: str, words: str
) -> None:
    arn = role(steady_jar, "Deploy", trusts(register(steady_jar, issuer)))
    with refused(code, words, status=400):
        ask(steady_jar, arn, token(issuer.claims(**change)))


def test_the_dates_of_a_token_are_the_issuers_whatever_time_it_is_in_the_jar(jar: TestJar, issuer: Issuer) -> None:
    arn = role(jar, "Deploy", trusts(register(jar, issuer)))
    jar.advance(days=30)
    assert enter(jar, arn, token(issuer.claims())).client("sts").get_caller_identity()["Arn"]


# -- the issuer


def test_keys_are_asked_for_once_and_again_when_one_is_new(steady_jar: TestJar, issuer: Issuer) -> None:
    jar, first = steady_jar, ["/.well-known/openid-configuration", "/keys"]
    arn = role(jar, "Deploy", trusts(register(jar, issuer)))
    for _ in range(3):
        assert enter(jar, arn, token(issuer.claims())).arn
    assert issuer.asked == first
    for _ in range(3):  # an unknown key makes nobody ask all the time
        with refused("InvalidIdentityToken", "Couldn't retrieve verification key"):
            ask(jar, arn, token(issuer.claims(), "new"))
    assert issuer.asked == first


def test_an_issuer_may_change_its_keys(jar: TestJar, issuer: Issuer) -> None:
    arn = role(jar, "Deploy", trusts(register(jar, issuer)))
    issuer.keys[:] = [rsa_jwk("new", alg="RS256"), curve_jwk("curve")]
    assert enter(jar, arn, token(issuer.claims(), "new")).arn
    issuer.keys[:] = [rsa_jwk("enc", use="enc")]
    if jar.reborn:  # the steady jar believes what it read for some minutes
        with refused("InvalidIdentityToken"):
            ask(jar, arn, token(issuer.claims(), "enc"))


def test_an_issuer_that_does_not_answer(jar: TestJar, issuer: Issuer) -> None:
    arn = role(jar, "Deploy", trusts(register(jar, issuer)))
    issuer.close()
    with refused("IDPCommunicationError", status=400):
        ask(jar, arn, token(issuer.claims()))


@pytest.mark.parametrize(
    "document",
    [
        b"nonsense",
        b"[]",
        b'{"issuer":"https://id.example.com","jwks_uri":"https://id.example.com/keys"}',
        b'{"issuer":"%(url)s"}',
        b'{"issuer":"%(url)s","jwks_uri":"%(url)s/.well-known/openid-configuration"}',
    ],
)
def test_an_issuer_that_answers_nonsense(steady_jar: TestJar, issuer: Issuer, document: bytes) -> None:
    arn = role(steady_jar, "Deploy", trusts(register(steady_jar, issuer)))
    issuer.documents["/.well-known/openid-configuration"] = document.replace(b"%(url)s", issuer.url.encode())
    with refused("InvalidIdentityToken", "Couldn't retrieve verification key", status=400):
        ask(steady_jar, arn, token(issuer.claims()))


@pytest.mark.parametrize(
    "keys", ["http://127.0.0.1:1/keys", "file:///etc/passwd", "https://169.254.169.254/latest", "https://224.0.0.1/"]
)
def test_an_issuer_leads_nobody_to_where_no_issuer_is(steady_jar: TestJar, issuer: Issuer, keys: str) -> None:
    arn = role(steady_jar, "Deploy", trusts(register(steady_jar, issuer)))
    found = json.dumps({"issuer": issuer.url, "jwks_uri": keys}).encode()
    issuer.documents["/.well-known/openid-configuration"] = found
    with refused("IDPCommunicationError", status=400):
        ask(steady_jar, arn, token(issuer.claims()))


def test_a_certificate_that_nobody_vouches_for_is_told_nothing(jar: TestJar, issuer: Issuer) -> None:
    provider = register(jar, issuer, ThumbprintList=["0" * 40])
    arn = role(jar, "Deploy", trusts(provider))
    with refused("InvalidIdentityToken", "doesn't match configured thumbprint", status=400):
        ask(jar, arn, token(issuer.claims()))
    assert issuer.asked == []


def test_a_known_thumbprint_does_not_excuse_another_name(steady_jar: TestJar, issuer: Issuer) -> None:
    """The certificate is for localhost; the same server under a name that it does not have is not believed."""
    url = issuer.url.replace("localhost", "127.0.0.1")
    provider = register(steady_jar, issuer, Url=url)
    arn = role(steady_jar, "Deploy", trusts(provider))
    with refused(("InvalidIdentityToken"), status=400):
        ask(steady_jar, arn, token(issuer.claims(iss=url)))
    assert issuer.asked == []


def test_a_public_authority_needs_no_thumbprint(
    jar: TestJar, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(issuer.certificates.authority_file))
    arn = role(jar, "Deploy", trusts(register(jar, issuer, ThumbprintList=["0" * 40])))
    assert enter(jar, arn, token(issuer.claims())).arn


def test_oauth_access_tokens_are_not_built_and_say_so(steady_jar: TestJar, issuer: Issuer) -> None:
    arn = role(steady_jar, "Deploy", trusts("www.amazon.com"))
    with refused("NotImplemented", "ProviderId", status=501):
        ask(steady_jar, arn, "Atza|token", ProviderId="www.amazon.com")


def test_the_trail_says_who_it_was(jar: TestJar, issuer: Issuer) -> None:
    provider = register(jar, issuer)
    arn = role(jar, "Deploy", trusts(provider))
    text = token(issuer.claims())
    ask(jar, arn, text)
    with refused("AccessDenied"):
        ask(jar, role(jar, "Other", trust(ACCOUNT)), text)
    found = jar.client("cloudtrail", "us-east-1").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]
    )["Events"]
    records = [json.loads(event["CloudTrailEvent"]) for event in found]
    assert [record.get("errorCode") for record in records] == ["AccessDenied", None]
    for record in records:
        assert record["userIdentity"]["type"] == "WebIdentityUser"
        assert record["userIdentity"]["identityProvider"] == provider
        assert record["userIdentity"]["userName"] == "repo:ann/app"
        assert text not in json.dumps(record)
