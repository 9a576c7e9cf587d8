"""SSH's server side against a client of our own that may lie: who proves nothing does not come in, garbage ends it."""

from __future__ import annotations

import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from cloudjar.wire.ssh import keys, packets, server
from cloudjar.wire.ssh.words import (
    KEX_FAILED,
    NO_MORE_AUTH,
    PROTOCOL_ERROR,
    Broken,
    Reader,
    boolean,
    large,
    names,
    number,
    string,
)

VERSION = b"SSH-2.0-Test"
HOST = Ed25519PrivateKey.generate()
MINE = Ed25519PrivateKey.generate()
USER = "i-0123456789abcdef0.port0"


class Ears:
    """Lets the holder of `MINE` in, and remembers."""

    def __init__(self) -> None:
        self.users: list[str] = []
        self.heard = b""
        self.gone = 0

    def may(self, user: str, key: str) -> bool:
        return user == USER and key == keys.line_of(blob_of(MINE))

    def entered(self, user: str) -> None:
        self.users.append(user)

    def typed(self, data: bytes) -> None:
        self.heard += data

    def left(self) -> None:
        self.gone += 1


def blob_of(key: Ed25519PrivateKey) -> bytes:
    return keys.host_blob(key)


class Client:
    """The other side, up to fresh keys; what it sends afterwards is the test's."""

    def __init__(self) -> None:
        self.ears = Ears()
        self.server = server.Server(HOST, self.ears, lambda count: bytes(count))
        self.arriving = packets.Arriving()
        self.seal: packets.Seal | None = None
        self.arriving.feed(self.server.taken())
        assert self.arriving.line() == server.VERSION
        (self.theirs,) = self.arriving.messages()

    def send(self, message: bytes) -> list[bytes]:
        """Send one; what came back."""
        self.server.feed(packets.pack(message, self.seal))
        self.arriving.feed(self.server.taken())
        return list(self.arriving.messages())

    def agree(self) -> Client:
        """Agree on keys, as an honest client does, and ask for the service by which one proves who one is."""
        self.server.feed(VERSION + b"\r\n")
        offer = keys.offer(bytes(16))
        assert self.send(offer) == []
        mine = X25519PrivateKey.generate()
        half = mine.public_key().public_bytes_raw()
        self.server.feed(packets.pack(bytes([keys.ECDH_INIT]) + string(half), None))
        self.arriving.feed(self.server.taken())
        said = self.arriving.messages()
        reply = Reader(next(said)[1:])
        key, other, signed = reply.string(), reply.string(), Reader(reply.string())
        assert next(said) == bytes([keys.NEWKEYS])
        secret = large(mine.exchange(X25519PublicKey.from_public_bytes(other)))
        hashed = (VERSION, server.VERSION, offer, self.theirs, key, half, other)
        digest = hashlib.sha256(b"".join(map(string, hashed)) + secret).digest()
        assert signed.text() == "ssh-ed25519"
        HOST.public_key().verify(signed.string(), digest)
        agreed = keys.Agreed("aes128-gcm@openssh.com", "aes128-gcm@openssh.com", False, False)
        outward, inward = keys.seals(agreed, keys.Shared(b"", secret, digest), digest)
        self.session = digest
        assert self.send(bytes([keys.NEWKEYS])) == []
        self.seal, self.arriving.seal = outward, inward
        assert self.send(bytes([server.SERVICE_REQUEST]) + string("ssh-userauth"))[0][0] == server.SERVICE_ACCEPT
        return self

    def prove(self, user: str, blob: bytes, signer: Ed25519PrivateKey, session: bytes = b"") -> int:
        """Claim to hold a key; the kind of the answer."""
        claim = string(user) + string("ssh-connection") + string("publickey") + boolean(True)
        claim = bytes([server.USERAUTH_REQUEST]) + claim + string("ssh-ed25519") + string(blob)
        signature = signer.sign(string(session or self.session) + claim)
        return self.send(claim + string(string("ssh-ed25519") + string(signature)))[0][0]

    def sit(self) -> Client:
        """Come in and open a shell."""
        assert self.agree().prove(USER, blob_of(MINE), MINE) == server.USERAUTH_SUCCESS
        opened = self.send(bytes([server.OPEN]) + string("session") + number(7) + number(100) + number(40))
        assert opened[0][:5] == bytes([server.OPENED]) + number(7)
        assert self.send(request("shell")) == [bytes([server.SUCCESS]) + number(7)]
        return self


def request(what: str) -> bytes:
    return bytes([server.REQUEST]) + number(0) + string(what) + boolean(True)


def broken(client: Client, message: bytes) -> int:
    """The reason for which a message ends the conversation, which the client is told too."""
    with pytest.raises(Broken) as caught:
        client.send(message)
    client.arriving.feed(client.server.taken())
    *_, last = client.arriving.messages()
    assert last[:5] == bytes([server.DISCONNECT]) + number(caught.value.reason)
    assert client.server.over
    return caught.value.reason


def test_a_shell() -> None:
    client = Client().sit()
    assert client.ears.users == [USER]
    assert client.send(request("exec"))[0][0] == client.send(request("shell"))[0][0] == server.FAILURE
    assert client.send(bytes([server.DATA]) + number(0) + string("ls\r")) == []
    assert client.ears.heard == b"ls\r"
    client.server.say(b"x" * 130)
    client.server.end()
    client.arriving.feed(client.server.taken())
    pieces = [Reader(one[5:]).string() for one in client.arriving.messages()]
    assert pieces == [b"x" * 40, b"x" * 40, b"x" * 20]  # as much as there is room for
    more = client.send(bytes([server.WINDOW]) + number(0) + number(500))
    assert [one[0] for one in more] == [server.DATA, server.REQUEST, server.EOF, server.CLOSE]
    client.send(bytes([server.CLOSE]) + number(0))
    assert client.server.over
    assert client.ears.gone == 1


def test_who_proves_nothing_does_not_come_in() -> None:
    thief = Ed25519PrivateKey.generate()
    client = Client().agree()
    refused = server.USERAUTH_FAILURE
    assert client.prove(USER, blob_of(thief), thief) == refused  # a key that nobody knows
    assert client.prove(USER, blob_of(MINE), thief) == refused  # a key that he does not hold
    assert client.prove("root", blob_of(MINE), MINE) == refused
    assert client.prove(USER, blob_of(MINE), MINE, session=bytes(32)) == refused  # a proof of another conversation
    none = bytes([server.USERAUTH_REQUEST]) + string(USER) + string("ssh-connection") + string("none")
    assert client.send(none)[0][0] == refused
    assert broken(client, bytes([server.OPEN]) + string("session")) == PROTOCOL_ERROR
    assert client.ears.users == []


def test_nobody_tries_for_ever() -> None:
    client, thief = Client().agree(), Ed25519PrivateKey.generate()
    for _ in range(5):
        assert client.prove(USER, blob_of(thief), thief) == server.USERAUTH_FAILURE
    with pytest.raises(Broken) as caught:
        client.prove(USER, blob_of(thief), thief)
    assert caught.value.reason == NO_MORE_AUTH


def test_nothing_is_heard_before_keys() -> None:
    early = Client()
    early.server.feed(VERSION + b"\r\n")
    assert broken(early, bytes([server.USERAUTH_REQUEST]) + string(USER)) == PROTOCOL_ERROR
    unsealed = Client()
    unsealed.server.feed(VERSION + b"\r\n")
    assert broken(unsealed, bytes([keys.NEWKEYS])) == PROTOCOL_ERROR


def test_nothing_in_common() -> None:
    client = Client()
    client.server.feed(VERSION + b"\r\n")
    old = bytes([keys.KEXINIT]) + bytes(16) + names(["diffie-hellman-group1-sha1"]) + names(["ssh-rsa"])
    lists = names(["3des-cbc"]) * 2 + names(["hmac-md5"]) * 2 + names(["none"]) * 2 + names([]) * 2
    assert broken(client, old + lists + boolean(False) + number(0)) == KEX_FAILED
    with pytest.raises(Broken, match="version 2"):
        Client().server.feed(b"SSH-1.5-old\r\n")
    with pytest.raises(Broken, match="too long"):
        Client().server.feed(b"SSH-2.0-" + b"x" * 300)


def test_a_changed_packet_ends_it() -> None:
    client = Client().sit()
    packet = bytearray(packets.pack(request("shell"), client.seal))
    packet[-1] ^= 1
    with pytest.raises(Broken, match="changed on its way"):
        client.server.feed(bytes(packet))


@pytest.mark.parametrize("seed", range(40))
def test_garbage_ends_it_and_nothing_else(seed: int) -> None:
    draw = random.Random(seed)
    client = Client().sit() if seed % 2 else Client().agree()
    for _ in range(200):
        kind = draw.choice([draw.randrange(256), server.USERAUTH_REQUEST, server.OPEN, server.REQUEST, server.DATA])
        words = b"".join(
            draw.choice((draw.randbytes(draw.randrange(9)), string(draw.randbytes(draw.randrange(30))), number(0)))
            for _ in range(draw.randrange(6))
        )
        try:
            client.send(bytes([kind]) + words)
        except Broken:
            assert client.server.over
            client = Client().sit() if seed % 2 else Client().agree()
        if client.server.over:
            client = Client().sit() if seed % 2 else Client().agree()
    assert client.ears.users in ([], [USER])
