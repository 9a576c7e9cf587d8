"""A VPC with room for databases, and how tests speak of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import TestJar

PASSWORD = "correct-horse-9"


@contextmanager
def refused(code: str, said: str = "") -> Iterator[None]:
    """The block must be refused so."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert (error["Code"], said) == (code, said if said in error["Message"] else error["Message"])


class Site:
    """Two private subnets in two zones, and a subnet group of them."""

    def __init__(self, jar: TestJar) -> None:
        self.jar = jar
        self.ec2, self.rds = jar.client("ec2"), jar.client("rds")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [self._subnet(n, zone) for n, zone in enumerate("ab")]
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="Private", DBSubnetGroupDescription="two zones", SubnetIds=self.subnets
        )

    def _subnet(self, number: int, zone: str) -> str:
        made = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"eu-west-3{zone}"
        )
        return str(made["Subnet"]["SubnetId"])

    def ask(self, name: str = "shop", **more: Any) -> dict[str, Any]:
        """What `create` asks for; a member that is None is left out."""
        asked = {
            "DBInstanceIdentifier": name,
            "DBInstanceClass": "db.t3.micro",
            "Engine": "postgres",
            "MasterUsername": "boss",
            "MasterUserPassword": PASSWORD,
            "AllocatedStorage": 20,
            "DBSubnetGroupName": "private",
            **more,
        }
        return {member: value for member, value in asked.items() if value is not None}

    def create(self, name: str = "shop", **more: Any) -> dict[str, Any]:
        """A new instance as it is answered."""
        made: dict[str, Any] = self.rds.create_db_instance(**self.ask(name, **more))["DBInstance"]
        return made

    def available(self, name: str = "shop", **more: Any) -> dict[str, Any]:
        """A new instance that is available."""
        self.create(name, **more)
        self.jar.settle()
        return self.show(name)

    def show(self, name: str = "shop") -> dict[str, Any]:
        """An instance as it is now."""
        found: dict[str, Any] = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found

    def machine(self) -> str:
        """The only database machine of the host."""
        (found,) = (name for name in self.jar.host.machines() if name.startswith("db-"))
        return found

    def engine(self) -> Any:
        """What the only machine's engine was last told; only in a life that remembers."""
        return self.jar.jar.world.ports["databases"].engines[self.machine()]

    def said(self, kind: str = "db-instance") -> list[str]:
        """What events of a kind say."""
        found = self.rds.describe_events(SourceType=kind, Duration=20160)["Events"]
        return [event["Message"] for event in found]
