"""Tokens and responses taken apart: whatever comes, it is refused or means what was signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.base.errors import AwsError
from cloudjar.services.sts import assertion, claims, jwt
from tests.services.sts.idp import OURS, certificate, response, signed
from tests.services.sts.idp import assertion as unsigned
from tests.services.sts.issuer import curve_jwk, rsa_jwk, token

CLAIMS = {"iss": "https://id.example.com", "aud": "jar", "sub": "ann", "iat": 1, "exp": 2}
KEYS = [rsa_jwk("one"), curve_jwk("curve")]
TOKENS = [token(CLAIMS), token(CLAIMS, "curve", "ES256")]


def accepted(text: str) -> dict[str, Any] | None:
    """The claims of a token that is signed by one of the keys."""
    try:
        read = jwt.read(text)
    except jwt.NotATokenError:
        return None
    key = jwt.key_for(read, KEYS)
    return read.claims if key is not None and jwt.verified(read, key) else None


@pytest.mark.parametrize("text", TOKENS)
def test_a_good_token_is_accepted(text: str) -> None:
    assert accepted(text) == CLAIMS


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TOKENS), st.data())
def test_a_token_with_one_character_changed_means_the_same_or_nothing(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.characters()) + text[place + 1 :]
    assert accepted(changed) in (None, CLAIMS)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_read_or_no_token(text: str) -> None:
    assert accepted(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [*CLAIMS, "azp", "amr", "nbf", "https://aws.amazon.com/tags", "https://aws.amazon.com/source_identity"]
)


def refusal(said: dict[str, Any]) -> str:
    """The code with which claims are refused; "" when they are understood, as what they must be."""
    try:
        client = claims.audience(said, ["jar"])
        claims.check_dates(said, datetime(2026, 1, 1, tzinfo=UTC))
        issuer, _ = claims.text(said, "iss"), claims.text(said, "sub")
        keys = claims.condition_keys(issuer, said, client)
        tags, transitive = claims.session_tags(said), claims.transitive_keys(said)
        source = claims.source_identity(said)
    except AwsError as error:
        return error.code
    assert all(isinstance(value, str | list) for value in keys.values())
    assert all(isinstance(value, str) for tag in tags for value in tag.values())
    assert (type(source), type(transitive)) == (str, tuple)
    return ""


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, JSON))
def test_claims_of_any_kind_are_understood_or_refused(said: dict[str, Any]) -> None:
    assert refusal(said) in ("", "InvalidIdentityToken", "ExpiredTokenException")
    good = {**CLAIMS, "iat": 1_700_000_000, "exp": 1_800_000_000}
    assert refusal({**said, **good}) in ("", "InvalidIdentityToken")


@pytest.mark.parametrize(
    ("issuer", "key"),
    [
        ("https://token.actions.githubusercontent.com", "token.actions.githubusercontent.com:repository"),
        ("https://token.actions.acme.ghe.com", "token.actions.acme.ghe.com:repository"),
        ("https://evil.example.com", None),
        ("https://token.actions.githubusercontent.com.evil.example", None),
    ],
)
def test_claims_of_single_issuers_are_keys_for_those_alone(issuer: str, key: str | None) -> None:
    found = claims.condition_keys(issuer, {**CLAIMS, "iss": issuer, "repository": "ann/app", "actor": "ann"}, "jar")
    assert (key in found) if key else not any(name.endswith(":repository") for name in found)


SAID = {f"{OURS}RoleSessionName": "ann", f"{OURS}Role": "a,b"}
RESPONSES = [response(signed(unsigned(SAID))), signed(response(unsigned(SAID)))]
TRUSTED = [certificate("idp").public_bytes(Encoding.DER)]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(RESPONSES), st.data())
def test_a_response_with_a_stretch_changed_means_the_same_or_nothing(text: str, data: st.DataObject) -> None:
    meant = assertion.read(text.encode(), TRUSTED)
    place = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 40))
    piece = data.draw(st.sampled_from(["", "x", "<!---->", "<x/>", "<", "&amp;", " ", '"', text[place : place + 60]]))
    changed = text[:place] + piece + text[place + length :]
    try:
        found = assertion.read(changed.encode(), TRUSTED)
    except (assertion.ResponseError, assertion.SignatureError):
        return
    assert found == meant
