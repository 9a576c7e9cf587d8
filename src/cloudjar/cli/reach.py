"""`cloudjar reach`: why one machine can or cannot reach another; by the plan, and with `--probe` by a packet."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import click

from cloudjar.base import ids
from cloudjar.cli.admin import AdminClient, Private
from cloudjar.cli.home import Home, home_option, json_option
from cloudjar.cli.screen import Failure, paint, print_table, say, show_json
from cloudjar.cli.ssh import find

INTERNET = "internet"
_KINDS = {"eni": "network-interface", "i": "instance", "igw": "internet-gateway"}
_SECONDS = 3
# Runs inside the guest's network: says what becomes of one connection.
_PROBE = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), {seconds}).close()
    print("open")
except ConnectionRefusedError:
    print("refused")
except OSError as failed:
    print("dropped" if isinstance(failed, TimeoutError) else failed)
"""


class Place(NamedTuple):
    """Whose a thing is, and where."""

    account: str
    region: str


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO:PORT")
@click.option("--udp", is_flag=True, help="UDP instead of TCP.")
@click.option("--probe", is_flag=True, help="Send a packet as well, from inside the machine's network (needs root).")
@home_option
@json_option
def reach(source: str, target: str, udp: bool, probe: bool, home: Home, as_json: bool) -> None:
    """Whether FROM reaches TO at PORT, by which way, or what is in the way.

    FROM is an instance (id or Name tag), an interface or `internet`; TO is one of these or an IP address. The answer is
    the Reachability Analyzer's, whose path and analysis are removed again.
    """
    client = AdminClient(home)
    wanted, _, port = target.rpartition(":")
    if not wanted or not port.isdecimal():
        raise Failure(f"{target} is no place to reach", "it takes the form TO:PORT", "cloudjar reach web db:5432")
    ends = [_named(client, one) for one in (source, wanted)]
    place = next((found for one in ends if (found := _place(client, one))), None)
    if place is None:
        raise Failure(f"neither {source} nor {wanted} is in this jar", "", "aws ec2 describe-instances")
    analysis = _analysed(Ec2(home, place), ends, int(port), "udp" if udp else "tcp")
    sent = _probe(client, Ec2(home, place), ends, port) if probe else ""
    if as_json:
        return show_json(analysis | ({"Probe": sent} if sent else {}))
    _say(analysis)
    if sent:
        say(f"A packet that was sent: {sent}")
    return None


class Ec2:
    """EC2 through the jar's private door, where every account's root is known."""

    def __init__(self, home: Home, place: Place) -> None:
        from botocore import session

        self._home = home
        self._place = place
        self._model = session.get_session().get_service_model("ec2")

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        """An operation's answer; raises `Failure` with AWS's own message."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        from botocore.parsers import create_parser
        from botocore.serialize import create_serializer

        model = self._model.operation_model(operation)
        if "ClientToken" in model.input_shape.members:
            params["ClientToken"] = ids.request_id()
        body = urlencode(create_serializer("ec2").serialize_to_request(params, model)["body"])
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        request = AWSRequest("POST", "http://localhost/", headers=headers, data=body)
        SigV4Auth(Credentials(self._place.account, "test"), "ec2", self._place.region).add_auth(request)
        connection = Private(self._home.folder, timeout=60)
        try:
            connection.request("POST", "/", body=body, headers=dict(request.headers))
            answer = connection.getresponse()
            raw = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.read()}
        finally:
            connection.close()
        parsed: dict[str, Any] = create_parser("ec2").parse(raw, model.output_shape)
        if answer.status != 200:
            raise Failure(parsed.get("Error", {}).get("Message") or f"the jar answered {answer.status}")
        return parsed


def _named(client: AdminClient, one: str) -> str:
    """An id or address; a name is looked up."""
    head = one.partition("-")[0]
    if one == INTERNET or head in _KINDS or ":" in one or one.replace(".", "").isdecimal():
        return one
    return find(client, one).id


def _place(client: AdminClient, key: str) -> Place | None:
    kind = _KINDS.get(key.partition("-")[0])
    for row in client.get("records", kind=f"ec2/{kind}")["records"] if kind else ():
        if row["key"] == key:
            return Place(row["account"], row["region"])
    return None


def _analysed(ec2: Ec2, ends: list[str], port: int, protocol: str) -> dict[str, Any]:
    """The analysis of a path that is made for it and removed again."""
    asked: dict[str, Any] = {"Protocol": protocol, "DestinationPort": port, "Source": _gateway(ec2, ends[0], ends[1])}
    if ends[1] == INTERNET or ends[1].partition("-")[0] in _KINDS:
        asked["Destination"] = _gateway(ec2, ends[1], ends[0])
    else:
        asked["DestinationIp"] = ends[1]
    path = ec2("CreateNetworkInsightsPath", **asked)["NetworkInsightsPath"]["NetworkInsightsPathId"]
    key = ""
    try:
        begun = ec2("StartNetworkInsightsAnalysis", NetworkInsightsPathId=path)
        key = begun["NetworkInsightsAnalysis"]["NetworkInsightsAnalysisId"]
        return _finished(ec2, key)
    finally:
        if key:
            ec2("DeleteNetworkInsightsAnalysis", NetworkInsightsAnalysisId=key)
        ec2("DeleteNetworkInsightsPath", NetworkInsightsPathId=path)


def _finished(ec2: Ec2, key: str) -> dict[str, Any]:
    while True:
        [found] = ec2("DescribeNetworkInsightsAnalyses", NetworkInsightsAnalysisIds=[key])["NetworkInsightsAnalyses"]
        if found["Status"] != "running":
            break
        time.sleep(0.05)
    if found["Status"] == "failed":
        raise Failure("the analysis failed", found.get("StatusMessage", ""))
    analysis: dict[str, Any] = found
    return analysis


def _gateway(ec2: Ec2, one: str, other: str) -> str:
    """The thing itself; for `internet` the gateway of the VPC that the other end is in."""
    if one != INTERNET:
        return one
    eni = _interface(ec2, other)
    filters = [{"Name": "attachment.vpc-id", "Values": [eni["VpcId"]]}]
    found = ec2("DescribeInternetGateways", Filters=filters)["InternetGateways"]
    if not found:
        raise Failure(f"{eni['VpcId']} has no internet gateway", f"so nothing gets from or to {other}",
                      "aws ec2 create-internet-gateway, attach-internet-gateway")  # fmt: skip
    return str(found[0]["InternetGatewayId"])


def _interface(ec2: Ec2, key: str) -> dict[str, Any]:
    """The first interface of an instance, or the one named."""
    name = "network-interface-id" if key.startswith("eni-") else "attachment.instance-id"
    found = ec2("DescribeNetworkInterfaces", Filters=[{"Name": name, "Values": [key]}])["NetworkInterfaces"]
    if not found:
        raise Failure(f"{key} has no network interface")
    first: dict[str, Any] = min(found, key=lambda eni: eni.get("Attachment", {}).get("DeviceIndex", 0))
    return first


def _probe(client: AdminClient, ec2: Ec2, ends: list[str], port: str) -> str:
    """``open``, ``refused`` (it arrived, and nobody listens) or ``dropped``: one TCP connection, really."""
    if client.settings.planes == "sim":
        raise Failure("the planes are simulated", "there is no network to send a packet in",
                      "cloudjar down, then sudo cloudjar up --planes linux")  # fmt: skip
    source, target = ends
    if shutil.which("ip") is None:
        raise Failure("ip is not installed", "", "apt-get install iproute2")
    guest = _interface(ec2, source).get("Attachment", {}).get("InstanceId") if source != INTERNET else None
    address = target if target.partition("-")[0] not in _KINDS else _address(_interface(ec2, target), guest)
    inside = ["ip", "netns", "exec", f"cj-{client.settings.tag}-{guest}"] if guest else []
    code = _PROBE.format(seconds=_SECONDS)
    done = subprocess.run([*inside, sys.executable, "-c", code, address, port], capture_output=True, text=True)
    if done.returncode:
        raise Failure("no packet could be sent", done.stderr.strip(), "run it as root, on a host whose planes are real")
    return done.stdout.strip()


def _address(eni: Mapping[str, Any], guest: str | None) -> str:
    """The private address, from another machine; the public one from outside."""
    public = eni.get("Association", {}).get("PublicIp")
    return str(eni["PrivateIpAddress"] if guest or not public else public)


def _say(analysis: Mapping[str, Any]) -> None:
    if analysis["NetworkPathFound"]:
        say(paint("Reachable", "green"))
        rows = [(str(one["SequenceNumber"]), one["Component"]["Id"], _by(one))
                for one in analysis["ForwardPathComponents"]]  # fmt: skip
        print_table(rows)
        return
    say(paint("Not reachable", "red"))
    for one in analysis["Explanations"]:
        say(f"  {one['ExplanationCode']}")
        print_table([(f"    {name}", text) for name, value in one.items() if (text := _text(name, value))])


def _by(component: Mapping[str, Any]) -> str:
    """The rule or route by which a component lets a packet on."""
    for name in ("SecurityGroupRule", "AclRule", "RouteTableRoute"):
        if component.get(name):
            return _text(name, component[name])
    return ""


def _text(name: str, value: Any) -> str:
    if name == "ExplanationCode" or value in (None, [], {}):
        return ""
    if isinstance(value, Mapping):
        if "Id" in value:
            return str(value["Id"])
        if set(value) == {"From", "To"}:
            return str(value["From"]) if value["From"] == value["To"] else f"{value['From']}-{value['To']}"
        return ", ".join(f"{k}={_text(k, v)}" for k, v in value.items() if v is not None)
    if isinstance(value, list):
        return ", ".join(_text(name, one) for one in value)
    return str(value)
