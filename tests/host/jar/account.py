"""What tests ask of EC2 again and again, in few words."""

from __future__ import annotations

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from tests.host.jar.served import REGION, RealJar, until

WORLD = "0.0.0.0/0"


class Machine(NamedTuple):
    """A running instance."""

    id: str
    private: str
    public: str
    """Empty without a public address."""
    eni: str


class Account:
    """EC2 of one account (by default the first)."""

    def __init__(self, jar: RealJar, key: str = "test", secret: str = "test") -> None:
        self.jar = jar
        self.ec2 = jar.client("ec2", key, secret)
        self._image = ""

    @property
    def image(self) -> str:
        """The Debian image's id."""
        if not self._image:
            arch = [{"Name": "architecture", "Values": ["x86_64"]}, {"Name": "name", "Values": ["debian-12-*"]}]
            self._image = self.ec2.describe_images(Owners=["136693071363"], Filters=arch)["Images"][0]["ImageId"]
        return self._image

    def vpc(self, cidr: str = "10.0.0.0/16") -> str:
        """A VPC with nothing in it."""
        return str(self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])

    def subnet(self, vpc: str, cidr: str = "10.0.1.0/24", *, public: bool = False) -> str:
        """A subnet of the first zone; a public one lends addresses."""
        asked = {"VpcId": vpc, "CidrBlock": cidr, "AvailabilityZone": f"{REGION}a"}
        made = str(self.ec2.create_subnet(**asked)["Subnet"]["SubnetId"])
        if public:
            self.ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
        return made

    def gateway(self, vpc: str) -> str:
        """An internet gateway on a VPC, and the way to it in the main route table."""
        igw = str(self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
        self.ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
        self.ec2.create_route(RouteTableId=self.main_table(vpc), DestinationCidrBlock=WORLD, GatewayId=igw)
        return igw

    def main_table(self, vpc: str) -> str:
        wanted = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
        return str(self.ec2.describe_route_tables(Filters=wanted)["RouteTables"][0]["RouteTableId"])

    def group(self, vpc: str, name: str, *ports: int, peer: str = "") -> str:
        """A security group that lets in these TCP ports, from everywhere or from a group."""
        made = str(self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])
        if ports:
            self.authorize(made, *ports, peer=peer)
        return made

    def authorize(self, group: str, *ports: int, peer: str = "") -> None:
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=_permissions(ports, peer))

    def revoke(self, group: str, *ports: int, peer: str = "") -> None:
        self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=_permissions(ports, peer))

    def launch(self, subnet: str, *groups: str, count: int = 1, **more: Any) -> list[str]:
        """Ids of new instances; they are still pending."""
        asked: dict[str, Any] = {"ImageId": self.image, "InstanceType": "t3.micro", "MinCount": count}
        asked |= {"MaxCount": count, "SubnetId": subnet}
        if groups:
            asked["SecurityGroupIds"] = list(groups)
        return [vm["InstanceId"] for vm in self.ec2.run_instances(**{**asked, **more})["Instances"]]

    def show(self, machine: str) -> dict[str, Any]:
        """The instance as DescribeInstances shows it."""
        found: dict[str, Any] = self.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]
        return found

    def state(self, machine: str) -> str:
        return str(self.show(machine)["State"]["Name"])

    def reach(self, machine: str, state: str, seconds: float = 90) -> Machine:
        """Wait for a state."""
        until(lambda: self.state(machine) == state, f"{machine} to be {state}", seconds, 0.05)
        vm = self.show(machine)
        eni = vm["NetworkInterfaces"][0]["NetworkInterfaceId"] if vm["NetworkInterfaces"] else ""
        return Machine(machine, vm.get("PrivateIpAddress", ""), vm.get("PublicIpAddress", ""), eni)

    def run(self, subnet: str, *groups: str, **more: Any) -> Machine:
        """One instance that runs (its services may still be starting)."""
        (machine,) = self.launch(subnet, *groups, **more)
        return self.reach(machine, "running")


def _permissions(ports: tuple[int, ...], peer: str) -> list[dict[str, Any]]:
    source: dict[str, Any] = (
        {"UserIdGroupPairs": [{"GroupId": peer}]}
        if peer.startswith("sg-")
        else {"IpRanges": [{"CidrIp": peer or WORLD}]}
    )
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source} for port in ports]


def refused(error: ClientError) -> str:
    """The code of a refusal."""
    return str(error.response["Error"]["Code"])
