"""What the access law asks about: for operations whose required members do not name a thing, a thing that exists."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cached_property
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.laws import (
    balancing,
    scenes_advisor,
    scenes_applications,
    scenes_cloudwatch,
    scenes_costs,
    scenes_databases,
    scenes_ec2,
    scenes_fis,
    scenes_links,
    scenes_logs,
    scenes_mail,
    scenes_market,
    scenes_money,
    scenes_pipes,
    scenes_queues,
    scenes_s3,
    scenes_scheduler,
    scenes_streams,
    scenes_trails,
    ways_in,
)
from tests.laws import scenes_scaling as scaling
from tests.laws.seeds_network import peering, question, six

Params = dict[str, Any]
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}'


class Things:
    """Things of the root user's, each made when it is first asked for."""

    def __init__(self, jar: TestJar) -> None:
        self.jar = jar
        self.ec2 = jar.client("ec2")
        self.iam = jar.client("iam")
        self._numbers = itertools.count(2)

    @cached_property
    def vpc(self) -> str:
        """A VPC."""
        return str(self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"])

    @cached_property
    def subnet(self) -> str:
        """A subnet of it."""
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.7.1.0/24")
        return str(made["Subnet"]["SubnetId"])

    @cached_property
    def group(self) -> str:
        """A security group of it."""
        made = self.ec2.create_security_group(GroupName="law", Description="law", VpcId=self.vpc)
        return str(made["GroupId"])

    @cached_property
    def image(self) -> str:
        """A public image."""
        found = self.ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])
        return str(found["Images"][0]["ImageId"])

    @cached_property
    def instance(self) -> str:
        """A machine in the subnet."""
        made = self.ec2.run_instances(ImageId=self.image, InstanceType="t3.micro", MinCount=1, MaxCount=1,
                                      SubnetId=self.subnet)  # fmt: skip
        self.jar.settle()
        return str(made["Instances"][0]["InstanceId"])

    @cached_property
    def attachment(self) -> str:
        """A second network interface's attachment to the machine."""
        card = self.ec2.create_network_interface(SubnetId=self.subnet)["NetworkInterface"]["NetworkInterfaceId"]
        made = self.ec2.attach_network_interface(NetworkInterfaceId=card, InstanceId=self.instance, DeviceIndex=1)
        return str(made["AttachmentId"])

    @cached_property
    def scaled(self) -> str:
        """The instance of an Auto Scaling group."""
        return scaling.member(self.jar, self.image)

    @cached_property
    def gateway(self) -> str:
        """The VPC's way to the internet."""
        gateway = str(self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        return gateway

    @cached_property
    def address(self) -> str:
        """A public address."""
        return str(self.ec2.allocate_address(Domain="vpc")["AllocationId"])

    @cached_property
    def addressed(self) -> str:
        """Its association with the machine."""
        assert self.gateway
        made = self.ec2.associate_address(AllocationId=self.address, InstanceId=self.instance)
        return str(made["AssociationId"])

    def routed(self) -> str:
        """A new association of a route table with a subnet."""
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.7.{next(self._numbers)}.0/24")["Subnet"]
        made = self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])
        return str(made["AssociationId"])

    @cached_property
    def listed(self) -> str:
        """The association of the network ACL with the subnet."""
        assert self.subnet
        found = self.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["NetworkAcls"]
        return next(str(a["NetworkAclAssociationId"]) for acl in found for a in acl["Associations"])

    @cached_property
    def block(self) -> str:
        """The association of a second CIDR block with the VPC."""
        made = self.ec2.associate_vpc_cidr_block(VpcId=self.vpc, CidrBlock="10.8.0.0/16")
        return str(made["CidrBlockAssociation"]["AssociationId"])

    def template(self) -> str:
        """A new launch template."""
        data = {"InstanceType": "t3.micro"}
        made = self.ec2.create_launch_template(LaunchTemplateName=f"l{next(self._numbers)}", LaunchTemplateData=data)
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    @cached_property
    def profile(self) -> str:
        """An instance profile with a role that machines may have."""
        self.iam.create_instance_profile(InstanceProfileName="law")
        self.iam.add_role_to_instance_profile(InstanceProfileName="law", RoleName="nobody")
        return "law"

    def profiled(self) -> str:
        """A new association of the profile with the machine."""
        wanted = {"IamInstanceProfile": {"Name": self.profile}, "InstanceId": self.instance}
        for old in self.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]:
            self.ec2.disassociate_iam_instance_profile(AssociationId=old["AssociationId"])
        made = self.ec2.associate_iam_instance_profile(**wanted)
        return str(made["IamInstanceProfileAssociation"]["AssociationId"])

    @cached_property
    def key_pair(self) -> str:
        """A key pair."""
        return str(self.ec2.create_key_pair(KeyName="law")["KeyName"])

    @cached_property
    def organization(self) -> Any:
        """Organizations, as the management account of one."""
        client = self.jar.client("organizations")
        client.create_organization(FeatureSet="ALL")
        root = client.list_roots()["Roots"][0]["Id"]
        client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        return client

    @cached_property
    def root(self) -> str:
        """The organization's root."""
        return str(self.organization.list_roots()["Roots"][0]["Id"])

    def unit(self) -> str:
        """A new organizational unit."""
        made = self.organization.create_organizational_unit(ParentId=self.root, Name=f"law{next(self._numbers)}")
        return str(made["OrganizationalUnit"]["Id"])

    @cached_property
    def account(self) -> str:
        """An account of the organization."""
        asked = self.organization.create_account(Email="law@example.com", AccountName="law")["CreateAccountStatus"]
        self.jar.settle()
        found = self.organization.describe_create_account_status(CreateAccountRequestId=asked["Id"])
        return str(found["CreateAccountStatus"]["AccountId"])

    @cached_property
    def guard(self) -> str:
        """A service control policy."""
        made = self.organization.create_policy(
            Content=POLICY, Description="law", Name="law", Type="SERVICE_CONTROL_POLICY"
        )
        return str(made["Policy"]["PolicySummary"]["Id"])

    @cached_property
    def handshake(self) -> str:
        """An invitation."""
        target = {"Id": "111111111111", "Type": "ACCOUNT"}
        return str(self.organization.invite_account_to_organization(Target=target)["Handshake"]["Id"])

    @cached_property
    def kms(self) -> Any:
        """KMS."""
        return self.jar.client("kms")

    @cached_property
    def key(self) -> str:
        """An encryption key's ARN."""
        return str(self.kms.create_key()["KeyMetadata"]["Arn"])

    @cached_property
    def everywhere(self) -> str:
        """A multi-region key."""
        return str(self.kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"])

    @cached_property
    def ciphertext(self) -> bytes:
        """Something encrypted with the key."""
        return bytes(self.kms.encrypt(KeyId=self.key, Plaintext=b"law")["CiphertextBlob"])

    def alias(self) -> str:
        """A new alias of the key."""
        name = f"alias/law{next(self._numbers)}"
        self.kms.create_alias(AliasName=name, TargetKeyId=self.key)
        return name

    @cached_property
    def secret(self) -> str:
        """A secret."""
        return str(self.jar.client("secretsmanager").create_secret(Name="law", SecretString="x")["ARN"])

    @cached_property
    def user(self) -> str:
        """The ARN of the user whose access key it is."""
        assert self.access_key
        return str(self.iam.get_user(UserName="law")["User"]["Arn"])

    @cached_property
    def access_key(self) -> str:
        """A user's access key."""
        self.iam.create_user(UserName="law")
        return str(self.iam.create_access_key(UserName="law")["AccessKey"]["AccessKeyId"])

    @cached_property
    def policy(self) -> str:
        """A customer's managed policy."""
        return str(self.iam.create_policy(PolicyName="law", PolicyDocument=POLICY)["Policy"]["Arn"])


Scene = Callable[[Things], Params]
_MFA = f"arn:aws:iam::{ACCOUNT}:mfa/law"


def _group(**more: Any) -> Scene:
    return lambda things: {"GroupId": things.group, **more}


def _policy(things: Things) -> Params:
    return {"PolicyArn": things.policy}


def _account(things: Things) -> Params:
    return {"AccountId": things.account}


def _unit(things: Things) -> Params:
    return {"OrganizationalUnitId": things.unit()}


def _root(member: str) -> Scene:
    return lambda things: {member: things.root}


def _guard(things: Things) -> Params:
    return {"PolicyId": things.guard}


def _on_root(things: Things) -> Params:
    return {"PolicyId": things.guard, "TargetId": things.root}


def _handshake(things: Things) -> Params:
    return {"HandshakeId": things.handshake}


def _shared(_: Things) -> Params:
    return {"ResourceArn": f"arn:aws:ssm:eu-west-3:{ACCOUNT}:parameter/nobody"}


def _mfa(_: Things) -> Params:
    return {"SerialNumber": _MFA}


_ANALYZER = f"arn:aws:access-analyzer:eu-west-3:{ACCOUNT}:analyzer/nobody"
_BY_ANALYZER = (
    "ApplyArchiveRule", "GenerateFindingRecommendation", "GetAnalyzedResource", "GetFinding",
    "GetFindingRecommendation", "GetFindingV2", "GetFindingsStatistics", "ListAnalyzedResources", "ListFindings",
    "ListFindingsV2",
    "StartResourceScan", "UpdateFindings",
)  # fmt: skip
_TAGGED = ("ListTagsForResource", "TagResource", "UntagResource")

def _scaling(operation: str) -> Scene:
    return lambda t: scaling.asked(operation, t.scaled)


SCENES: dict[str, Scene] = {
    **balancing.scenes(),
    **scenes_advisor.SCENES,
    **scenes_applications.SCENES,
    **scenes_cloudwatch.SCENES,
    **scenes_costs.SCENES,
    **scenes_ec2.SCENES,
    **scenes_fis.SCENES,
    **scenes_links.SCENES,
    **scenes_logs.SCENES,
    **scenes_mail.SCENES,
    **scenes_market.SCENES,
    **scenes_money.SCENES,
    **scenes_pipes.SCENES,
    **scenes_queues.SCENES,
    **scenes_s3.SCENES,
    **scenes_scheduler.SCENES,
    **scenes_databases.SCENES,
    **scenes_streams.SCENES,
    **scenes_trails.SCENES,
    **ways_in.SCENES,
    **{f"autoscaling:{name}": _scaling(name) for name in scaling.OPERATIONS},
    **{f"accessanalyzer:{name}": lambda _: {"analyzerArn": _ANALYZER} for name in _BY_ANALYZER},
    **{f"accessanalyzer:{name}": lambda _: {"resourceArn": _ANALYZER} for name in _TAGGED},
    "ec2:AcceptVpcPeeringConnection": lambda t: {
        "VpcPeeringConnectionId": peering(t.jar)["VpcPeeringConnectionIds"][0]
    },
    "ec2:DisassociateSubnetCidrBlock": lambda t: {"AssociationId": six(t.ec2)},
    "ec2:StartNetworkInsightsAnalysis": lambda t: {"NetworkInsightsPathId": question(t.ec2, t.gateway)},
    "ec2:AssociateAddress": lambda t: {"AllocationId": t.address, "InstanceId": t.instance},
    "ec2:AssociateIamInstanceProfile": lambda t: {"IamInstanceProfile": {"Name": t.profile}, "InstanceId": t.instance},
    "ec2:AuthorizeSecurityGroupIngress": _group(IpProtocol="tcp", FromPort=1, ToPort=2, CidrIp="10.0.0.0/8"),
    "ec2:CreateLaunchTemplateVersion": lambda t: {"LaunchTemplateId": t.template()},
    "ec2:CreatePlacementGroup": lambda _: {"GroupName": "law"},
    "ec2:CreateTags": lambda t: {"Resources": [t.vpc]},
    "ec2:DeleteKeyPair": lambda t: {"KeyName": t.key_pair},
    "ec2:DeleteLaunchTemplate": lambda t: {"LaunchTemplateId": t.template()},
    "ec2:DeleteLaunchTemplateVersions": lambda t: {"LaunchTemplateId": t.template()},
    "ec2:DeleteSecurityGroup": _group(),
    "ec2:DeleteTags": lambda t: {"Resources": [t.vpc]},
    "ec2:DetachNetworkInterface": lambda t: {"AttachmentId": t.attachment},
    "ec2:DisassociateAddress": lambda t: {"AssociationId": t.addressed},
    "ec2:DisassociateIamInstanceProfile": lambda t: {"AssociationId": t.profiled()},
    "ec2:DisassociateRouteTable": lambda t: {"AssociationId": t.routed()},
    "ec2:DisassociateVpcCidrBlock": lambda t: {"AssociationId": t.block},
    "ec2:ModifyLaunchTemplate": lambda t: {"LaunchTemplateId": t.template()},
    "ec2:ReleaseAddress": lambda t: {"AllocationId": t.address},
    "ec2:ReplaceIamInstanceProfileAssociation": lambda t: {
        "IamInstanceProfile": {"Name": t.profile}, "AssociationId": t.profiled()},
    "ec2:ReplaceNetworkAclAssociation": lambda t: {"AssociationId": t.listed},
    "ec2:ReplaceRouteTableAssociation": lambda t: {"AssociationId": t.routed()},
    "ec2:RevokeSecurityGroupIngress": _group(IpProtocol="tcp", FromPort=1, ToPort=2, CidrIp="10.0.0.0/8"),
    "ec2:RunInstances": lambda t: {"ImageId": t.image, "InstanceType": "t3.micro", "SubnetId": t.subnet},
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress": _group(),
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress": _group(),
    "iam:GetAccessKeyLastUsed": lambda t: {"AccessKeyId": t.access_key},
    "iam:CreatePolicyVersion": _policy,
    "iam:DeletePolicyVersion": _policy,
    "iam:SetDefaultPolicyVersion": _policy,
    "iam:TagPolicy": _policy,
    "iam:UntagPolicy": _policy,
    "iam:DeletePolicy": _policy,
    "iam:DeleteVirtualMFADevice": _mfa,
    "iam:ListMFADeviceTags": _mfa,
    "iam:TagMFADevice": _mfa,
    "iam:UntagMFADevice": _mfa,
    "iam:EnableMFADevice": lambda _: {
        "SerialNumber": _MFA, "UserName": "nobody", "AuthenticationCode1": "123456", "AuthenticationCode2": "654321"},
    "iam:ResyncMFADevice": lambda _: {
        "SerialNumber": _MFA, "UserName": "nobody", "AuthenticationCode1": "123456", "AuthenticationCode2": "654321"},
    "iam:GenerateServiceLastAccessedDetails": lambda t: {"Arn": t.user},
    "iam:ListPoliciesGrantingServiceAccess": lambda t: {"Arn": t.user},
    "kms:Decrypt": lambda t: {"CiphertextBlob": t.ciphertext},
    "kms:DeleteAlias": lambda t: {"AliasName": t.alias()},
    "kms:ReEncrypt": lambda t: {"CiphertextBlob": t.ciphertext, "DestinationKeyId": t.key},
    "kms:ReplicateKey": lambda t: {"KeyId": t.everywhere, "ReplicaRegion": "eu-west-1"},
    "kms:RetireGrant": lambda t: {"KeyId": t.key, "GrantId": "a" * 64},
    "kms:UpdatePrimaryRegion": lambda t: {"KeyId": t.everywhere, "PrimaryRegion": "eu-west-1"},
    "organizations:AcceptHandshake": _handshake,
    "organizations:AttachPolicy": _on_root,
    "organizations:CancelHandshake": _handshake,
    "organizations:CloseAccount": _account,
    "organizations:CreateOrganizationalUnit": _root("ParentId"),
    "organizations:DeclineHandshake": _handshake,
    "organizations:DeleteOrganizationalUnit": _unit,
    "organizations:DeletePolicy": _guard,
    "organizations:DeregisterDelegatedAdministrator": _account,
    "organizations:DescribeAccount": _account,
    "organizations:DescribeEffectivePolicy": lambda t: {"TargetId": t.account},
    "organizations:DescribeHandshake": _handshake,
    "organizations:DescribeOrganizationalUnit": _unit,
    "organizations:DescribePolicy": _guard,
    "organizations:DetachPolicy": _on_root,
    "organizations:DisablePolicyType": _root("RootId"),
    "organizations:EnablePolicyType": _root("RootId"),
    "organizations:InviteAccountToOrganization": lambda t: {"Target": {"Id": t.account, "Type": "ACCOUNT"}},
    "organizations:ListAccountsForParent": _root("ParentId"),
    "organizations:ListChildren": _root("ParentId"),
    "organizations:ListDelegatedServicesForAccount": _account,
    "organizations:ListOrganizationalUnitsForParent": _root("ParentId"),
    "organizations:ListParents": lambda t: {"ChildId": t.account},
    "organizations:ListPoliciesForTarget": _root("TargetId"),
    "organizations:ListTagsForResource": lambda t: {"ResourceId": t.root},
    "organizations:ListTargetsForPolicy": _guard,
    "organizations:MoveAccount": lambda t: {
        "AccountId": t.account, "SourceParentId": t.root, "DestinationParentId": t.unit()},
    "organizations:RegisterDelegatedAdministrator": _account,
    "organizations:RemoveAccountFromOrganization": _account,
    "organizations:TagResource": lambda t: {"ResourceId": t.root},
    "organizations:UntagResource": lambda t: {"ResourceId": t.root},
    "organizations:UpdateOrganizationalUnit": _unit,
    "organizations:UpdatePolicy": _guard,
    "secretsmanager:ValidateResourcePolicy": lambda t: {"SecretId": t.secret},
    "ssm:DeleteResourcePolicy": _shared,
    "ssm:GetResourcePolicies": _shared,
    "ssm:PutResourcePolicy": _shared,
}  # fmt: skip
"""``service:Operation`` -> members that replace or join the smallest request's."""
