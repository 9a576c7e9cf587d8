"""What an instance is called inside its VPC, and whether the resolver knows that name.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-naming.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.vpcs.records import Vpc


@op("ModifyPrivateDnsNameOptions")
def modify_private_dns_name_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A stopped instance gets the other kind of host name at its next start; the record of its name changes at once."""
    vm = need(ctx, Instance, req["InstanceId"])
    kind = req.get("PrivateDnsHostnameType") or vm.hostname_type
    if kind != vm.hostname_type and vm.state != "stopped":
        raise AwsError("IncorrectInstanceState", f"The instance '{vm.id}' is not in the 'stopped' state.")
    record, record6 = req.get("EnableResourceNameDnsARecord"), req.get("EnableResourceNameDnsAAAARecord")
    ctx.db[Instance].put(
        replace(
            vm,
            hostname_type=kind,
            name_record=vm.name_record if record is None else record,
            name_record6=vm.name_record6 if record6 is None else record6,
        )
    )
    if vm.vpc_id:
        ctx.wake(ctx.db[Vpc].need(vm.vpc_id))
    return {"Return": True}
