"""The main job, told by somebody whose calls may go unanswered: user, network, machine, packets, rest, end.

After a step its promise is kept in `promises`, and must hold after any crash until a later step changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.crash.client import Client
from tests.crash.server import until

Promise = Callable[[], None]


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


class Story:
    """One telling, under names of its own."""

    def __init__(self, client: Client, root: tuple[str, str], name: str) -> None:
        self.client = client
        self.root = root
        self.name = name
        self.promises: dict[str, Promise] = {}
        self.ids: dict[str, str] = {}
        self.addresses: set[str] = set()
        self.again = False
        """An earlier attempt at this step went unanswered: it may or may not have happened."""

    # -- words
    def _call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        return self.client.call(service, operation, **params)

    def _ec2(self, operation: str, **params: Any) -> dict[str, Any]:
        return self._call("ec2", operation, **params)

    def _try(self, allowed: str, service: str, operation: str, **params: Any) -> dict[str, Any] | None:
        """A call that may find its work done already."""
        try:
            return self._call(service, operation, **params)
        except ClientError as refused:
            if code_of(refused) != allowed:
                raise
            return None

    def _gone(self, code: str, service: str, operation: str, **params: Any) -> Promise:
        def check() -> None:
            found = self._try(code, service, operation, **params)
            assert found is None, f"{operation}({params}) finds what was deleted"

        return check

    def _tags(self, kind: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": self.name}]}]

    def _tagged(self, operation: str, result: str, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ec2(
            operation, Filters=[{"Name": "tag:Name", "Values": [self.name]}], **more
        )[result]
        return found

    def _once(self, find: tuple[str, str], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Make a thing that carries our name, unless an unanswered attempt has made it."""
        found = self._tagged(*find) if self.again else []
        assert len(found) <= 1, f"made twice: {found}"
        return found[0] if found else make()

    def _stays(self, key: str, operation: str, result: str, ids: str, **facts: Any) -> None:
        """Promise that a described thing stays as it is in some of its members."""
        wanted = self.ids[key]

        def check() -> None:
            found = self._ec2(operation, **{ids: [wanted]})[result]
            assert len(found) == 1
            assert {name: found[0].get(name) for name in facts} == facts

        self.promises[key] = check

    # -- steps: who
    def make_user(self) -> None:
        self.client.be(*self.root)
        if self.again:
            self._try("EntityAlreadyExists", "iam", "create_user", UserName=self.name)
        else:
            self._call("iam", "create_user", UserName=self.name)

        def check() -> None:
            assert self._call("iam", "get_user", UserName=self.name)["User"]["UserName"] == self.name

        self.promises["user"] = check

    def allow_user(self) -> None:
        arn = "arn:aws:iam::aws:policy/AdministratorAccess"
        self._call("iam", "attach_user_policy", UserName=self.name, PolicyArn=arn)

        def check() -> None:
            found = self._call("iam", "list_attached_user_policies", UserName=self.name)["AttachedPolicies"]
            assert [policy["PolicyArn"] for policy in found] == [arn]

        self.promises["policy"] = check

    def make_access_key(self) -> None:
        if self.again:  # a secret that never arrived is of no use
            for stray in self._call("iam", "list_access_keys", UserName=self.name)["AccessKeyMetadata"]:
                self._call("iam", "delete_access_key", UserName=self.name, AccessKeyId=stray["AccessKeyId"])
        key = self._call("iam", "create_access_key", UserName=self.name)["AccessKey"]
        self.ids["key"] = key["AccessKeyId"]
        self.client.be(key["AccessKeyId"], key["SecretAccessKey"])

        def check() -> None:
            assert self._call("sts", "get_caller_identity")["Arn"].endswith(f":user/{self.name}")

        self.promises["access key"] = check

    # -- steps: where
    def make_vpc(self) -> None:
        vpc = self._once(
            ("describe_vpcs", "Vpcs"),
            lambda: self._ec2("create_vpc", CidrBlock="10.0.0.0/16", TagSpecifications=self._tags("vpc"))["Vpc"],
        )
        self.ids["vpc"] = vpc["VpcId"]
        self._stays("vpc", "describe_vpcs", "Vpcs", "VpcIds", CidrBlock="10.0.0.0/16")

    def name_hosts(self) -> None:
        vpc = self.ids["vpc"]
        self._ec2("modify_vpc_attribute", VpcId=vpc, EnableDnsHostnames={"Value": True})

        def check() -> None:
            found = self._ec2("describe_vpc_attribute", VpcId=vpc, Attribute="enableDnsHostnames")
            assert found["EnableDnsHostnames"]["Value"] is True

        self.promises["dns hostnames"] = check

    def make_subnet(self) -> None:
        def make() -> dict[str, Any]:
            asked = {"VpcId": self.ids["vpc"], "CidrBlock": "10.0.1.0/24"}
            made: dict[str, Any] = self._ec2("create_subnet", **asked, TagSpecifications=self._tags("subnet"))["Subnet"]
            return made

        self.ids["subnet"] = self._once(("describe_subnets", "Subnets"), make)["SubnetId"]
        self._stays("subnet", "describe_subnets", "Subnets", "SubnetIds", CidrBlock="10.0.1.0/24")

    def lend_addresses(self) -> None:
        subnet = self.ids["subnet"]
        self._ec2("modify_subnet_attribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        self._stays("subnet", "describe_subnets", "Subnets", "SubnetIds", MapPublicIpOnLaunch=True)

    def make_gateway(self) -> None:
        def make() -> dict[str, Any]:
            tags = self._tags("internet-gateway")
            made: dict[str, Any] = self._ec2("create_internet_gateway", TagSpecifications=tags)["InternetGateway"]
            return made

        found = self._once(("describe_internet_gateways", "InternetGateways"), make)
        self.ids["igw"] = found["InternetGatewayId"]
        self._stays("igw", "describe_internet_gateways", "InternetGateways", "InternetGatewayIds")

    def attach_gateway(self) -> None:
        asked = {"InternetGatewayId": self.ids["igw"], "VpcId": self.ids["vpc"]}
        if self.again:
            self._try("Resource.AlreadyAssociated", "ec2", "attach_internet_gateway", **asked)
        else:
            self._ec2("attach_internet_gateway", **asked)
        attached = [{"State": "available", "VpcId": self.ids["vpc"]}]
        many = ("describe_internet_gateways", "InternetGateways", "InternetGatewayIds")
        self._stays("igw", *many, Attachments=attached)

    def make_route_table(self) -> None:
        def make() -> dict[str, Any]:
            tags = self._tags("route-table")
            made: dict[str, Any] = self._ec2("create_route_table", VpcId=self.ids["vpc"], TagSpecifications=tags)
            return dict(made["RouteTable"])

        found = self._once(("describe_route_tables", "RouteTables"), make)
        self.ids["routes"] = found["RouteTableId"]
        self._stays("routes", "describe_route_tables", "RouteTables", "RouteTableIds", VpcId=self.ids["vpc"])

    def make_route(self) -> None:
        table, gateway = self.ids["routes"], self.ids["igw"]
        asked = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
        if self.again:
            self._try("RouteAlreadyExists", "ec2", "create_route", **asked)
        else:
            self._ec2("create_route", **asked)

        def check() -> None:
            (found,) = self._ec2("describe_route_tables", RouteTableIds=[table])["RouteTables"]
            ways = {route["DestinationCidrBlock"]: route["GatewayId"] for route in found["Routes"]}
            assert ways == {"10.0.0.0/16": "local", "0.0.0.0/0": gateway}

        self.promises["routes"] = check

    def associate_routes(self) -> None:
        table, subnet = self.ids["routes"], self.ids["subnet"]
        known = self._association(table) if self.again else ""
        self.ids["association"] = known or str(
            self._ec2("associate_route_table", RouteTableId=table, SubnetId=subnet)["AssociationId"]
        )

        def check() -> None:
            assert self._association(table) == self.ids["association"]

        self.promises["association"] = check

    def _association(self, table: str) -> str:
        (found,) = self._ec2("describe_route_tables", RouteTableIds=[table])["RouteTables"]
        assert len(found["Associations"]) <= 1
        return str(found["Associations"][0]["RouteTableAssociationId"]) if found["Associations"] else ""

    # -- steps: what is let in
    def make_group(self) -> None:
        def make() -> dict[str, Any]:
            return self._ec2(
                "create_security_group",
                GroupName=self.name,
                Description="story",
                VpcId=self.ids["vpc"],
                TagSpecifications=self._tags("security-group"),
            )

        found = self._once(("describe_security_groups", "SecurityGroups"), make)
        self.ids["group"] = found["GroupId"]
        self._stays("group", "describe_security_groups", "SecurityGroups", "GroupIds", GroupName=self.name)

    def _permission(self, *ports: int) -> list[dict[str, Any]]:
        world = [{"CidrIp": "0.0.0.0/0"}]
        return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": world} for port in ports]

    def _promise_ports(self, *ports: int) -> None:
        group = self.ids["group"]

        def check() -> None:
            (found,) = self._ec2("describe_security_groups", GroupIds=[group])["SecurityGroups"]
            assert sorted(rule["FromPort"] for rule in found["IpPermissions"]) == sorted(ports)

        self.promises["ports"] = check

    def open_ports(self) -> None:
        asked = {"GroupId": self.ids["group"], "IpPermissions": self._permission(22, 80, 8000)}
        if self.again:
            self._try("InvalidPermission.Duplicate", "ec2", "authorize_security_group_ingress", **asked)
        else:
            self._ec2("authorize_security_group_ingress", **asked)
        self._promise_ports(22, 80, 8000)

    def open_one_more(self) -> None:
        asked = {"GroupId": self.ids["group"], "IpPermissions": self._permission(9000)}
        if self.again:
            self._try("InvalidPermission.Duplicate", "ec2", "authorize_security_group_ingress", **asked)
        else:
            self._ec2("authorize_security_group_ingress", **asked)
        self._promise_ports(22, 80, 8000, 9000)

    def close_it_again(self) -> None:
        asked = {"GroupId": self.ids["group"], "IpPermissions": self._permission(9000)}
        if self.again:
            self._try("InvalidPermission.NotFound", "ec2", "revoke_security_group_ingress", **asked)
        else:
            self._ec2("revoke_security_group_ingress", **asked)
        self._promise_ports(22, 80, 8000)

    def make_key_pair(self) -> None:
        if self.again:  # a private key that never arrived is of no use
            self._ec2("delete_key_pair", KeyName=self.name)
        made = self._ec2("create_key_pair", KeyName=self.name, KeyType="ed25519")
        assert made["KeyMaterial"].startswith("-----BEGIN")
        fingerprint = made["KeyFingerprint"]

        def check() -> None:
            (found,) = self._ec2("describe_key_pairs", KeyNames=[self.name])["KeyPairs"]
            assert found["KeyFingerprint"] == fingerprint

        self.promises["key pair"] = check

    # -- steps: the machine
    def run(self) -> None:
        (image,) = self._ec2(
            "describe_images",
            Owners=["136693071363"],
            Filters=[
                {"Name": "name", "Values": ["debian-12-amd64-*"]},
                {"Name": "architecture", "Values": ["x86_64"]},
            ],
        )["Images"]
        answer = self._ec2(
            "run_instances",
            ImageId=image["ImageId"],
            InstanceType="t3.micro",
            MinCount=2,
            MaxCount=2,
            KeyName=self.name,
            SubnetId=self.ids["subnet"],
            SecurityGroupIds=[self.ids["group"]],
            ClientToken=f"run-{self.name}",
            TagSpecifications=self._tags("instance"),
        )
        first, second = (vm["InstanceId"] for vm in answer["Instances"])
        self.ids["first"], self.ids["second"] = first, second
        assert len(self._instances()) == 2, "a retried launch launched again"
        self._promise_state("first", "pending", "running")
        self._promise_state("second", "pending", "running")

    def _instances(self) -> list[dict[str, Any]]:
        found = self._tagged("describe_instances", "Reservations")
        return [vm for reservation in found for vm in reservation["Instances"]]

    def _show(self, which: str) -> dict[str, Any]:
        found = self._ec2("describe_instances", InstanceIds=[self.ids[which]])["Reservations"]
        vm: dict[str, Any] = found[0]["Instances"][0]
        return vm

    def _promise_state(self, which: str, *states: str) -> None:
        def check() -> None:
            assert self._show(which)["State"]["Name"] in states

        self.promises[which] = check

    def _reach(self, which: str, state: str) -> dict[str, Any]:
        shown: list[dict[str, Any]] = []

        def there() -> bool:
            shown[:] = [self._show(which)]
            return bool(shown[0]["State"]["Name"] == state)

        until(there, f"{which} to be {state}")
        return shown[0]

    def see_them_run(self) -> None:
        for which in ("first", "second"):
            vm = self._reach(which, "running")
            assert vm["PublicIpAddress"].startswith(("198.18.", "198.19."))
            self.addresses.add(vm["PublicIpAddress"])
            self._promise_state(which, "running")

    def stop(self) -> None:
        self._ec2("stop_instances", InstanceIds=[self.ids["first"]])
        self._promise_state("first", "stopping", "stopped")

    def see_it_rest(self) -> None:
        vm = self._reach("first", "stopped")
        assert "PublicIpAddress" not in vm
        self._promise_state("first", "stopped")

    def start(self) -> None:
        self._ec2("start_instances", InstanceIds=[self.ids["first"]])
        self._promise_state("first", "pending", "running")

    def see_it_back(self) -> None:
        vm = self._reach("first", "running")
        assert vm["PublicIpAddress"] not in self.addresses, "a start lends another address"
        self._promise_state("first", "running")

    def reboot(self) -> None:
        self._ec2("reboot_instances", InstanceIds=[self.ids["second"]])

    # -- steps: the end
    def terminate(self) -> None:
        self._ec2("terminate_instances", InstanceIds=[self.ids["first"], self.ids["second"]])
        self._promise_state("first", "shutting-down", "terminated")
        self._promise_state("second", "shutting-down", "terminated")

    def see_them_gone(self) -> None:
        self._reach("first", "terminated")
        self._reach("second", "terminated")
        self._promise_state("first", "terminated")
        self._promise_state("second", "terminated")

    def drop_key_pair(self) -> None:
        self._ec2("delete_key_pair", KeyName=self.name)
        code = "InvalidKeyPair.NotFound"
        self.promises["key pair"] = self._gone(code, "ec2", "describe_key_pairs", KeyNames=[self.name])

    def drop_group(self) -> None:
        self.promises.pop("ports", None)
        self._drop("group", "delete_security_group", "GroupId", "InvalidGroup.NotFound")
        self._promise_gone("group", "describe_security_groups", "GroupIds", "InvalidGroup.NotFound")

    def drop_association(self) -> None:
        self._drop("association", "disassociate_route_table", "AssociationId", "InvalidAssociationID.NotFound")
        self.promises.pop("association", None)

    def drop_routes(self) -> None:
        self._drop("routes", "delete_route_table", "RouteTableId", "InvalidRouteTableID.NotFound")
        self._promise_gone("routes", "describe_route_tables", "RouteTableIds", "InvalidRouteTableID.NotFound")

    def detach_gateway(self) -> None:
        asked = {"InternetGatewayId": self.ids["igw"], "VpcId": self.ids["vpc"]}
        if self.again:
            self._try("Gateway.NotAttached", "ec2", "detach_internet_gateway", **asked)
        else:
            self._ec2("detach_internet_gateway", **asked)
        many = ("describe_internet_gateways", "InternetGateways", "InternetGatewayIds")
        self._stays("igw", *many, Attachments=[])

    def drop_gateway(self) -> None:
        code = "InvalidInternetGatewayID.NotFound"
        self._drop("igw", "delete_internet_gateway", "InternetGatewayId", code)
        self._promise_gone("igw", "describe_internet_gateways", "InternetGatewayIds", code)

    def drop_subnet(self) -> None:
        self._drop("subnet", "delete_subnet", "SubnetId", "InvalidSubnetID.NotFound")
        self._promise_gone("subnet", "describe_subnets", "SubnetIds", "InvalidSubnetID.NotFound")

    def drop_vpc(self) -> None:
        self.promises.pop("dns hostnames", None)
        self._drop("vpc", "delete_vpc", "VpcId", "InvalidVpcID.NotFound")
        self._promise_gone("vpc", "describe_vpcs", "VpcIds", "InvalidVpcID.NotFound")

    def drop_user(self) -> None:
        """Several calls: each may have happened."""
        self.client.be(*self.root)
        for name in ("user", "policy", "access key"):
            self.promises.pop(name, None)
        missing, arn = "NoSuchEntity", "arn:aws:iam::aws:policy/AdministratorAccess"
        self._try(missing, "iam", "delete_access_key", UserName=self.name, AccessKeyId=self.ids["key"])
        self._try(missing, "iam", "detach_user_policy", UserName=self.name, PolicyArn=arn)
        self._try(missing, "iam", "delete_user", UserName=self.name)
        self.promises["user"] = self._gone(missing, "iam", "get_user", UserName=self.name)

    def _drop(self, key: str, operation: str, member: str, missing: str) -> None:
        if self.again:
            self._try(missing, "ec2", operation, **{member: self.ids[key]})
        else:
            self._ec2(operation, **{member: self.ids[key]})

    def _promise_gone(self, key: str, operation: str, member: str, code: str) -> None:
        self.promises[key] = self._gone(code, "ec2", operation, **{member: [self.ids[key]]})

    STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("make_user", ()),
        ("allow_user", ()),
        ("make_access_key", ()),
        ("make_vpc", ()),
        ("name_hosts", ()),
        ("make_subnet", ()),
        ("lend_addresses", ()),
        ("make_gateway", ()),
        ("attach_gateway", ("igw",)),
        ("make_route_table", ()),
        ("make_route", ("routes",)),
        ("associate_routes", ()),
        ("make_group", ()),
        ("open_ports", ("ports",)),
        ("make_key_pair", ()),
        ("run", ()),
        ("see_them_run", ()),
        ("open_one_more", ("ports",)),
        ("close_it_again", ("ports",)),
        ("stop", ("first",)),
        ("see_it_rest", ()),
        ("start", ("first",)),
        ("see_it_back", ()),
        ("reboot", ()),
        ("terminate", ("first", "second")),
        ("see_them_gone", ()),
        ("drop_key_pair", ("key pair",)),
        ("drop_group", ("group", "ports")),
        ("drop_association", ("association",)),
        ("drop_routes", ("routes",)),
        ("detach_gateway", ("igw", "routes")),
        ("drop_gateway", ("igw",)),
        ("drop_subnet", ("subnet",)),
        ("drop_vpc", ("vpc", "dns hostnames")),
        ("drop_user", ("user", "policy", "access key")),
    )
    """In order: the step, and the promises that it may end as soon as it is begun."""
