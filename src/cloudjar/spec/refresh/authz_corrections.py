"""What the sources have wrong or cannot say, put right by hand: IAM, STS, EC2, Systems Manager, the rest.

Each function changes the table of one service in place. Wherever a request names a thing by something
that is not in its ARN (a user's name where the ARN holds a path, a group's name, a public address), the
template asks for the stored record (`by`).
"""

from __future__ import annotations

import re
from typing import Any

from cloudjar.spec.refresh import authz_corrections_data as data
from cloudjar.spec.refresh import authz_corrections_databases as databases
from cloudjar.spec.refresh import authz_corrections_links as links
from cloudjar.spec.refresh import authz_corrections_market as market
from cloudjar.spec.refresh import authz_corrections_money as money
from cloudjar.spec.refresh import authz_corrections_network as network
from cloudjar.spec.refresh import authz_corrections_scaling as scaling
from cloudjar.spec.refresh import authz_corrections_tags as besides
from cloudjar.spec.refresh.authz_templates import Shapes

Ops = dict[str, list[dict[str, Any]]]
Template = str | list[Any]

REGIONAL = "arn:${Partition}:ec2:${Region}:${Account}:"
PUBLIC = "arn:${Partition}:ec2:${Region}::"
IAM = "arn:${Partition}:iam::${Account}:"
SSM = "arn:${Partition}:ssm:${Region}:${Account}:"
REQUIRED, GUESS = 1, 2


def correct(service: Any, ops: Ops) -> Ops:
    """The table of a service (a `refresh.authz.Service`) with its corrections made."""
    fixes = {
        "iam": iam,
        "sts": sts,
        "ec2": ec2,
        "ssm": ssm,
        "organizations": organizations,
        "account": account,
        "apigateway": api_gateway,
        "apigatewayv2": api_gateway,
        "application-autoscaling": scaling.applications,
        "autoscaling": scaling.groups,
    }
    if service.name in fixes:
        fixes[service.name](service, ops)
    if service.name == "ec2":
        market.correct(service, ops, pass_profile=pass_profile)
        network.correct(ops)
        links.correct(ops)
    data.correct(service, ops)
    besides.correct(service, ops)
    money.correct(service, ops)
    databases.correct(service, ops)
    return ops


def put(ops: Ops, operation: str, kind: str, template: Template | None, flags: int = REQUIRED) -> None:
    """Replace, add or (with None) remove a resource of an operation's first entry."""
    resources = [r for r in ops[operation][0]["r"] if r[0] != kind]
    if template is not None:
        resources.append([kind, template, flags])
    ops[operation][0]["r"] = resources


def by(kind: str, path: str, text: str) -> list[Any]:
    """The record of a kind that has the request's value at the path."""
    return ["by", kind, path, text]


# -- IAM and STS -------------------------------------------------------------------------------------

NAMED = {"user": "UserName", "role": "RoleName", "group": "GroupName",
         "instance-profile": "InstanceProfileName", "server-certificate": "ServerCertificateName"}  # fmt: skip
CALLER = by("iam:caller", "", IAM + "user/*")


def named(kind: str, path: str = "") -> list[Any]:
    """An IAM thing by its name: its ARN may hold a path that the request does not tell."""
    return by(f"iam:{kind}", path or NAMED[kind], IAM + kind + "/${value}")


def iam(service: Any, ops: Ops) -> None:
    """Names become look-ups, a missing user name means the caller, a made thing has its path in its ARN."""
    shapes: Shapes = service.shapes
    for operation, entries in ops.items():
        for entry in entries:
            for resource in entry["r"]:
                kind = resource[0]
                if kind not in NAMED or NAMED[kind] not in shapes.members(operation):
                    continue
                if operation.startswith(("Create", "Upload")) and "Path" in shapes.members(operation):
                    continue
                resource[1] = named(kind)
                if kind == "user" and "UserName" not in shapes.required(operation):
                    resource[1] = ["first", resource[1], CALLER]
    for kind, member, operation in (
        ("user", "UserName", "CreateUser"),
        ("role", "RoleName", "CreateRole"),
        ("group", "GroupName", "CreateGroup"),
        ("policy", "PolicyName", "CreatePolicy"),
        ("instance-profile", "InstanceProfileName", "CreateInstanceProfile"),
        ("server-certificate", "ServerCertificateName", "UploadServerCertificate"),
        ("mfa", "VirtualMFADeviceName", "CreateVirtualMFADevice"),
    ):
        put(ops, operation, kind, IAM + kind + "/${Path|path|or:}${" + member + "}")
    ops["AddRoleToInstanceProfile"] = [
        {"a": "iam:AddRoleToInstanceProfile", "r": [["instance-profile", named("instance-profile"), REQUIRED]]},
        {"a": "iam:PassRole", "r": [["role", named("role"), REQUIRED]]},
    ]
    ops["ChangePassword"] = [{"a": "iam:ChangePassword", "r": [["user", CALLER, REQUIRED]]}]
    renamed(ops)
    put(ops, "GetAccessKeyLastUsed", "user", by("iam:access-key-owner", "AccessKeyId", IAM + "user/*"))
    put(ops, "CreateServiceLinkedRole", "role",
        by("iam:service-linked-role", "AWSServiceName", IAM + "role/aws-service-role/${value}/*"))  # fmt: skip
    put(ops, "GetServiceLinkedRoleDeletionStatus", "role",
        by("iam:deletion-task-role", "DeletionTaskId", IAM + "role/*"))  # fmt: skip
    put(ops, "CreateOpenIDConnectProvider", "oidc-provider", IAM + "oidc-provider/${Url|bare:https://}")
    mfa_format, sms_format = IAM + "mfa/${Name}", IAM + "sms-mfa/${Name}"
    for operation in ("DeleteVirtualMFADevice", "ListMFADeviceTags", "TagMFADevice", "UntagMFADevice"):
        put(ops, operation, "mfa", ["arn", "SerialNumber", mfa_format])
    put(ops, "DeleteVirtualMFADevice", "sms-mfa", ["arn", "SerialNumber", sms_format], 0)
    ops["AcquireRole"] = [{"a": "iam:AcquireRole", "r": [], "assumed": 1}]
    for entries in ops.values():
        for entry in entries:
            entry["r"] = [r for r in entry["r"] if r[0] != "access-report" or "EntityPath" in str(r[1])]


def renamed(ops: Ops) -> None:
    """A rename or a move needs the permission on the old name and on the new one."""
    kinds = {"UpdateUser": "user", "UpdateGroup": "group", "UpdateServerCertificate": "server-certificate"}
    for operation, kind in kinds.items():
        new = f"New{NAMED[kind]}"
        moved = ["if", new, IAM + kind + "/${NewPath|path|or:}${" + new + "}"]
        put(ops, operation, kind, ["all", named(kind), moved])


def sts(_service: Any, ops: Ops) -> None:
    """Two operations need no permission; a federated user's ARN is of STS."""
    ops["GetCallerIdentity"] = []
    ops["GetSessionToken"] = []
    put(ops, "GetFederationToken", "federated-user", "arn:${Partition}:sts::${Account}:federated-user/${Name}")
    put(ops, "AssumeRoot", "root-user", "arn:${Partition}:iam::${TargetPrincipal|last}:root")


# -- EC2 ---------------------------------------------------------------------------------------------

# Id prefixes of what can be tagged -> resource type.
EC2_IDS = {
    "i": "instance", "vpc": "vpc", "subnet": "subnet", "rtb": "route-table", "igw": "internet-gateway",
    "sg": "security-group", "sgr": "security-group-rule", "eni": "network-interface", "eipalloc": "elastic-ip",
    "ami": "image", "snap": "snapshot", "vol": "volume", "acl": "network-acl", "dopt": "dhcp-options",
    "nat": "natgateway", "pcx": "vpc-peering-connection", "vpce": "vpc-endpoint", "vpce-svc": "vpc-endpoint-service",
    "lt": "launch-template", "fl": "vpc-flow-log", "pl": "prefix-list", "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment", "tgw-rtb": "transit-gateway-route-table", "vgw": "vpn-gateway",
    "cgw": "customer-gateway", "vpn": "vpn-connection", "eigw": "egress-only-internet-gateway",
    "cr": "capacity-reservation", "fleet": "fleet", "sfr": "spot-fleet-request", "sir": "spot-instances-request",
    "h": "dedicated-host", "hr": "host-reservation", "pg": "placement-group", "scr": "subnet-cidr-reservation",
    "import-ami": "import-image-task", "import-snap": "import-snapshot-task", "export-i": "export-instance-task",
    "export-ami": "export-image-task", "afi": "fpga-image", "eice": "instance-connect-endpoint",
    "iew": "instance-event-window", "cvpn-endpoint": "client-vpn-endpoint", "nip": "network-insights-path",
    "nia": "network-insights-analysis", "tmf": "traffic-mirror-filter", "tms": "traffic-mirror-session",
    "tmt": "traffic-mirror-target", "ipam": "ipam", "ipam-pool": "ipam-pool", "ipam-scope": "ipam-scope",
    "replacevol": "replace-root-volume-task", "cagw": "carrier-gateway",
    "vpcbpa-exclude": "vpc-block-public-access-exclusion", "amiur": "image-usage-report",
}  # fmt: skip
SECURITY_GROUP: list[Any] = ["first", REGIONAL + "security-group/${GroupId}",
                  by("ec2:security-group", "GroupName", REGIONAL + "security-group/*")]  # fmt: skip
ADDRESS = ["first", REGIONAL + "elastic-ip/${AllocationId}",
           by("ec2:elastic-ip", "PublicIp", REGIONAL + "elastic-ip/*")]  # fmt: skip
TEMPLATE = [
    "first",
    REGIONAL + "launch-template/${LaunchTemplateId}",
    by("ec2:launch-template", "LaunchTemplateName", REGIONAL + "launch-template/*"),
]


def association(kind: str, path: str = "AssociationId") -> list[Any]:
    """The thing of a kind that an association or attachment id belongs to."""
    return by(f"ec2:{kind}", path, REGIONAL + kind + "/*")


EC2_GROUP = REGIONAL + "security-group/"
EC2: tuple[tuple[str, str, Template | None, int], ...] = (
    ("AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress DeleteSecurityGroup "
     "UpdateSecurityGroupRuleDescriptionsIngress UpdateSecurityGroupRuleDescriptionsEgress",
     "security-group", SECURITY_GROUP, REQUIRED),
    ("AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress", "security-group", EC2_GROUP + "${GroupId}", REQUIRED),
    ("RevokeSecurityGroupIngress RevokeSecurityGroupEgress", "security-group-rule", None, REQUIRED),
    ("AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress", "security-group-rule",
     ["if", "TagSpecifications[].ResourceType", REGIONAL + "security-group-rule/*"], 0),
    ("DeleteKeyPair", "key-pair",
     ["first", REGIONAL + "key-pair/${KeyName}", by("ec2:key-pair", "KeyPairId", REGIONAL + "key-pair/*")], 0),
    ("AssociateAddress ReleaseAddress", "elastic-ip", ADDRESS, 0),
    ("DisassociateAddress", "elastic-ip",
     ["first", association("elastic-ip"), by("ec2:elastic-ip", "PublicIp", REGIONAL + "elastic-ip/*")], 0),
    ("DisassociateAddress", "instance", None, REQUIRED),
    ("DisassociateAddress", "network-interface", None, REQUIRED),
    ("DetachNetworkInterface", "network-interface", association("network-interface", "AttachmentId"), REQUIRED),
    ("DetachNetworkInterface", "instance", association("instance", "AttachmentId"), REQUIRED),
    ("DisassociateRouteTable", "route-table", association("route-table"), REQUIRED),
    ("DisassociateRouteTable", "subnet", association("subnet"), 0),
    ("ReplaceRouteTableAssociation", "route-table",
     ["all", REGIONAL + "route-table/${RouteTableId}", association("route-table")], REQUIRED),
    ("ReplaceRouteTableAssociation", "subnet", association("subnet"), 0),
    ("ReplaceNetworkAclAssociation DisassociateSubnetCidrBlock", "subnet", association("subnet"), REQUIRED),
    ("DisassociateVpcCidrBlock", "vpc", association("vpc"), REQUIRED),
    ("ReplaceIamInstanceProfileAssociation DisassociateIamInstanceProfile", "instance", association("instance"),
     REQUIRED),
    ("ModifyNetworkInterfaceAttribute", "instance", None, REQUIRED),
    ("ModifyInstanceMetadataOptions", "instance", REGIONAL + "instance/${InstanceId}", REQUIRED),
    ("ModifyInstanceAttribute ModifyNetworkInterfaceAttribute", "security-group", EC2_GROUP + "${Groups[]}", 0),
    ("CreateLaunchTemplateVersion DeleteLaunchTemplate DeleteLaunchTemplateVersions ModifyLaunchTemplate",
     "launch-template", TEMPLATE, REQUIRED),
    ("CopySnapshot", "snapshot",
     ["all", PUBLIC + "snapshot/*", "arn:${Partition}:ec2:${SourceRegion}::snapshot/${SourceSnapshotId}"], REQUIRED),
    ("CopyImage", "image",
     ["all", PUBLIC + "image/*", "arn:${Partition}:ec2:${SourceRegion}::image/${SourceImageId}"], REQUIRED),
    ("CopyImage", "snapshot", PUBLIC + "snapshot/*", REQUIRED),
    ("RegisterImage", "snapshot", PUBLIC + "snapshot/${BlockDeviceMappings[].Ebs.SnapshotId}", 0),
    ("CreatePlacementGroup DeletePlacementGroup", "placement-group", REGIONAL + "placement-group/${GroupName}",
     REQUIRED),
    ("CreateNatGateway", "vpc", None, REQUIRED),
    ("DescribeSecurityGroupReferences", "security-group", EC2_GROUP + "${GroupId[]}", REQUIRED),
    ("AssociateSecurityGroupVpc DisassociateSecurityGroupVpc", "security-group", EC2_GROUP + "${GroupId}", REQUIRED),
    ("DescribeVpcEndpointServicePermissions ModifyVpcEndpointServicePayerResponsibility", "vpc-endpoint-service",
     REGIONAL + "vpc-endpoint-service/${ServiceId}", REQUIRED),
    ("AcceptAddressTransfer", "elastic-ip", by("ec2:elastic-ip", "Address", REGIONAL + "elastic-ip/*"), REQUIRED),
    ("AcceptVpcPeeringConnection", "vpc",
     by("ec2:accepter-vpc", "VpcPeeringConnectionId", REGIONAL + "vpc/*"), REQUIRED),
    ("CopyVolumes", "volume", ["all", REGIONAL + "volume/*", REGIONAL + "volume/${SourceVolumeId}"], REQUIRED),
    ("CreateSecurityGroup", "vpc",
     ["first", REGIONAL + "vpc/${VpcId}", by("ec2:default-vpc", "", REGIONAL + "vpc/*")], 0),
)  # fmt: skip
"""Operations, the type of a resource, its ARN as their requests tell it (None: it is none of theirs), flags."""


def ec2(service: Any, ops: Ops) -> None:
    """Names and associations become look-ups; tags at creation need CreateTags."""
    for operation in ("AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation", "RunInstances"):
        ops[operation] = [e for e in ops[operation] if e["a"] != "iam:PassRole"] + [pass_profile("IamInstanceProfile")]
    for operations, kind, template, flags in EC2:
        for operation in operations.split():
            put(ops, operation, kind, template, flags)
    run_instances(ops)
    tags(service, ops)


def pass_profile(member: str) -> dict[str, Any]:
    """iam:PassRole on the role of the instance profile that a request names by ARN or name."""
    kind = "iam:instance-profile-role"
    role = ["first", by(kind, f"{member}.Arn", "*"), by(kind, f"{member}.Name", "*")]
    return {"a": "iam:PassRole", "r": [["role", role, REQUIRED]], "keys": {"iam:PassedToService": "ec2.amazonaws.com"},
            "when": ["exists", f"{member}.Arn,{member}.Name"]}  # fmt: skip


def run_instances(ops: Ops) -> None:
    """Everything that a launch uses and everything that it makes."""
    default = [by("ec2:default-security-group", "", REGIONAL + "security-group/*")]
    groups = ["all", REGIONAL + "security-group/${SecurityGroupIds[],NetworkInterfaces[].Groups[]}",
              by("ec2:security-group", "SecurityGroups[]", REGIONAL + "security-group/*")]  # fmt: skip
    subnet = by("ec2:default-subnet", "", REGIONAL + "subnet/*")
    launch_template = [
        "first",
        REGIONAL + "launch-template/${LaunchTemplate.LaunchTemplateId}",
        by("ec2:launch-template", "LaunchTemplate.LaunchTemplateName", REGIONAL + "launch-template/*"),
    ]
    given = REGIONAL + "network-interface/${NetworkInterfaces[].NetworkInterfaceId}"
    reservation = "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"
    resources: list[tuple[str, Template, int]] = [
        ("image", ["first", PUBLIC + "image/${ImageId}", by("ec2:launch-template-image", "", PUBLIC + "image/*")], 1),
        ("instance", REGIONAL + "instance/*", 1),
        ("network-interface", ["first", given, REGIONAL + "network-interface/*"], 1),
        ("security-group", ["if", "NetworkInterfaces[].NetworkInterfaceId", groups, ["first", groups, *default]], 1),
        ("subnet", ["if", "NetworkInterfaces[].NetworkInterfaceId",
                    association("subnet", "NetworkInterfaces[].NetworkInterfaceId"),
                    ["first", REGIONAL + "subnet/${SubnetId,NetworkInterfaces[].SubnetId}", subnet]], 1),
        ("volume", REGIONAL + "volume/*", 0),
        ("key-pair", REGIONAL + "key-pair/${KeyName}", 0),
        ("launch-template", launch_template, 0),
        ("placement-group", REGIONAL + "placement-group/${Placement.GroupName}", 0),
        ("snapshot", PUBLIC + "snapshot/${BlockDeviceMappings[].Ebs.SnapshotId}", 0),
        ("capacity-reservation", REGIONAL + "capacity-reservation/${" + reservation + "}", 0),
    ]  # fmt: skip
    ops["RunInstances"][0]["r"] = [list(r) for r in resources]


def tags(service: Any, ops: Ops) -> None:
    """Tag operations by id; CreateTags with ec2:CreateAction where a request tags what it makes."""
    types = {k: t["arn"] for k, t in service.reference.types.items()}
    ids = {prefix: types[kind] for prefix, kind in EC2_IDS.items() if kind in types}
    for operation in ("CreateTags", "DeleteTags"):
        ops[operation] = [{"a": f"ec2:{operation}", "r": [["*", ["ids", "Resources[]", ids], REQUIRED]]}]
    for kind in ("network-interface", "subnet", "vpc"):
        put(ops, "CreateFlowLogs", kind, None)
    ops["CreateFlowLogs"][0]["r"].append(["*", ["ids", "ResourceIds[]", ids], 0])
    made = {k: v for k, v in types.items() if v.startswith("arn:${Partition}:ec2:")}
    for operation, entries in ops.items():
        ops[operation] = [e for e in entries if e["a"] != "ec2:CreateTags" or operation == "CreateTags"]
        path = service.shapes.path(operation, "TagSpecifications.ResourceType")
        if path and ops[operation]:
            ops[operation].append({
                "a": "ec2:CreateTags", "r": [["*", ["types", path, made], REQUIRED]], "when": ["exists", path],
                "keys": {"ec2:CreateAction": operation},
            })  # fmt: skip


# -- Systems Manager, Organizations, API Gateway -----------------------------------------------------


def ssm(service: Any, ops: Ops) -> None:
    """Parameters by name, without slash and selector; AWS's own parameters and documents have no account."""

    def parameter(path: str) -> Template:
        tail = "parameter/${value|bare:/|before::}"
        return ["starts", path, "/aws/service/", SSM.replace("${Account}", "") + tail, SSM + tail]

    def document(path: str) -> Template:
        return ["starts", path, "AWS-", SSM.replace("${Account}", "") + "document/${value}", SSM + "document/${value}"]

    for operation, path in (("GetParameter", "Name"), ("GetParameters", "Names[]"), ("GetParametersByPath", "Path"),
                            ("GetParameterHistory", "Name"), ("PutParameter", "Name"), ("DeleteParameter", "Name"),
                            ("DeleteParameters", "Names[]"), ("LabelParameterVersion", "Name"),
                            ("UnlabelParameterVersion", "Name")):  # fmt: skip
        put(ops, operation, "parameter", parameter(path))
    for operation in ("GetServiceSetting", "UpdateServiceSetting", "ResetServiceSetting"):
        put(ops, operation, "servicesetting", SSM + "servicesetting/${SettingId|bare:/}")
    for operation in ("DescribeDocument", "GetDocument", "CreateDocument", "DeleteDocument", "UpdateDocument",
                      "DescribeDocumentPermission", "ModifyDocumentPermission", "ListDocumentVersions",
                      "UpdateDocumentDefaultVersion"):  # fmt: skip
        put(ops, operation, "document", document("Name"))
    for operation in ("SendCommand", "StartAutomationExecution", "StartChangeRequestExecution", "StartSession"):
        put(ops, operation, "document", document("DocumentName"), int(operation != "StartSession"))
    for operation in ("CreateAssociation", "DescribeAssociation", "DeleteAssociation", "UpdateAssociation"):
        put(ops, operation, "document", document("Name"), 0)
    put(ops, "CreateAssociationBatch", "document", document("Entries[].Name"))
    for operation, entries in ops.items():
        for path in ("InstanceId", "InstanceIds[]", "Target"):
            if service.shapes.path(operation, path.removesuffix("[]")) != path:
                continue
            kinds = {r[0]: r for r in entries[0]["r"]}
            if "instance" in kinds:
                kinds["instance"][1] = REGIONAL + "instance/${" + path + "|only:i-}"
            if "managed-instance" in kinds:
                kinds["managed-instance"][1] = SSM + "managed-instance/${" + path + "|only:mi-}"
    put(ops, "GetConnectionStatus", "instance", REGIONAL + "instance/${Target|only:i-}", 0)
    put(ops, "GetConnectionStatus", "managed-instance", SSM + "managed-instance/${Target|only:mi-}", 0)
    put(ops, "SendCommand", "instance", REGIONAL + "instance/${InstanceIds[]|only:i-}", 0)
    put(ops, "SendCommand", "managed-instance", SSM + "managed-instance/${InstanceIds[]|only:mi-}", 0)
    kinds = {"Document": "document", "ManagedInstance": "managed-instance", "MaintenanceWindow": "maintenancewindow",
             "PatchBaseline": "patchbaseline", "OpsItem": "opsitem", "OpsMetadata": "opsmetadata",
             "Automation": "automation-execution", "Association": "association"}  # fmt: skip
    for operation in ("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"):
        entry = {"a": f"ssm:{operation}", "when": ["equals", "ResourceType", "Parameter"],
                 "r": [["parameter", parameter("ResourceId"), REQUIRED]]}  # fmt: skip
        ops[operation] = [entry] + [
            {"a": entry["a"], "when": ["equals", "ResourceType", name],
             "r": [[kind, SSM + kind + "/${ResourceId}", REQUIRED]]}
            for name, kind in kinds.items() if kind in service.reference.types
        ]  # fmt: skip


# Members that hold an id of any of several types.
POLYMORPHIC = ("TargetId", "ParentId", "SourceParentId", "ResourceId", "ChildId")


def organizations(service: Any, ops: Ops) -> None:
    """An id names a thing of the one organization, whose own id is in the ARN and not in the request."""
    text = "arn:${Partition}:organizations::${Account}:"
    wild = {"account": "account/o-*/${value}", "organizationalunit": "ou/o-*/${value}", "root": "root/o-*/${value}",
            "policy": "policy/o-*/*/${value}", "handshake": "handshake/o-*/*/${value}",
            "responsibilitytransfer": "transfer/o-*/*/*/${value}"}  # fmt: skip
    starts = {"organizationalunit": "ou-", "root": "r-", "policy": "p-"}
    own = {"account": "AccountId", "organizationalunit": "OrganizationalUnitId", "root": "RootId",
           "policy": "PolicyId", "handshake": "HandshakeId", "responsibilitytransfer": "Id"}  # fmt: skip
    members = service.shapes.members
    for operation, entries in ops.items():
        ops[operation] = entries = [e for e in entries if e["a"] != "iam:PassRole"]
        for entry in entries:
            kinds = [r for r in entry["r"] if r[0] in wild]
            kinds += [[t, None, 0] for t in any_of(service, operation) if t in wild and t not in {r[0] for r in kinds}]
            found = []
            for kind, _, flags in kinds:
                ask = by(f"organizations:{kind}", "{path}", text + wild[kind])
                if own[kind] in members(operation):
                    found.append([kind, at(ask, own[kind]), flags & REQUIRED])
                    continue
                others = [m for m in POLYMORPHIC if m in members(operation)]
                for member in others:
                    found.append([kind, by_start(at(ask, member), member, starts, kind), 0])
            entry["r"] = found + [r for r in entry["r"] if r[0] not in wild]
    put(ops, "MoveAccount", "organizationalunit", ["all", *(
        by_start(by("organizations:organizationalunit", m, text + wild["organizationalunit"]), m, starts,
                 "organizationalunit") for m in ("SourceParentId", "DestinationParentId"))])  # fmt: skip
    put(ops, "MoveAccount", "root", ["all", *(
        by_start(by("organizations:root", m, text + wild["root"]), m, starts, "root")
        for m in ("SourceParentId", "DestinationParentId"))])  # fmt: skip


def any_of(service: Any, operation: str) -> list[str]:
    """The resource types that the reference lists for an operation's action."""
    action = service.reference.actions.get(operation.lower(), {})
    return [r["name"] for r in action.get("resourceTypes", [])]


def at(ask: list[Any], member: str) -> list[Any]:
    """A look-up of the value of a member."""
    return [ask[0], ask[1], member, ask[3]]


def by_start(ask: list[Any], member: str, starts: dict[str, str], kind: str) -> list[Any]:
    """A look-up only for values that begin as this kind's ids do; what begins like none is an account."""
    if kind in starts:
        return ["starts", member, starts[kind], ask, ["all"]]
    for prefix in starts.values():
        ask = ["starts", member, prefix, ["all"], ask]
    return ask


def account(service: Any, ops: Ops) -> None:
    """The caller's own account, or a member account of its organization."""
    text = "arn:${Partition}:account::${Account}:account"
    for operation, entries in ops.items():
        if not entries[0]["r"]:
            continue
        if "AccountId" in service.shapes.members(operation):
            member = by("account:account", "AccountId", text + "/o-*/${value}")
            entries[0]["r"] = [["accountInOrganization", member, 0], ["account", ["if", "AccountId", ["all"], text], 0]]
        else:
            entries[0]["r"] = [["account", text, REQUIRED]]


def api_gateway(service: Any, ops: Ops) -> None:
    """The actions are HTTP verbs, the resource is the path of the request."""
    for operation, spec in service.model["operations"].items():
        if not (ops[operation] and ops[operation][0].get("assumed")):
            continue
        uri, verb = spec["http"]["requestUri"].split("?")[0], spec["http"]["method"]
        shape = service.shapes.input(operation)
        places = {m.get("locationName", n): n for n, m in shape.get("members", {}).items()}
        path = re.sub(r"\{(\w+)\+?\}", lambda m, places=places: "${" + places[m[1]] + "}", uri)  # type: ignore[misc]  # bound default
        path = path.removeprefix("/v2")
        template: Template = "arn:${Partition}:apigateway:${Region}::" + path
        if path.startswith("/tags/"):
            template = "arn:${Partition}:apigateway:${Region}::/tags/*"
        ops[operation] = [{"a": f"apigateway:{verb}", "r": [["*", template, REQUIRED]]}]
