"""The API inside VPCs: guests without any way out call it through VPC endpoints, by name and by address."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.request import Request, urlopen

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudjar.gateway.admin import TOKEN_HEADER
from cloudjar.gateway.tls import Authority
from tests.host.jar.account import Account, Machine
from tests.host.jar.packets import Wire
from tests.host.jar.served import REGION, RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]

STS = f"sts.{REGION}.amazonaws.com"
FEDERATE = "GetFederationToken&Name=somebody"
_ASK = """
import sys, json, urllib.request, urllib.error
asked = json.load(sys.stdin)
request = urllib.request.Request(asked["url"], asked["body"].encode(), asked["headers"], method="POST")
try:
    print(urllib.request.urlopen(request, timeout=asked["wait"]).read().decode())
except urllib.error.HTTPError as error:
    print(error.read().decode())
except OSError as error:
    print("nothing:", error)
"""


class World(NamedTuple):
    """A VPC without a gateway, a machine in it, and a user whose keys the machine has."""

    jar: RealJar
    wire: Wire
    account: Account
    vpc: str
    subnet: str
    group: str
    guest: Machine
    keys: Credentials

    def ask(self, action: str, host: str = STS, wait: float = 20) -> str:
        """What the guest's own Python hears when it calls STS, signed as the user."""
        body = f"Action={action}&Version=2011-06-15"
        request = AWSRequest("POST", f"http://{host}/", data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})  # fmt: skip
        SigV4Auth(self.keys, "sts", REGION).add_auth(request)
        told = {"url": request.url, "body": body, "headers": dict(request.headers), "wait": wait}
        text = json.dumps(json.dumps(told))
        return self.jar.inside(self.guest.id, f"printf %s {_quoted(text)} | python3 -c {_quoted(_ASK_TEXT)}", wait + 30)

    def becomes(self, wanted: str, action: str = "GetCallerIdentity", wait: float = 20, host: str = STS) -> None:
        until(lambda: wanted in self.ask(action, host, wait), f"{action} to answer {wanted}", 60)


_ASK_TEXT = _ASK.replace("json.load(sys.stdin)", "json.loads(json.load(sys.stdin))")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture(scope="module")
def world(real: RealJar, wire: Wire) -> World:
    account, iam = Account(real), real.client("iam")
    vpc = account.vpc()
    account.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = account.subnet(vpc)
    group = account.group(vpc, "guests")
    iam.create_user(UserName="guest")
    iam.put_user_policy(UserName="guest", PolicyName="own", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}))
    key = iam.create_access_key(UserName="guest")["AccessKey"]
    keys = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    return World(real, wire, account, vpc, subnet, group, account.run(subnet, group), keys)


@pytest.fixture(scope="module")
def endpoint(world: World) -> str:
    """An interface endpoint to STS whose group lets in the guests."""
    asked = {"VpcId": world.vpc, "ServiceName": f"com.amazonaws.{REGION}.sts", "VpcEndpointType": "Interface"}
    door = world.account.group(world.vpc, "door", 80, 443, peer=world.group)
    made = world.account.ec2.create_vpc_endpoint(SubnetIds=[world.subnet], SecurityGroupIds=[door], **asked)
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def test_a_guest_without_a_way_out_calls_the_api_by_its_public_name(world: World, endpoint: str) -> None:
    world.becomes("<Arn>arn:aws:iam::000000000000:user/guest</Arn>")
    (shown,) = world.account.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    names = [entry["DnsName"] for entry in shown["DnsEntries"]]
    assert names[-1] == STS
    (eni,) = world.account.ec2.describe_network_interfaces(NetworkInterfaceIds=shown["NetworkInterfaceIds"])[
        "NetworkInterfaces"]  # fmt: skip
    for name in names:
        assert world.jar.inside(world.guest.id, f"getent ahostsv4 {name}").split()[0] == eni["PrivateIpAddress"]
    assert "user/guest" in world.ask("GetCallerIdentity", names[0])


def test_https_works_with_the_installations_authority(world: World, endpoint: str) -> None:
    assert endpoint
    authority = Authority(world.jar.home / "tls").bundle.read_text()
    world.jar.inside(world.guest.id, f"printf %s {_quoted(authority)} > /root/ca.pem")
    known = f"python3 -c 'import ssl, socket; c = ssl.create_default_context(cafile=\"/root/ca.pem\"); " \
        f"print(c.wrap_socket(socket.create_connection((\"{STS}\", 443), 20), server_hostname=\"{STS}\").version())'"
    until(lambda: world.jar.inside(world.guest.id, known, 60).startswith("TLSv1."), "TLS at the endpoint")


def test_its_policy_decides_and_so_do_policies_that_ask_for_it(world: World, endpoint: str) -> None:
    narrow = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "sts:GetCallerIdentity", "Resource": "*"}]}  # fmt: skip
    world.becomes("<SessionToken>", FEDERATE)
    world.account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=json.dumps(narrow))
    world.becomes("because no VPC endpoint policy allows the sts:GetFederationToken action", FEDERATE)
    world.account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    iam = world.jar.client("iam")
    for facts, wanted in (
        ({"aws:SourceVpce": endpoint, "aws:SourceVpc": world.vpc, "aws:VpcSourceIp": world.guest.private}, "<Session"),
        ({"aws:SourceVpce": "vpce-00000000000000000"}, "AccessDenied"),
    ):
        unless = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "sts:*", "Resource": "*", "Condition": {"StringNotEquals": facts}},
        ]}  # fmt: skip
        iam.put_user_policy(UserName="guest", PolicyName="own", PolicyDocument=json.dumps(unless))
        world.becomes(wanted, FEDERATE)


def test_its_security_group_blocks(world: World, endpoint: str) -> None:
    (shown,) = world.account.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    world.becomes("user/guest")
    (door,) = [group["GroupId"] for group in shown["Groups"]]
    world.account.revoke(door, 80, 443, peer=world.group)
    world.becomes("nothing: ", wait=1)
    world.account.authorize(door, 80, 443, peer=world.group)
    world.becomes("user/guest")


def test_a_running_guest_hears_of_its_vpcs_dhcp_options(world: World) -> None:
    ec2, guest = world.account.ec2, world.guest.id
    read = "cat /etc/resolv.conf /etc/systemd/timesyncd.conf.d/dhcp.conf"
    said = world.jar.inside(guest, read)
    assert "nameserver 10.0.0.2\n" in said
    assert f"search {REGION}.compute.internal\n" in said
    options = [("domain-name", "corp.example"), ("ntp-servers", "10.0.1.99"),
               ("domain-name-servers", "10.0.1.53,AmazonProvidedDNS")]  # fmt: skip
    made = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": k, "Values": [v]} for k, v in options])["DhcpOptions"]
    ec2.associate_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"], VpcId=world.vpc)
    life = world.jar.life(guest)
    world.jar.advance(31 * 60)
    until(lambda: "10.0.1.99" in world.jar.inside(guest, read), "the guest's lease to be renewed")
    said = world.jar.inside(guest, read)
    assert world.jar.life(guest) == life
    assert said.startswith("search corp.example\nnameserver 10.0.1.53\nnameserver 10.0.0.2\n")
    assert said.endswith("[Time]\nNTP=10.0.1.99")
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=world.vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"])


def test_its_bytes_are_on_the_bill_once_whatever_becomes_of_the_server(world: World, endpoint: str) -> None:
    def carried() -> int:
        token = (world.jar.home / "admin-token").read_text()
        asked = Request(f"{world.jar.endpoint}/_cloudjar/quantities?start=0&end=9e9", headers={TOKEN_HEADER: token})
        with urlopen(asked, timeout=60) as answer:
            found = json.load(answer)["quantities"]
        mine = [one["amount"] for one in found if one["resource"] == endpoint]
        assert {one["usage_type"] for one in found if one["resource"] == endpoint} <= {"VpcEndpoint-Bytes"}
        return sum(mine)

    world.becomes("user/guest")
    before = carried()
    assert before > 1000
    world.jar.kill()
    world.jar.start()
    assert carried() == before  # nobody asked the endpoint meanwhile
    world.becomes("user/guest")
    assert before + 300 < carried() < before * 2


def test_it_serves_again_after_the_server_was_killed(world: World, endpoint: str) -> None:
    world.jar.kill()
    assert "nothing: " in world.ask("GetCallerIdentity", wait=1)
    world.jar.start()
    world.becomes("user/guest")


def test_a_gateway_endpoint_is_a_route_to_its_service_alone(world: World, endpoint: str) -> None:
    ec2 = world.account.ec2
    (listed,) = ec2.describe_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.s3"]}])["PrefixLists"]
    address = listed["Cidrs"][0].partition("/")[0]
    assert world.wire.knock(address, 80, world.guest.id) == "dropped"
    made = ec2.create_vpc_endpoint(
        VpcId=world.vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[world.account.main_table(world.vpc)])
    until(lambda: world.wire.knock(address, 80, world.guest.id) == "open", f"{address} to answer")
    world.becomes("scoped to correct service: 's3'", host=address)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpoint"]["VpcEndpointId"], endpoint])
    until(lambda: world.wire.knock(address, 80, world.guest.id) == "dropped", f"{address} to be silent")
    world.becomes("nothing: ", wait=1)
