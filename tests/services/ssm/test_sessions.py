"""Sessions by the public protocol: the test is the client, and at the far end it plays the guest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloudjar.planes.compute.inside import Command, Size
from cloudjar.planes.compute.sim_inside import SimLine
from cloudjar.services.ssm.sessions import smux
from cloudjar.wire.data_channel import INPUT, Flag, Message, Payload, encode
from tests.jar import TestJar
from tests.services.ssm.agent_client import OLD, UUID, Client, Refused, opened
from tests.services.ssm.asking import ROOT, refused, statement, user
from tests.services.ssm.nodes import launch, profile

STEADY = pytest.mark.parametrize("jar", ["steady"], indirect=True)
"""A talk does not outlive its server."""


@pytest.fixture
def node(jar: TestJar) -> str:
    jar.host.let_in = True
    profile(jar.client("iam"))
    return launch(jar, "node", Env="dev")


def when(client: Client, condition: Callable[[], Any]) -> Any:
    """Wait for what the server does beside what it says: each ping of ours comes back after it."""
    while not (found := condition()):
        before = len(client.acknowledged)
        client.resize(24, 80)
        client.until(lambda c, before=before: len(c.acknowledged) > before)
    return found


def line(jar: TestJar, client: Client, number: int = 0) -> SimLine:
    """A line that the server has opened into the guest."""
    lines = jar.host.lines
    found: SimLine = when(client, lambda: lines[number] if len(lines) > number else None)
    return found


@STEADY
def test_a_shell(jar: TestJar, store: Any, node: str) -> None:
    answer = store.start_session(Target=node, Reason="looking")
    assert answer["SessionId"].startswith("root-")
    assert answer["StreamUrl"].startswith(f"ws://127.0.0.1:{jar.port}/v1/data-channel/root-")
    client = opened(answer).shaken()
    assert client.greeting["RequestedClientActions"][0]["ActionParameters"]["SessionType"] == "Standard_Stream"
    client.resize(40, 120)
    client.send(b"ls\r")
    far = line(jar, client)
    assert isinstance(far.command, Command)
    assert far.command.argv[-1] == "/bin/sh"
    assert "ssm-user" in far.command.argv
    when(client, lambda: far.written == b"ls\r" and far.size == Size(24, 80))
    far.ears.said(b"bin  etc")
    client.said(b"bin  etc")
    shown = store.describe_sessions(State="Active")["Sessions"][0]
    assert (shown["Status"], shown["Target"], shown["Owner"], shown["Reason"]) == ("Connected", node, ROOT, "looking")
    far.ears.ended(0)
    assert client.ended()["SessionId"] == answer["SessionId"]
    assert store.describe_sessions(State="Active")["Sessions"] == []
    ended = store.describe_sessions(State="History")["Sessions"][0]
    assert ended["Status"] == "Terminated"
    assert ended["EndDate"] >= ended["StartDate"]
    assert far.cut


@STEADY
def test_order_repetition_and_acknowledgement(jar: TestJar, store: Any, node: str) -> None:
    client = opened(store.start_session(Target=node)).shaken()
    far = line(jar, client)
    sent = client.sent
    pieces = [Message(INPUT, bytes((97 + n,)), Payload.OUTPUT, sent + n, 0, UUID, 1) for n in range(4)]
    for number in (2, 0, 0, 3, 1, 2):
        client.put(pieces[number])
    client.sent += 4
    when(client, lambda: len(far.written) >= 4)
    assert far.written == b"abcd"
    assert client.acknowledged.count(sent) == 2
    client.put(Message(INPUT, b"x", Payload.OUTPUT, client.sent, 0, "", 1)._replace(type="nonsense"))
    client.send(b"e")
    when(client, lambda: far.written == b"abcde")


@STEADY
def test_a_lost_connection_is_resumed(jar: TestJar, store: Any, node: str) -> None:
    answer = store.start_session(Target=node)
    client = opened(answer).shaken()
    far = line(jar, client)
    client.quiet = True
    far.ears.said(b"heard")
    client.said(b"heard")
    client.close()
    again = store.resume_session(SessionId=answer["SessionId"])
    with_old = opened(answer)
    assert with_old.ended() == {}
    assert with_old.code == 1008
    back = opened(again, sent=client.sent, expected=client.expected - 1)
    far.ears.said(b" and more")
    back.said(b"heard and more")
    back.send(b"!")
    when(back, lambda: far.written == b"!")
    back.close()


@STEADY
def test_a_guest_that_says_much_waits_for_its_reader(jar: TestJar, store: Any, node: str) -> None:
    client = opened(store.start_session(Target=node)).shaken()
    far = line(jar, client)
    client.quiet = True
    before = client.expected
    for _ in range(80):
        far.ears.said(b"x" * 1000)
    client.until(lambda c: len(c.out) == 80_000)
    assert far.waiting
    for sequence in range(before, client.expected):
        told = {"AcknowledgedMessageType": "output_stream_data", "AcknowledgedMessageSequenceNumber": sequence}
        client.put(Message("acknowledge", json.dumps(told).encode(), flags=3, id=UUID))
    client.quiet = False
    when(client, lambda: not far.waiting)
    client.close()


@STEADY
def test_the_api_ends_a_session(jar: TestJar, store: Any, node: str) -> None:
    answer = store.start_session(Target=node)
    client = opened(answer).shaken()
    far = line(jar, client)
    assert store.terminate_session(SessionId=answer["SessionId"])["SessionId"] == answer["SessionId"]
    jar.settle()
    assert client.ended()["MessageType"] == "channel_closed"
    assert far.cut
    with pytest.raises(Refused, match="404"):
        opened(answer)
    with refused("DoesNotExistException"):
        store.resume_session(SessionId=answer["SessionId"])


@STEADY
def test_an_idle_session_ends(jar: TestJar, store: Any, node: str) -> None:
    answer = store.start_session(Target=node)
    client = opened(answer).shaken()
    line(jar, client)
    jar.settle()
    jar.advance(minutes=19)
    assert store.describe_sessions(State="Active")["Sessions"]
    jar.advance(minutes=2)
    client.ended()
    shown = store.describe_sessions(State="History")["Sessions"][0]
    assert shown["Details"] == "Session timed out due to inactivity."


def test_a_session_ends_with_its_instance(jar: TestJar, store: Any, node: str) -> None:
    answer = store.start_session(Target=node)
    jar.client("ec2").stop_instances(InstanceIds=[node])
    jar.settle()
    assert store.describe_sessions(State="History")["Sessions"][0]["SessionId"] == answer["SessionId"]
    with pytest.raises(Refused, match="404"):
        opened(answer)


def test_nobody_comes_in_without_the_token(jar: TestJar, store: Any, node: str) -> None:
    answer = store.start_session(Target=node)
    other = store.start_session(Target=node)
    for wrong in ("", "nonsense", other["TokenValue"]):
        client = opened({**answer, "TokenValue": wrong})
        assert client.ended() == {}
        assert client.code == 1008
    with pytest.raises(Refused, match="404"):
        opened({**answer, "StreamUrl": answer["StreamUrl"].replace("root-", "root-0")})
    assert jar.host.lines == []


@STEADY
def test_a_forwarded_port_carries_many_connections(jar: TestJar, store: Any, node: str) -> None:
    parameters = {"portNumber": ["5432"], "localPortNumber": ["0"]}
    answer = store.start_session(
        Target=node, DocumentName="AWS-StartPortForwardingSession", Parameters=parameters
    )
    client = opened(answer).shaken()
    asked = client.greeting["RequestedClientActions"][0]["ActionParameters"]
    assert asked == {
        "SessionType": "Port",
        "Properties": {"portNumber": "5432", "type": "LocalPortForwarding", "localPortNumber": "0"},
    }
    for stream in (3, 5):
        client.send(smux.encode(smux.Frame(smux.SYN, stream)) + smux.pushes(stream, b"hello %d" % stream))
    lines = jar.host.lines
    when(client, lambda: len(lines) == 2 and all(one.written for one in lines))
    assert {(one.command, one.written) for one in lines} == {
        (("localhost", 5432), b"hello 3"),
        (("localhost", 5432), b"hello 5"),
    }
    third = next(one for one in lines if one.written == b"hello 3")
    third.ears.said(b"welcome")
    third.ears.ended(0)
    client.until(lambda c: len(c.out) == 23)
    frames = list(smux.Reader().feed(client.out))
    assert frames == [smux.Frame(smux.PUSH, 3, b"welcome"), smux.Frame(smux.FIN, 3)]
    client.send(smux.encode(smux.Frame(smux.FIN, 5)))
    fifth = next(one for one in lines if one is not third)
    when(client, lambda: fifth.finished)
    client.send(int(Flag.TERMINATE_SESSION).to_bytes(4, "big"), Payload.FLAG)
    client.ended()
    assert fifth.cut


@STEADY
def test_an_old_client_forwards_one_connection_after_another(jar: TestJar, store: Any, node: str) -> None:
    answer = store.start_session(Target=node, DocumentName="AWS-StartPortForwardingSession")
    client = opened(answer, version=OLD).shaken()
    first = line(jar, client)
    assert first.command == ("localhost", 80)
    client.send(b"GET /")
    when(client, lambda: first.written == b"GET /")
    client.send(int(Flag.DISCONNECT_TO_PORT).to_bytes(4, "big"), Payload.FLAG)
    second = line(jar, client, 1)
    assert first.cut
    second.ears.said(b"again")
    client.said(b"again")
    client.close()


@STEADY
def test_a_client_that_knows_no_handshake(jar: TestJar, store: Any, node: str) -> None:
    """As browsers' libraries do it: no version, the size first, another digest, the type padded in front."""
    client = opened(store.start_session(Target=node), version="")
    client.resize(30, 90)
    data = bytearray(encode(Message(INPUT, b"ls", Payload.OUTPUT, client.sent, 1, UUID, 1)))
    data[4:36] = INPUT.encode().rjust(32, b"\0")
    data[80:112] = b"0" * 32
    client.raw(bytes(data))
    client.sent += 1
    far = line(jar, client)
    when(client, lambda: far.written == b"ls")
    far.ears.said(b"bin")
    client.said(b"bin")
    client.close()


@STEADY
def test_ssh_and_remote_hosts(jar: TestJar, store: Any, node: str) -> None:
    client = opened(store.start_session(Target=node, DocumentName="AWS-StartSSHSession")).shaken()
    far = line(jar, client)
    assert far.command == ("localhost", 22)
    far.ears.said(b"SSH-2.0-x\r\n")
    client.said(b"SSH-2.0-x\r\n")
    far.ears.ended(0)
    client.ended()
    name = "AWS-StartPortForwardingSessionToRemoteHost"
    given = {"host": ["db.internal"], "portNumber": ["3306"]}
    answer = store.start_session(Target=node, DocumentName=name, Parameters=given)
    remote = opened(answer, version=OLD).shaken()
    assert line(jar, remote, 1).command == ("db.internal", 3306)
    remote.close()


@STEADY
def test_commands(jar: TestJar, store: Any, node: str) -> None:
    given = {"command": ["top -b"]}
    client = opened(
        store.start_session(Target=node, DocumentName="AWS-StartInteractiveCommand", Parameters=given)
    ).shaken()
    far = line(jar, client)
    assert isinstance(far.command, Command)
    assert far.command.argv[-3:] == ("/bin/sh", "-c", "top -b")
    client.close()
    content = {
        "schemaVersion": "1.0",
        "sessionType": "NonInteractiveCommands",
        "parameters": {"who": {"type": "String", "default": "world", "allowedPattern": "[a-z]+"}},
        "properties": {
            "linux": {"commands": "echo {{ who }}", "runAsElevated": True, "separateOutputStream": True},
        },
    }
    store.create_document(Name="Greet", Content=json.dumps(content), DocumentType="Session")
    with refused("InvalidParameters", "who"):
        store.start_session(Target=node, DocumentName="Greet", Parameters={"who": ["; rm"]})
    with refused("InvalidParameters", "whom"):
        store.start_session(Target=node, DocumentName="Greet", Parameters={"whom": ["x"]})
    client = opened(store.start_session(Target=node, DocumentName="Greet")).shaken()
    far = line(jar, client, 1)
    assert isinstance(far.command, Command)
    assert far.command.argv == ("/bin/sh", "-c", "echo world")
    far.ears.complained(b"no")
    far.ears.said(b"yes")
    far.ears.ended(4)
    client.ended()
    assert (client.out, client.err, client.exit) == (b"yes", b"no", "4")


def test_documents_that_are_no_sessions(store: Any, node: str) -> None:
    with refused("InvalidDocument", "AWS-Nothing"):
        store.start_session(Target=node, DocumentName="AWS-Nothing")
    with refused("InvalidDocument"):
        store.start_session(Target=node, DocumentName="AWS-RunShellScript", Parameters={"commands": ["ls"]})
    with refused("TargetNotConnected", "i-0123456789abcdef0 is not connected."):
        store.start_session(Target="i-0123456789abcdef0")


def test_permissions_are_on_instance_and_document(jar: TestJar, store: Any, node: str) -> None:
    machine = f"arn:aws:ec2:eu-west-3:000000000000:instance/{node}"
    shell = "arn:aws:ssm:eu-west-3:000000000000:document/SSM-SessionManagerRunShell"
    ssh = "arn:aws:ssm:eu-west-3::document/AWS-StartSSHSession"
    start = "ssm:StartSession"
    own = "arn:aws:ssm:*:*:session/${aws:username}-*"
    plain = user(jar, "plain", statement(start, machine), statement("ssm:TerminateSession", own))
    answer = plain.start_session(Target=node)
    assert answer["SessionId"].startswith("plain-")
    with refused("AccessDeniedException", ssh):
        plain.start_session(Target=node, DocumentName="AWS-StartSSHSession")
    other = user(jar, "other", statement("ssm:TerminateSession", own))
    with refused("AccessDeniedException"):
        other.terminate_session(SessionId=answer["SessionId"])
    assert plain.terminate_session(SessionId=answer["SessionId"])
    both = user(jar, "both", statement(start, [machine, ssh]))
    assert both.start_session(Target=node, DocumentName="AWS-StartSSHSession")
    checks = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    strict = user(jar, "strict", statement(start, machine, Condition=checks))
    with refused("AccessDeniedException", shell):
        strict.start_session(Target=node)
    shells = user(jar, "shells", statement(start, [machine, shell], Condition=checks))
    assert shells.start_session(Target=node)
    dev = {"StringLike": {"ssm:resourceTag/Env": ["dev"]}}
    assert user(jar, "dev", statement(start, Condition=dev)).start_session(Target=node)
    live = {"StringLike": {"ssm:resourceTag/Env": ["live"]}}
    with refused("AccessDeniedException", machine):
        user(jar, "live", statement(start, Condition=live)).start_session(Target=node)


def test_preferences(jar: TestJar, store: Any, node: str) -> None:
    def prefer(**inputs: Any) -> None:
        content = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}
        known = store.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"]
        if known:
            store.delete_document(Name="SSM-SessionManagerRunShell")
        store.create_document(
            Name="SSM-SessionManagerRunShell", Content=json.dumps(content), DocumentType="Session"
        )

    prefer(maxSessionDuration="60", idleSessionTimeout="10")
    store.start_session(Target=node)
    assert store.describe_sessions(State="Active")["Sessions"][0]["MaxSessionDuration"] == "60"
    prefer(runAsEnabled=True)
    with refused("ValidationException", "Run As"):
        store.start_session(Target=node)
    prefer(cloudWatchLogGroupName="sessions")
    with refused("NotImplemented", "cloudWatchLogGroupName", status=501):
        store.start_session(Target=node)
