"""Somebody else's name: key ids, secrets and session tokens that do not belong together."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from cloudjar.auth.presign import Credentials
from tests.attacks.conftest import AWAY, EVERYTHING, WHO_AM_I, Scene, signed

NOBODY_KNOWS = (b"InvalidClientTokenId", b"SignatureDoesNotMatch")


def test_the_control_is_let_in(scene: Scene) -> None:
    assert scene.send(signed(scene.alice)).status == 200
    assert scene.send(signed(AWAY)).status == 200


CLAIMS: dict[str, Callable[[Scene], Credentials]] = {
    "alice's key id with mallory's secret": lambda s: Credentials(s.alice.key_id, s.mallory.secret),
    "alice's key id in lower case": lambda s: Credentials(s.alice.key_id.lower(), s.alice.secret),
    "alice's key id as a temporary one": lambda s: Credentials("ASIA" + s.alice.key_id[4:], s.alice.secret),
    "alice's key id cut short": lambda s: Credentials(s.alice.key_id[:-1], s.alice.secret),
    "alice's key id and more": lambda s: Credentials(s.alice.key_id + "A", s.alice.secret),
    "no secret": lambda s: Credentials(s.alice.key_id, ""),
    "the root user of another account with one's own secret": lambda s: Credentials("111111111111", s.mallory.secret),
    "an account number that is too long": lambda s: Credentials("0000000000000", "test"),
    "an account number in other digits": lambda s: Credentials("0" * 11 + "\xb2", "test"),
    "an alias of the default key": lambda s: Credentials("TEST", "test"),
    "the default key with another secret": lambda s: Credentials("test", "test2"),
    "a key that nobody made": lambda s: Credentials("AKIAIOSFODNN7EXAMPLE", "test"),
}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS.keys())
def test_a_claimed_key(scene: Scene, claim: Callable[[Scene], Credentials]) -> None:
    answer = scene.send(signed(claim(scene), WHO_AM_I, service="sts"))
    assert answer.status == 403, answer
    assert any(code in answer.body for code in (*NOBODY_KNOWS, b"IncompleteSignature")), answer


def test_a_key_that_was_switched_off_or_deleted(scene: Scene) -> None:
    iam = scene.jar.client("iam")
    who = scene.user("leaver", EVERYTHING)
    assert scene.send(signed(who)).status == 200
    iam.update_access_key(UserName="leaver", AccessKeyId=who.key_id, Status="Inactive")
    assert b"InvalidClientTokenId" in scene.send(signed(who)).body
    iam.update_access_key(UserName="leaver", AccessKeyId=who.key_id, Status="Active")
    assert scene.send(signed(who)).status == 200
    iam.delete_access_key(UserName="leaver", AccessKeyId=who.key_id)
    assert b"InvalidClientTokenId" in scene.send(signed(who)).body


def test_default_credentials_beyond_loopback(scene: Scene) -> None:
    """What arrives on a listener that others reach is not signed by ``test``."""
    for who in (Credentials("test", "test"), Credentials("000000000000", "test"), AWAY):
        sent = signed(who, WHO_AM_I, service="sts")
        answer = scene.jar.on_loop(asked(scene, sent, trusted=False))
        assert (answer.status, b"InvalidClientTokenId" in answer.body) == (403, True)


async def asked(scene: Scene, sent: object, *, trusted: bool) -> object:
    """A request as another listener hands it on."""
    from cloudjar.wire.message import Request
    from tests.calls import Sent

    assert isinstance(sent, Sent)
    request = Request(sent.method, "/", "", dict(sent.headers), sent.body, peer="192.0.2.9", trusted=trusted)
    return scene.jar.jar.front(request)


# Session tokens --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sessions(scene: Scene) -> tuple[Credentials, Credentials]:
    """Alice's session of a role, and mallory's own session."""
    role = scene.role("powerful", {"AWS": "000000000000"}, EVERYTHING)
    own = scene.client("sts", scene.mallory).get_session_token()["Credentials"]
    return scene.session(role, scene.alice), Credentials(
        own["AccessKeyId"], own["SecretAccessKey"], own["SessionToken"]
    )


def flipped(token: str, at: int) -> str:
    """The token with one bit changed."""
    data = bytearray(base64.b64decode(token[4:]))
    data[at] ^= 1
    return token[:4] + base64.b64encode(bytes(data)).decode()


SWAPS: dict[str, Callable[[Credentials, Credentials], Credentials]] = {
    "the token of A with the key of B": lambda a, b: b._replace(token=a.token),
    "the token and key id of A with the secret of B": lambda a, b: a._replace(secret=b.secret),
    "the key of A without its token": lambda a, b: a._replace(token=""),
    "the token cut short": lambda a, b: a._replace(token=a.token[:-4]),
    "the token with an end": lambda a, b: a._replace(token=a.token + "AAAA"),
    "the token without its beginning": lambda a, b: a._replace(token=a.token[4:-8]),
    "the token twice": lambda a, b: a._replace(token=a.token + a.token),
    "a token with a bit turned in its number": lambda a, b: a._replace(token=flipped(a.token, 0)),
    "a token with a bit turned in its text": lambda a, b: a._replace(token=flipped(a.token, 40)),
    "a token with a bit turned in its seal": lambda a, b: a._replace(token=flipped(a.token, -1)),
    "a token that is no base64": lambda a, b: a._replace(token="IQoJ!!!!"),
    "a token that is nothing": lambda a, b: a._replace(token="IQoJ"),
    "two tokens": lambda a, b: a._replace(token=f"{a.token},{b.token}"),
}


@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS.keys())
def test_a_swapped_token(
    scene: Scene,
    sessions: tuple[Credentials, Credentials],
    swap: Callable[[Credentials, Credentials], Credentials],
) -> None:
    good, other = sessions
    assert scene.send(signed(good)).status == 200
    answer = scene.send(signed(swap(good, other), WHO_AM_I, service="sts"))
    assert answer.status == 403, answer
    assert any(code in answer.body for code in NOBODY_KNOWS), answer


def test_a_long_term_key_with_somebodys_token(scene: Scene, sessions: tuple[Credentials, Credentials]) -> None:
    answer = scene.send(signed(scene.mallory._replace(token=sessions[0].token)))
    assert (answer.status, b"InvalidClientTokenId" in answer.body) == (403, True)


def test_the_token_of_a_role_that_is_gone_or_came_back_under_its_name(scene: Scene) -> None:
    iam = scene.jar.client("iam")
    role = scene.role("brief", {"AWS": "000000000000"}, EVERYTHING)
    session = scene.session(role, scene.alice)
    assert scene.send(signed(session)).status == 200
    for again in (False, True):
        if not again:
            iam.delete_role_policy(RoleName="brief", PolicyName="may")
            iam.delete_role(RoleName="brief")
        else:
            scene.role("brief", {"AWS": "000000000000"}, EVERYTHING)
        assert b"InvalidClientTokenId" in scene.send(signed(session)).body


def test_a_token_after_its_time(scene: Scene) -> None:
    got = scene.client("sts", scene.alice).get_session_token(DurationSeconds=900)["Credentials"]
    session = Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])
    assert scene.send(signed(session, WHO_AM_I, service="sts")).status == 200
    scene.jar.advance(minutes=16)
    assert b"ExpiredToken" in scene.send(signed(session, WHO_AM_I, service="sts")).body


def test_a_narrowed_session_makes_no_wider_one(scene: Scene, sessions: tuple[Credentials, Credentials]) -> None:
    """A session cannot ask for another session, nor a session policy give what the role does not have."""
    with pytest.raises(ClientError, match="AccessDenied"):
        scene.client("sts", sessions[0]).get_session_token()
    nothing = scene.role("nothing", {"AWS": "000000000000"})
    policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    session = scene.session(nothing, scene.alice, Policy=policy)
    assert b"AccessDenied" in scene.send(signed(session)).body
