"""`cloudjar reach`: why one machine can or cannot reach another; by the plan, and with `--probe` by a packet."""

from __future__ import annotations

import os
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
_PORTS = (49152, 11848)
"""Source ports to send from: the first, and how many; within those that clients of any system take."""
_TRIES = 4
"""The network follows a change of its rules within a moment: who asks at once may be answered by both in turn."""


class Sent(NamedTuple):
    """A packet that was really sent: what became of it, and whether the analysis said so (None: it cannot tell)."""

    verdict: str
    agrees: bool | None


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
    question = Question(Ec2(home, place), ends, int(port), "udp" if udp else "tcp")
    analysis, sent = _probed(client, question) if probe else (question.analysed(), None)
    if as_json:
        return show_json(analysis | ({"Probe": sent.verdict, "ProbeAgrees": sent.agrees} if sent else {}))
    _say(analysis)
    if sent:
        say(f"A packet that was sent: {sent.verdict} ({_AGREEMENT[sent.agrees]})")
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


class Question(NamedTuple):
    """Who asks whom, at which port."""

    ec2: Ec2
    ends: list[str]
    port: int
    protocol: str

    def analysed(self, source_port: int = 0) -> dict[str, Any]:
        """The analysis of a path that is made for it and removed again; 0 is any source port."""
        ec2, (source, target) = self.ec2, self.ends
        asked: dict[str, Any] = {"Protocol": self.protocol, "DestinationPort": self.port}
        asked["Source"] = _gateway(ec2, source, target)
        if target == INTERNET or target.partition("-")[0] in _KINDS:
            asked["Destination"] = _gateway(ec2, target, source)
        else:
            asked["DestinationIp"] = target
        if source_port:
            asked["FilterAtSource"] = {"SourcePortRange": {"FromPort": source_port, "ToPort": source_port}}
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


def _probed(client: AdminClient, question: Question) -> tuple[dict[str, Any], Sent]:
    """The analysis of one packet, source port and all, and the very packet."""
    if client.settings.planes == "sim":
        raise Failure("the planes are simulated", "there is no network to send a packet in",
                      "cloudjar down, then sudo cloudjar up --planes linux")  # fmt: skip
    if question.ends[1] == INTERNET:
        raise Failure("internet is no place to send a packet to", "", "cloudjar reach FROM ADDRESS:PORT --probe")
    if os.geteuid():
        raise Failure("no packet can be sent", "only root enters a machine's network", "sudo cloudjar reach ...")
    from cloudjar.planes.network.probe import PortTaken

    asked = None
    for _ in range(_TRIES):
        try:
            asked = _once(client, question)
        except PortTaken:
            continue
        if asked[1].agrees is not False:
            break
    if asked is None:
        raise Failure("no packet could be sent", "every port that was tried is taken", "try again")
    return asked


def _once(client: AdminClient, question: Question) -> tuple[dict[str, Any], Sent]:
    """A port of its own each time: no packet is ever part of a conversation that was allowed before."""
    source_port = _PORTS[0] + ids.below(_PORTS[1])
    analysis = question.analysed(source_port)
    found = bool(analysis["NetworkPathFound"])
    verdict = _sent(client, question, source_port)
    return analysis, Sent(verdict, None if verdict == "silent" and found else found == (verdict in ("open", "refused")))


def _sent(client: AdminClient, question: Question, source_port: int) -> str:
    """``open``, ``refused`` (it arrived, and nobody listens), ``dropped``, ``silent`` or ``nowhere to send it to``."""
    from cloudjar.base.errors import PlaneError
    from cloudjar.planes.network.probe import PortTaken, probe
    from cloudjar.planes.network.site import Site

    site, (source, target) = Site(client.settings.tag, client.settings.public_pool), question.ends
    sender = None if source == INTERNET else _interface(question.ec2, source)
    heard = _interface(question.ec2, target) if target.partition("-")[0] in _KINDS else None
    address = _address(heard, sender is None) if heard else target
    if not address:
        return "nowhere to send it to"
    asker, asked = (site.guest_namespace(guest) if (guest := _guest(eni)) else "" for eni in (sender, heard))
    own = str(sender["PrivateIpAddress"]) if sender and ":" not in address else ""
    try:
        return probe(asker, address, question.protocol, question.port, source_port, source=own, asked=asked)
    except PortTaken:
        raise
    except PlaneError as error:
        hint = f"aws ec2 start-instances --instance-ids {source}"
        raise Failure("no packet could be sent", str(error), hint) from None


def _guest(eni: Mapping[str, Any] | None) -> str:
    return str((eni or {}).get("Attachment", {}).get("InstanceId", ""))


def _address(eni: Mapping[str, Any], from_outside: bool) -> str:
    """The private address, from another machine; from outside the public one, or none."""
    return str(eni.get("Association", {}).get("PublicIp", "") if from_outside else eni["PrivateIpAddress"])


_AGREEMENT = {
    True: "as the analysis says",
    False: "the analysis says otherwise: a firewall inside the machine, or a fault of Cloudjar's",
    None: "whoever has the port may be silent: this says nothing",
}


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
