"""Load balancers of a whole jar in front of real machines: who gets requests, who is asked no more, who is seen."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cloudjar.cli.down import restore_host
from cloudjar.planes.proxy import processes as proxies
from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.account import Account, Machine
from tests.host.jar.served import REGION, RealJar, real_jar, until
from tests.planes.proxy.authorities import make

pytestmark = [pytest.mark.host, pytest.mark.timeout(400)]

PORT = 8000
_WEB = """
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        said = f"{socket.gethostname()} {self.client_address[0]} {self.headers.get('X-Forwarded-For')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


class Said(NamedTuple):
    """An answer of a machine: its name, whom it saw, and for whom that says it asks."""

    status: int
    machine: str = ""
    seen: str = ""
    forwarded: str = ""


class Site:
    """Two machines in two zones, a group for load balancers, and a target group with both machines."""

    def __init__(self, jar: RealJar) -> None:
        self.jar, self.account = jar, Account(jar)
        self.ec2, self.elb = self.account.ec2, jar.client("elbv2")
        self.vpc = self.account.vpc()
        self.account.gateway(self.vpc)
        self.subnets = [self._subnet(n) for n in (0, 1)]
        self.front = self.account.group(self.vpc, "front", 80, 443)
        self.back = self.account.group(self.vpc, "back", PORT, peer=self.front)
        launched = [self.account.launch(subnet, self.back)[0] for subnet in self.subnets]
        self.machines = [self.account.reach(machine, "running") for machine in launched]
        for vm in self.machines:
            self.serve(vm)

    def _subnet(self, n: int) -> str:
        asked = {"VpcId": self.vpc, "CidrBlock": f"10.0.{n}.0/24", "AvailabilityZone": f"{REGION}{'ab'[n]}"}
        made = str(self.ec2.create_subnet(**asked)["Subnet"]["SubnetId"])
        self.ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
        return made

    def serve(self, vm: Machine) -> None:
        """Start the machine's web server, once it is up."""
        until(lambda: self.jar.compute.look(vm.id) == "up", f"{vm.id} to be up")
        until(lambda: self.jar.compute.run(vm.id, ["systemctl", "is-active", "ssh"])[0] == 0, f"{vm.id} to be booted")
        self.jar.inside(vm.id, f"cat > /srv/web.py <<'END'\n{_WEB}\nEND\n")
        self.jar.inside(vm.id, "systemctl reset-failed web 2>/dev/null; systemd-run --unit web python3 /srv/web.py")

    def group(self, name: str, **more: Any) -> str:
        """A target group that is probed as often as can be, with both machines."""
        asked = {"Name": name, "Protocol": "HTTP", "Port": PORT, "VpcId": self.vpc, "TargetType": "instance"}
        probe = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2}
        arn = str(self.elb.create_target_group(**{**asked, **probe, **more})["TargetGroups"][0]["TargetGroupArn"])
        self.elb.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
        )
        self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": vm.id} for vm in self.machines])
        return arn

    def balancer(self, name: str, group: str, **more: Any) -> tuple[dict[str, Any], list[str]]:
        """A load balancer that sends all to a group, and its public addresses."""
        made = self.elb.create_load_balancer(Name=name, Subnets=self.subnets, **more)["LoadBalancers"][0]
        protocol = "TCP" if made["Type"] == "network" else "HTTP"
        self.elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol=protocol, Port=80,
                                 DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])  # fmt: skip
        arn = made["LoadBalancerArn"]
        self.elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn], WaiterConfig={"Delay": 1})
        where = [{"Name": "description", "Values": [f"ELB {arn.partition('loadbalancer/')[2]}"]}]
        enis = self.ec2.describe_network_interfaces(Filters=where)["NetworkInterfaces"]
        return made, [eni["Association"]["PublicIp"] for eni in enis]

    def states(self, group: str) -> dict[str, str]:
        """Machine to what the probes of it came to."""
        found = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {f["Target"]["Id"]: f["TargetHealth"]["State"] for f in found}

    def well(self, group: str, *machines: Machine) -> None:
        """Wait until exactly these are well."""
        wanted = {vm.id for vm in machines}
        until(lambda: {m for m, s in self.states(group).items() if s == "healthy"} == wanted, f"{wanted} to be well",
              90, 0.2)  # fmt: skip

    def prove(self, arn: str) -> None:
        """What `cloudjar certificate validate` says to the server."""
        connection = http.client.HTTPConnection("127.0.0.1", self.jar.port, timeout=20)
        token = (self.jar.home / "admin-token").read_text()
        connection.request("POST", f"/_cloudjar/certificate-proofs?arn={arn}", headers={"x-cloudjar-token": token})
        assert connection.getresponse().read() == b'{"open":[]}'
        connection.close()

    def ask(self, address: str) -> Said:
        """One request from the host."""
        connection = http.client.HTTPConnection(address, timeout=20)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            words = answer.read().decode().split()
            return Said(answer.status, *words) if answer.status == 200 else Said(answer.status)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A jar beside those of other files."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar(home=Path("/var/tmp/cloudjar-rlb"), tag="rlb", port=4587) as jar:
        yield Site(jar)


def test_an_application_load_balancer_asks_those_that_are_well(site: Site) -> None:
    group = site.group("web")
    made, addresses = site.balancer("web", group, SecurityGroups=[site.front])
    first, second = site.machines
    assert len(addresses) == 2
    site.well(group, first, second)
    for address in addresses:
        asked = [site.ask(address) for _ in range(8)]
        assert {said.status for said in asked} == {200}
        assert len({said.machine for said in asked}) == 2
        assert {said.forwarded for said in asked} == {site.jar.network.host_address}
    by_name = f"import urllib.request as u; print(u.urlopen('http://{made['DNSName']}/').read().decode())"
    seen = site.jar.inside(first.id, f'python3 -c "{by_name}"').split()
    assert seen[2] == first.public  # it came by the load balancer's public address

    site.jar.inside(first.id, "systemctl stop web")
    until(lambda: site.states(group)[first.id] == "unhealthy", "the dead one to be noticed", 60, 0.2)
    survivor = f"ip-{second.private.replace('.', '-')}"

    def answers(times: int) -> set[tuple[int, str]]:
        asked = [site.ask(address) for address in addresses for _ in range(times)]
        return {(said.status, said.machine) for said in asked}

    # Each zone's node probes by itself: the other one notices at a probe of its own.
    until(lambda: answers(4) == {(200, survivor)}, "both nodes to ask the survivor alone")
    assert answers(20) == {(200, survivor)}
    site.jar.kill()  # who balances is not the server
    assert [site.ask(address).status for address in addresses] == [200, 200]
    site.jar.start()
    site.serve(first)
    site.well(group, first, second)

    site.account.revoke(site.back, PORT, peer=site.front)
    until(lambda: site.ask(addresses[0]).status == 504, "a dropped connection to be a 504", 60)
    site.account.authorize(site.back, PORT, peer=site.front)
    site.well(group, first, second)
    site.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": vm.id} for vm in site.machines])
    until(lambda: site.ask(addresses[0]).status == 503, "nobody to be asked")
    site.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    site.elb.delete_target_group(TargetGroupArn=group)


def test_nothing_balances_while_the_jar_is_down_and_all_does_again_afterwards(site: Site) -> None:
    group = site.group("again")
    made, addresses = site.balancer("again", group, SecurityGroups=[site.front])
    site.well(group, *site.machines)
    assert proxies.below(site.jar.home / "proxy")
    assert site.jar.stop() == 0
    restore_host(site.jar.settings)
    assert site.jar.leaks() == []
    site.jar.start()
    for vm in site.machines:
        site.serve(vm)
    site.well(group, *site.machines)
    until(lambda: {_answered(site, address) for address in addresses} == {200}, "both nodes to answer")
    site.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    site.elb.delete_target_group(TargetGroupArn=group)


def test_a_certificate_of_the_jar_serves(site: Site) -> None:
    acm, group = site.jar.client("acm"), site.group("secure")
    made, addresses = site.balancer("secure", group, SecurityGroups=[site.front])
    arn = acm.request_certificate(DomainName="www.example.test", ValidationMethod="DNS")["CertificateArn"]
    site.prove(arn)
    acm.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"Delay": 1})
    listener = site.elb.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": arn}],
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    trusting = ssl.create_default_context(cafile=str(site.jar.home / "tls" / "ca.pem"))
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    site.well(group, *site.machines)

    def greeted() -> str:
        plain = socket.create_connection((addresses[0], 443), 5)
        with trusting.wrap_socket(plain, server_hostname="www.example.test") as s:
            return f"{s.version()} {s.selected_alpn_protocol()}"

    until(lambda: _tried(greeted) == "TLSv1.3 h2", "the listener to greet", 30, 0.2)
    _only_for_holders(site, listener, addresses[0], trusting)
    site.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    site.elb.delete_target_group(TargetGroupArn=group)
    acm.delete_certificate(CertificateArn=arn)


def _only_for_holders(site: Site, listener: str, address: str, trusting: ssl.SSLContext) -> None:
    """A trust store lets in who has a certificate of its authority, and nobody else any more."""
    s3 = site.jar.client("s3")
    s3.create_bucket(Bucket="trust-of-clients", CreateBucketConfiguration={"LocationConstraint": REGION})
    root = make("root", ca=True)
    s3.put_object(Bucket="trust-of-clients", Key="bundle", Body=root.pem.encode())
    store = site.elb.create_trust_store(
        Name="clients", CaCertificatesBundleS3Bucket="trust-of-clients", CaCertificatesBundleS3Key="bundle"
    )["TrustStores"][0]["TrustStoreArn"]
    site.elb.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "verify", "TrustStoreArn": store})

    def asked() -> str:
        plain = socket.create_connection((address, 443), 5)
        with trusting.wrap_socket(plain, server_hostname="www.example.test") as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return s.recv(1000).decode().partition("\r\n")[0]

    trusting.set_alpn_protocols(["http/1.1"])
    until(lambda: _tried(asked) != "HTTP/1.1 200 OK", "nobody to be let in", 30, 0.2)
    leaf = make("leaf", root)
    file = site.jar.home / "client.pem"
    file.write_text(leaf.pem + leaf.secret)
    trusting.load_cert_chain(str(file))
    until(lambda: _tried(asked) == "HTTP/1.1 200 OK", "the holder to be let in", 30, 0.2)
    site.elb.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "off"})
    site.elb.delete_trust_store(TrustStoreArn=store)


def test_a_network_load_balancer_keeps_the_source_address(site: Site) -> None:
    group = site.group("flows", Protocol="TCP", HealthCheckProtocol="TCP")
    made, addresses = site.balancer("flows", group, Type="network", SecurityGroups=[site.front])
    first, second = site.machines
    site.well(group, first, second)
    host = site.jar.network.host_address
    zone_a, zone_b = (site.ask(address) for address in addresses)
    assert {zone_a.seen, zone_b.seen} == {host}  # the targets' group admits the load balancer's
    assert zone_a.machine != zone_b.machine  # each zone's node asks its own zone
    site.ec2.stop_instances(InstanceIds=[second.id])
    until(lambda: site.states(group)[second.id] == "unused", "the stopped one to be unused", 60, 0.2)
    site.elb.modify_load_balancer_attributes(
        LoadBalancerArn=made["LoadBalancerArn"],
        Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}],
    )
    until(lambda: {_answered(site, a) for a in addresses} == {200}, "the other zone to help out", 60)
    site.ec2.terminate_instances(InstanceIds=[second.id])
    until(lambda: site.states(group) == {first.id: "healthy"}, "the dead one to be no target", 60, 0.2)
    site.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    site.ec2.terminate_instances(InstanceIds=[first.id])
    until(lambda: not site.jar.machine_traces(), "every trace to go")


def _answered(site: Site, address: str) -> int:
    answered = _tried(lambda: site.ask(address).status)
    return int(answered or 0)


def _tried(what: Any) -> Any:
    try:
        return what()
    except OSError:
        return None
