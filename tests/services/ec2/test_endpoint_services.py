"""Endpoint services of one's own: offered, asked for, accepted, rejected, and where their endpoints lead."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudjar.kit import certificates
from cloudjar.services.ec2.vpc_endpoints.rules import EVERYTHING
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import (
    ANYWHERE,
    NOWHERE,
    code,
    interface_of,
    launch,
    make_group,
    make_subnet,
    make_vpc,
    only,
    refused,
)
from tests.services.iam.people import allow, user

OTHER = "222222222222"
HTTPS = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": ANYWHERE}]}]


class Offer:
    """A network load balancer in two zones, and a service of it."""

    def __init__(self, jar: TestJar, ec2: Any, **more: Any) -> None:
        self.jar, self.ec2, self.elb = jar, ec2, jar.client("elbv2")
        self.vpc = make_vpc(ec2, "10.1.0.0/16")
        zones = [f"eu-west-3{z}" for z in "ab"]
        self.subnets = [make_subnet(ec2, self.vpc, f"10.1.{n}.0/24", AvailabilityZone=z) for n, z in enumerate(zones)]
        self.group = make_group(ec2, self.vpc, "front")
        self.arn = self.balancer("front")
        jar.settle()
        made = ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[self.arn], **more)
        self.shown = made["ServiceConfiguration"]
        self.id, self.name = self.shown["ServiceId"], self.shown["ServiceName"]

    def balancer(self, name: str) -> str:
        asked = {"Name": name, "Type": "network", "Scheme": "internal", "Subnets": self.subnets}
        made = self.elb.create_load_balancer(**asked, SecurityGroups=[self.group])["LoadBalancers"][0]
        return str(made["LoadBalancerArn"])

    def admit(self, *principals: str) -> list[dict[str, Any]]:
        answer = self.ec2.modify_vpc_endpoint_service_permissions(ServiceId=self.id, AddAllowedPrincipals=principals)
        added: list[dict[str, Any]] = answer["AddedPrincipals"]
        return added

    def connections(self) -> dict[str, str]:
        found = self.ec2.describe_vpc_endpoint_connections(Filters=only(service_id=self.id))["VpcEndpointConnections"]
        return {one["VpcEndpointId"]: one["VpcEndpointState"] for one in found}


class Asker:
    """Somebody's VPC with a machine, and an endpoint."""

    def __init__(self, jar: TestJar, ec2: Any, service: str, zone: str = "a", **more: Any) -> None:
        self.jar, self.ec2 = jar, ec2
        self.vpc = make_vpc(ec2, "10.1.0.0/16")  # as the service's own
        ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.subnet = make_subnet(ec2, self.vpc, "10.1.0.0/24", AvailabilityZone=f"eu-west-3{zone}")
        self.door = make_group(ec2, self.vpc, "door")
        ec2.authorize_security_group_ingress(GroupId=self.door, IpPermissions=HTTPS)
        self.eni = interface_of(ec2, launch(ec2, SubnetId=self.subnet))
        self.asked = {"VpcId": self.vpc, "ServiceName": service, "VpcEndpointType": "Interface",
                      "SubnetIds": [self.subnet], "SecurityGroupIds": [self.door], **more}  # fmt: skip
        self.made = ec2.create_vpc_endpoint(**self.asked)["VpcEndpoint"]
        self.id = str(self.made["VpcEndpointId"])
        jar.settle()

    def show(self) -> dict[str, Any]:
        [found] = self.ec2.describe_vpc_endpoints(VpcEndpointIds=[self.id])["VpcEndpoints"]
        one: dict[str, Any] = found
        return one

    @property
    def state(self) -> str:
        return str(self.show()["State"])

    def reaches(self, port: int = 443) -> str:
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=self.show()["NetworkInterfaceIds"])
        address = found["NetworkInterfaces"][0]["PrivateIpAddress"]
        return self.jar.network.reachable(self.eni["NetworkInterfaceId"], address, "tcp", port)


def test_a_service_is_a_load_balancers(jar: TestJar, ec2: Any) -> None:
    offer = Offer(jar, ec2, TagSpecifications=[
        {"ResourceType": "vpc-endpoint-service", "Tags": [{"Key": "team", "Value": "web"}]}])  # fmt: skip
    assert offer.name == f"com.amazonaws.vpce.eu-west-3.{offer.id}"
    assert offer.shown["AvailabilityZones"] == ["eu-west-3a", "eu-west-3b"]
    assert (offer.shown["AcceptanceRequired"], offer.shown["ServiceState"]) == (True, "Available")
    assert offer.shown["BaseEndpointDnsNames"] == [f"{offer.id}.eu-west-3.vpce.amazonaws.com"]
    create = ec2.create_vpc_endpoint_service_configuration
    assert code(create) == "MissingParameter"
    assert code(create, NetworkLoadBalancerArns=[offer.arn.replace("front", "other")]) == "InvalidParameter"
    taken = f"The network load balancer '{offer.arn}' is already associated with {offer.id}"
    assert refused(create, NetworkLoadBalancerArns=[offer.arn]) == ("InvalidParameter", taken)
    second = offer.balancer("second")
    modify = ec2.modify_vpc_endpoint_service_configuration
    modify(ServiceId=offer.id, AddNetworkLoadBalancerArns=[second], AcceptanceRequired=False)
    modify(ServiceId=offer.id, RemoveNetworkLoadBalancerArns=[offer.arn])
    assert code(modify, ServiceId=offer.id, RemoveNetworkLoadBalancerArns=[second]) == "InvalidParameter"
    [shown] = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[offer.id])["ServiceConfigurations"]
    assert (shown["NetworkLoadBalancerArns"], shown["AcceptanceRequired"]) == ([second], False)
    assert shown["Tags"] == [{"Key": "team", "Value": "web"}]
    ec2.create_tags(Resources=[offer.id], Tags=[{"Key": "more", "Value": "1"}])
    found = ec2.describe_vpc_endpoint_service_configurations(Filters=[{"Name": "tag:more", "Values": ["1"]}])
    assert [one["ServiceId"] for one in found["ServiceConfigurations"]] == [offer.id]
    gone = ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[offer.id, f"vpce-svc-{NOWHERE}"])["Unsuccessful"]
    assert [one["Error"]["Code"] for one in gone] == ["InvalidVpcEndpointService.NotFound"]
    assert code(modify, ServiceId=offer.id) == "InvalidVpcEndpointServiceId.NotFound"


def test_who_is_not_admitted_does_not_know_of_it(jar: TestJar, ec2: Any) -> None:
    offer = Offer(jar, ec2)
    other = jar.client("ec2", key=OTHER)
    asked = {"ServiceNames": [offer.name]}
    unknown = ("InvalidServiceName", f"The Vpc Endpoint Service '{offer.name}' does not exist")
    assert refused(other.describe_vpc_endpoint_services, **asked) == unknown
    vpc = make_vpc(other)
    wanted = {"VpcId": vpc, "ServiceName": offer.name, "VpcEndpointType": "Interface"}
    assert refused(other.create_vpc_endpoint, **wanted) == unknown
    assert code(ec2.modify_vpc_endpoint_service_permissions, ServiceId=offer.id, AddAllowedPrincipals=["me"]) == (
        "InvalidPrincipal")  # fmt: skip
    [added] = offer.admit(f"arn:aws:iam::{OTHER}:user/somebody")
    assert added["PrincipalType"] == "User"
    assert refused(other.describe_vpc_endpoint_services, **asked) == unknown  # the account's root is somebody else
    [added] = offer.admit(f"arn:aws:iam::{OTHER}:root")
    assert (added["PrincipalType"], added["ServicePermissionId"].startswith("vpce-svc-perm-")) == ("Account", True)
    [detail] = other.describe_vpc_endpoint_services(**asked)["ServiceDetails"]
    assert (detail["Owner"], detail["ServiceType"], detail["VpcEndpointPolicySupported"]) == (
        ACCOUNT, [{"ServiceType": "Interface"}], False)  # fmt: skip
    listed = ec2.describe_vpc_endpoint_service_permissions(
        ServiceId=offer.id, Filters=only(principal_type="Account"))["AllowedPrincipals"]  # fmt: skip
    assert [one["Principal"] for one in listed] == [f"arn:aws:iam::{OTHER}:root"]
    far = make_subnet(other, vpc, AvailabilityZone="eu-west-3c")
    assert refused(other.create_vpc_endpoint, **wanted, SubnetIds=[far]) == (
        "InvalidParameter",
        f"The VPC endpoint service {offer.name} does not support the availability zone of the subnet: {far}.",
    )
    ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=offer.id, RemoveAllowedPrincipals=[f"arn:aws:iam::{OTHER}:root"])  # fmt: skip
    assert refused(other.create_vpc_endpoint, **wanted) == unknown
    offer.admit("*")
    assert other.create_vpc_endpoint(**wanted)["VpcEndpoint"]["State"] == "pendingAcceptance"


def test_an_endpoint_leads_to_the_service_once_it_is_accepted(jar: TestJar, ec2: Any) -> None:
    offer = Offer(jar, ec2)
    offer.admit("*")
    ec2.authorize_security_group_ingress(GroupId=offer.group, IpPermissions=HTTPS)
    asker = Asker(jar, jar.client("ec2", key=OTHER), offer.name)
    assert (asker.state, asker.reaches(), asker.made["PrivateDnsEnabled"]) == ("pendingAcceptance", "dropped", False)
    assert asker.show()["DnsEntries"][0]["DnsName"].endswith(f".{offer.id}.eu-west-3.vpce.amazonaws.com")
    [shown] = ec2.describe_vpc_endpoint_connections()["VpcEndpointConnections"]
    assert (shown["VpcEndpointOwner"], shown["VpcEndpointState"]) == (OTHER, "pendingAcceptance")
    assert shown["VpcEndpointConnectionId"].startswith("vpce-con-")
    assert asker.ec2.describe_vpc_endpoint_connections()["VpcEndpointConnections"] == []
    accept, reject = ec2.accept_vpc_endpoint_connections, ec2.reject_vpc_endpoint_connections
    unknown = f"vpce-{NOWHERE}"
    [error] = accept(ServiceId=offer.id, VpcEndpointIds=[asker.id, unknown])["Unsuccessful"]
    assert (error["ResourceId"], error["Error"]["Code"]) == (unknown, "InvalidVpcEndpointId.NotFound")
    jar.settle()
    assert (asker.state, asker.reaches(), asker.reaches(80)) == ("available", "open", "dropped")
    [error] = accept(ServiceId=offer.id, VpcEndpointIds=[asker.id])["Unsuccessful"]
    assert error["Error"]["Code"] == "InvalidState"
    [kept] = ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[offer.id])["Unsuccessful"]
    assert kept["Error"] == {
        "Code": "ExistingVpcEndpointConnections", "Message": "Service has existing active VPC Endpoint connections!",
    }  # fmt: skip
    assert reject(ServiceId=offer.id, VpcEndpointIds=[asker.id])["Unsuccessful"] == []
    jar.settle()
    assert (asker.state, asker.reaches(), offer.connections()) == ("rejected", "dropped", {asker.id: "rejected"})
    asker.ec2.delete_vpc_endpoints(VpcEndpointIds=[asker.id])
    jar.settle()
    assert offer.connections() == {}
    assert ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[offer.id])["Unsuccessful"] == []


def test_the_load_balancers_groups_decide_about_clients_and_changes_reach_their_vpcs(jar: TestJar, ec2: Any) -> None:
    offer = Offer(jar, ec2, AcceptanceRequired=False)
    asker = Asker(jar, ec2, offer.name)
    assert (asker.state, asker.reaches()) == ("available", "dropped")  # the load balancer's group lets nobody in
    address = asker.eni["PrivateIpAddress"]
    mine = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": f"{address}/32"}]}]
    ec2.authorize_security_group_ingress(GroupId=offer.group, IpPermissions=mine)
    jar.settle()
    assert asker.reaches() == "open"
    ec2.revoke_security_group_ingress(GroupId=offer.group, IpPermissions=mine)
    jar.settle()
    assert asker.reaches() == "dropped"
    offer.elb.set_security_groups(LoadBalancerArn=offer.arn, SecurityGroups=[offer.group],
                                  EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off")  # fmt: skip
    jar.settle()
    assert asker.reaches() == "open"
    [balancer] = offer.elb.describe_load_balancers(LoadBalancerArns=[offer.arn])["LoadBalancers"]
    assert balancer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    assert code(offer.elb.delete_load_balancer, LoadBalancerArn=offer.arn) == "ResourceInUse"
    offer.elb.set_subnets(LoadBalancerArn=offer.arn, Subnets=offer.subnets[1:])
    jar.settle()
    assert asker.reaches() == "dropped"  # there is nobody in its zone any more
    [shown] = ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert shown["AvailabilityZones"] == ["eu-west-3b"]


def test_a_private_name_is_for_who_has_proven_it(jar: TestJar, ec2: Any) -> None:
    offer = Offer(jar, ec2, AcceptanceRequired=False, PrivateDnsName="api.example.com")
    asked = offer.shown["PrivateDnsNameConfiguration"]
    assert (offer.shown["PrivateDnsName"], asked["State"], asked["Type"]) == (
        "api.example.com", "pendingVerification", "TXT")  # fmt: skip
    assert asked["Value"].startswith("vpce:")
    asker = Asker(jar, ec2, offer.name)
    wanted = {"VpcEndpointId": asker.id, "PrivateDnsEnabled": True}
    assert refused(ec2.modify_vpc_endpoint, **wanted) == (
        "InvalidParameter",
        f"Private DNS can't be enabled because the service {offer.name} does not provide a verified private DNS name.",
    )
    ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=offer.id)

    def state() -> str:
        [shown] = ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
        return str(shown["PrivateDnsNameConfiguration"]["State"])

    assert state() == "failed"  # nobody here has public zones
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:vpc-endpoint-service/{offer.id}"
    certificates.prove(jar.jar.world, arn)
    assert state() == "verified"
    ec2.modify_vpc_endpoint(**wanted)
    jar.settle()
    assert asker.show()["DnsEntries"][-1]["DnsName"] == "api.example.com"
    names = dict(jar.network._vpcs[asker.vpc].names)
    assert names["api.example.com"]
    second = {**asker.asked, "SubnetIds": [], "PrivateDnsEnabled": True}
    assert code(ec2.create_vpc_endpoint, **second) == "InvalidParameter"  # the name is taken
    assert code(ec2.create_vpc_endpoint, **{**second, "PrivateDnsEnabled": False, "PolicyDocument": EVERYTHING}) == (
        "InvalidParameter")  # fmt: skip
    ec2.modify_vpc_endpoint_service_configuration(ServiceId=offer.id, RemovePrivateDnsName=True)
    with pytest.raises(ValueError, match="no endpoint service"):
        certificates.prove(jar.jar.world, arn)
    assert code(ec2.start_vpc_endpoint_service_private_dns_verification, ServiceId=offer.id) == "InvalidParameter"
    assert code(ec2.modify_vpc_endpoint_service_configuration, ServiceId=offer.id, PrivateDnsName="a b") == (
        "InvalidParameter")  # fmt: skip


def test_topics_can_be_told_of_connections(jar: TestJar, ec2: Any) -> None:
    offer = Offer(jar, ec2)
    create = ec2.create_vpc_endpoint_connection_notification
    asked = {"ServiceId": offer.id, "ConnectionEvents": ["Accept", "Connect"]}
    topic = f"arn:aws:sns:eu-west-3:{ACCOUNT}:news"
    made = create(**asked, ConnectionNotificationArn=topic)["ConnectionNotification"]
    assert (made["ConnectionNotificationType"], made["ConnectionNotificationState"]) == ("Topic", "Enabled")
    assert code(create, **asked, ConnectionNotificationArn=topic) == "InvalidParameter"
    assert code(create, **asked, ConnectionNotificationArn="arn:aws:sqs:eu-west-3:1:x") == "InvalidParameter"
    assert code(create, ServiceId=offer.id, ConnectionEvents=["Dance"], ConnectionNotificationArn=topic + "2") == (
        "InvalidParameter")  # fmt: skip
    assert code(create, ConnectionEvents=["Accept"], ConnectionNotificationArn=topic) == "InvalidParameterCombination"
    key = made["ConnectionNotificationId"]
    ec2.modify_vpc_endpoint_connection_notification(ConnectionNotificationId=key, ConnectionEvents=["Reject"])
    [shown] = ec2.describe_vpc_endpoint_connection_notifications(Filters=only(service_id=offer.id))[
        "ConnectionNotificationSet"]  # fmt: skip
    assert (shown["ConnectionEvents"], shown["ConnectionNotificationArn"]) == (["Reject"], topic)
    gone = ec2.delete_vpc_endpoint_connection_notifications(ConnectionNotificationIds=[key, f"vpce-nfn-{NOWHERE}"])
    assert [one["ResourceId"] for one in gone["Unsuccessful"]] == [f"vpce-nfn-{NOWHERE}"]
    assert code(ec2.describe_vpc_endpoint_connection_notifications, ConnectionNotificationId=key) == (
        "InvalidConnectionNotificationId.NotFound")  # fmt: skip


def test_a_topic_hears_what_becomes_of_a_connection(jar: TestJar, ec2: Any) -> None:
    offer = Offer(jar, ec2)
    offer.admit("*")
    sns, sqs = jar.client("sns"), jar.client("sqs")
    topic = sns.create_topic(Name="news")["TopicArn"]
    queue = sqs.create_queue(QueueName="news")["QueueUrl"]
    arn = f"arn:aws:sqs:eu-west-3:{ACCOUNT}:news"
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn}]}  # fmt: skip
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    ec2.create_vpc_endpoint_connection_notification(
        ServiceId=offer.id, ConnectionNotificationArn=topic, ConnectionEvents=["Connect", "Accept"])  # fmt: skip
    asker = Asker(jar, jar.client("ec2", key=OTHER), offer.name)
    ec2.accept_vpc_endpoint_connections(ServiceId=offer.id, VpcEndpointIds=[asker.id])
    ec2.reject_vpc_endpoint_connections(ServiceId=offer.id, VpcEndpointIds=[asker.id])  # nobody wants to know
    jar.settle()
    told = [json.loads(m["Body"]) for m in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]]
    assert sorted((one["event"], one["vpc_endpoint_id"], one["vpc_endpoint_owner"]) for one in told) == [
        ("Accept", asker.id, OTHER), ("Connect", asker.id, OTHER)]  # fmt: skip


def test_policies_know_whose_service_it_is(jar: TestJar, ec2: Any) -> None:
    offer = Offer(jar, ec2)
    vpc = make_vpc(ec2)
    asked = {"VpcId": vpc, "ServiceName": offer.name, "VpcEndpointType": "Interface"}
    for owner, may in ((OTHER, False), (ACCOUNT, True)):
        condition = {"StringEqualsIfExists": {"ec2:VpceServiceOwner": owner}}
        ann = user(jar, f"ann-{owner}", allow("ec2:CreateVpcEndpoint", Condition=condition)).client("ec2")
        if may:
            assert ann.create_vpc_endpoint(**asked)["VpcEndpoint"]["ServiceName"] == offer.name
        else:
            assert code(ann.create_vpc_endpoint, **asked) == "UnauthorizedOperation"
    named = {"StringLike": {"ec2:VpceServicePrivateDnsName": "*.example.com"}}
    ben = user(jar, "ben", allow("ec2:ModifyVpcEndpointServiceConfiguration", Condition=named)).client("ec2")
    modify = ben.modify_vpc_endpoint_service_configuration
    assert code(modify, ServiceId=offer.id, PrivateDnsName="api.example.org") == "UnauthorizedOperation"
    modify(ServiceId=offer.id, PrivateDnsName="api.example.com")
