"""Private ways in, with real packets: an endpoint service of one account, asked by a machine of another in a VPC with
the same addresses; and a tunnel from the host to a machine without any public address."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloudjar.auth.presign import Credentials, presign
from cloudjar.wire import websocket
from tests.host.jar.account import Account
from tests.host.jar.packets import Wire
from tests.host.jar.served import REGION, RealJar, until
from tests.services.ssm.agent_client import connected

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]
OTHER = "222222222222"
PORT = 8080


def test_a_machine_of_another_account_reaches_a_service_through_its_endpoint(real: RealJar, wire: Wire) -> None:
    ours, theirs = Account(real), Account(real, key=OTHER)
    elb = real.client("elbv2")
    vpc = ours.vpc()
    subnet = ours.subnet(vpc)
    front, back = ours.group(vpc, "front", PORT), ours.group(vpc, "back")
    ours.authorize(back, PORT, peer=front)
    target = ours.run(subnet, back)
    wire.listen(target.id, PORT)
    made = elb.create_load_balancer(Name="links", Type="network", Scheme="internal", Subnets=[subnet],
                                    SecurityGroups=[front])["LoadBalancers"][0]["LoadBalancerArn"]  # fmt: skip
    check = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2}
    group = elb.create_target_group(Name="links", Protocol="TCP", Port=PORT, VpcId=vpc, **check)["TargetGroups"][0][
        "TargetGroupArn"]  # fmt: skip
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": target.id}])
    elb.create_listener(LoadBalancerArn=made, Protocol="TCP", Port=PORT,
                        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])  # fmt: skip
    service = ours.ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[made])["ServiceConfiguration"]
    ours.ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=service["ServiceId"], AddAllowedPrincipals=[f"arn:aws:iam::{OTHER}:root"])  # fmt: skip

    away = theirs.vpc()  # the same addresses as the service's own
    here = theirs.subnet(away)
    door = theirs.group(away, "door", PORT)
    guest = theirs.run(here, theirs.group(away, "guests"))
    asked = {"VpcId": away, "ServiceName": service["ServiceName"], "VpcEndpointType": "Interface"}
    endpoint = theirs.ec2.create_vpc_endpoint(SubnetIds=[here], SecurityGroupIds=[door], **asked)["VpcEndpoint"]
    key, name = endpoint["VpcEndpointId"], endpoint["DnsEntries"][0]["DnsName"]
    eni = theirs.ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])
    address = eni["NetworkInterfaces"][0]["PrivateIpAddress"]

    def becomes(wanted: str) -> None:
        until(lambda: wire.knock(address, PORT, guest=guest.id) == wanted, f"the endpoint to be {wanted}")

    assert wire.knock(address, PORT, guest=guest.id) == "dropped"  # nobody has accepted it
    ours.ec2.accept_vpc_endpoint_connections(ServiceId=service["ServiceId"], VpcEndpointIds=[key])
    becomes("open")
    assert real.inside(guest.id, f"getent ahostsv4 {name}").split()[0] == address
    ours.revoke(front, PORT)
    becomes("dropped")  # the load balancer's group decides about the client
    ours.authorize(front, PORT, peer=f"{guest.private}/32")
    becomes("open")
    real.kill()  # who carries the packets is not the server
    assert wire.knock(address, PORT, guest=guest.id) == "open"
    real.start()
    theirs.revoke(door, PORT)
    becomes("dropped")
    theirs.authorize(door, PORT)
    becomes("open")
    ours.ec2.reject_vpc_endpoint_connections(ServiceId=service["ServiceId"], VpcEndpointIds=[key])
    becomes("dropped")
    theirs.ec2.delete_vpc_endpoints(VpcEndpointIds=[key])
    until(lambda: not ours.ec2.delete_vpc_endpoint_service_configurations(
        ServiceIds=[service["ServiceId"]])["Unsuccessful"], "the service to go")  # fmt: skip
    elb.delete_load_balancer(LoadBalancerArn=made)
    elb.delete_target_group(TargetGroupArn=group)
    ours.ec2.terminate_instances(InstanceIds=[target.id])
    theirs.ec2.terminate_instances(InstanceIds=[guest.id])
    until(lambda: not real.machine_traces(), "every trace to go")


def test_a_tunnel_leads_from_the_host_to_a_private_machine(real: RealJar) -> None:
    account = Account(real)
    vpc = account.vpc("10.7.0.0/16")  # without a gateway
    subnet = account.subnet(vpc, "10.7.1.0/24")
    door, inner = account.group(vpc, "door"), account.group(vpc, "inner")
    account.authorize(inner, 22, peer=door)
    machine = account.run(subnet, inner)
    made = account.ec2.create_instance_connect_endpoint(SubnetId=subnet, SecurityGroupIds=[door])
    key = made["InstanceConnectEndpoint"]["InstanceConnectEndpointId"]

    def ready() -> bool:
        [shown] = account.ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
        return bool(shown["State"] == "create-complete")

    until(ready, "the endpoint to be there")

    def heard() -> bytes:
        """The first that a tunnel to the machine's SSH says, or why there is none."""
        query = f"instanceConnectEndpointId={key}&remotePort=22&privateIpAddress={machine.private}"
        url = presign("GET", f"{real.endpoint}/openTunnel?{query}", Credentials("test", "test"), REGION,
                      "ec2-instance-connect", datetime.now(UTC), expires=60)  # fmt: skip
        reader = websocket.Reader(masked=False)
        with connected(url.replace("http", "ws", 1)) as wire:
            while True:
                for _, payload in reader.feed(wire.recv(65536)):
                    return payload

    until(lambda: heard().startswith(b"SSH-2.0"), "SSH to answer through the tunnel", 60, 0.2)
    account.revoke(inner, 22, peer=door)
    until(lambda: b"not answered" in heard(), "the machine's group to decide", 60)
    account.ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=key)
    account.ec2.terminate_instances(InstanceIds=[machine.id])
    until(lambda: not real.machine_traces(), "every trace to go")
