"""Services and people in a hurry: staging that cannot reach production, a function that reads one bucket, and the
glass that is broken with a second factor."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import Person, allow, policy, refused, role, trust, trust_service, user
from tests.services.iam.phones import Watch, phone_of

REGION = "eu-west-3"
ANYWHERE = "0.0.0.0/0"


# Staging and production --------------------------------------------------------------------------------------


class Stack:
    """The API service of one environment: its VPC, machine, role and secrets."""

    def __init__(self, jar: TestJar, env: str, number: int) -> None:
        self.jar, self.env, self.ec2 = jar, env, jar.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.{number}.1.0/24")["Subnet"]["SubnetId"]
        made = self.ec2.create_security_group(GroupName=f"api-{env}", Description="api", VpcId=self.vpc)
        self.group = made["GroupId"]
        self.secret = jar.client("secretsmanager").create_secret(Name=f"{env}/api/database", SecretString=env)["ARN"]
        jar.client("ssm").put_parameter(Name=f"/{env}/api/url", Value=f"https://{env}", Type="SecureString")
        self.role = self.make_role()
        self.instance = self.launch()

    def make_role(self) -> str:
        """What the service may read: its own environment's secrets and parameters, by their paths."""
        name = f"api-{self.env}"
        arn = role(
            self.jar, name, trust_service("ec2.amazonaws.com"),
            allow("secretsmanager:GetSecretValue",
                  on=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{self.env}/api/*"),
            allow("ssm:GetParameter", "ssm:GetParametersByPath",
                  on=f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{self.env}/api/*"),
        )  # fmt: skip
        iam = self.jar.client("iam")
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return arn

    def launch(self) -> str:
        """The machine on which it runs."""
        found = self.ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])
        made = self.ec2.run_instances(ImageId=found["Images"][0]["ImageId"], InstanceType="t2.micro", MinCount=1,
                                      MaxCount=1, SubnetId=self.subnet, SecurityGroupIds=[self.group],
                                      IamInstanceProfile={"Name": f"api-{self.env}"})  # fmt: skip
        self.jar.settle()
        return str(made["Instances"][0]["InstanceId"])

    def address(self) -> str:
        """The machine's private address."""
        found = self.ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]
        return str(found["PrivateIpAddress"])

    def itself(self) -> Person:
        """The service, with the credentials that its machine hands it."""
        from cloudjar.wire.message import Request

        def ask(method: str, path: str, **headers: str) -> str:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            request = Request(method, path, "", named, b"", peer=self.address(), trusted=False, vpc=self.vpc)

            async def answered() -> Any:
                return self.jar.jar.metadata.answer(request)

            answer = self.jar.on_loop(answered())
            assert answer.status == 200, answer.status
            return str(answer.body.decode())

        token = ask("PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60")
        path = f"/latest/meta-data/iam/security-credentials/api-{self.env}"
        said = json.loads(ask("GET", path, x_aws_ec2_metadata_token=token))
        return Person(self.jar, self.role, said["AccessKeyId"], said["SecretAccessKey"], said["Token"])


def test_staging_cannot_talk_to_production(steady_jar: TestJar) -> None:
    """Neither by role nor by packet: its credentials open nothing of production's, and no rule lets it in. Even when
    the networks are joined, the groups keep them apart."""
    jar = steady_jar
    staging, production = Stack(jar, "staging", 1), Stack(jar, "production", 2)
    service = staging.itself()
    secrets, parameters = service.client("secretsmanager"), service.client("ssm")
    assert secrets.get_secret_value(SecretId=staging.secret)["SecretString"] == "staging"
    with refused("AccessDeniedException", f"assumed-role/api-staging/{staging.instance}", "GetSecretValue"):
        secrets.get_secret_value(SecretId=production.secret)
    with refused("AccessDeniedException", "production/api/database"):
        secrets.get_secret_value(SecretId="production/api/database")
    wanted = {"WithDecryption": True}
    assert parameters.get_parameter(Name="/staging/api/url", **wanted)["Parameter"]["Value"] == "https://staging"
    with refused("AccessDeniedException", "parameter/production/api/url"):
        parameters.get_parameter(Name="/production/api/url", **wanted)
    with refused("AccessDenied"):
        service.client("sts").assume_role(RoleArn=production.role, RoleSessionName="disguise")
    theirs = production.itself().client("secretsmanager")
    assert theirs.get_secret_value(SecretId=production.secret)["SecretString"] == "production"
    packets(jar, staging, production)


def packets(jar: TestJar, staging: Stack, production: Stack) -> None:
    """What the network says to staging's machine."""
    ec2 = jar.client("ec2")
    own = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": production.group}]}]
    ec2.authorize_security_group_ingress(GroupId=production.group, IpPermissions=own)
    jar.settle()
    assert jar.network.reachable(staging.instance, production.address(), "tcp", 443) == "dropped"
    assert jar.network.reachable("internet", production.address(), "tcp", 443) == "dropped"


# A function that reads one bucket ------------------------------------------------------------------------------


def test_least_privilege_for_a_function_that_reads_one_bucket(jar: TestJar, iam: Any) -> None:
    """Written, checked by Access Analyzer, tried in the simulator before anything runs, and narrowed once more."""
    analyzer = jar.client("accessanalyzer")
    wide = policy(allow("s3:*"), {**allow("iam:PassRole")})
    found = analyzer.validate_policy(policyDocument=wide, policyType="IDENTITY_POLICY")["findings"]
    assert "PASS_ROLE_WITH_STAR_IN_RESOURCE" in {f["issueCode"] for f in found}
    narrow = policy(
        {**allow("s3:GetObject", on="arn:aws:s3:::reports/*"), "Sid": "Read"},
        {**allow("s3:ListBucket", on="arn:aws:s3:::reports"), "Sid": "List"},
        {**allow("logs:CreateLogStream", "logs:PutLogEvents",
                 on=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/reporter:*"), "Sid": "Log"},
    )  # fmt: skip
    assert analyzer.validate_policy(policyDocument=narrow, policyType="IDENTITY_POLICY")["findings"] == []
    arn = role(jar, "reporter", trust_service("lambda.amazonaws.com"))
    iam.put_role_policy(RoleName="reporter", PolicyName="least", PolicyDocument=narrow)

    def decided(action: str, resource: str) -> str:
        said = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource])
        return str(said["EvaluationResults"][0]["EvalDecision"])

    assert decided("s3:GetObject", "arn:aws:s3:::reports/2026/01.csv") == "allowed"
    assert decided("s3:ListBucket", "arn:aws:s3:::reports") == "allowed"
    for action, resource in (
        ("s3:PutObject", "arn:aws:s3:::reports/2026/01.csv"),
        ("s3:DeleteObject", "arn:aws:s3:::reports/2026/01.csv"),
        ("s3:GetObject", "arn:aws:s3:::payroll/2026/01.csv"),
        ("s3:GetObject", "arn:aws:s3:::reports-backup/01.csv"),
        ("s3:ListBucket", "arn:aws:s3:::payroll"),
        ("s3:ListAllMyBuckets", "*"),
        ("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/other"),
    ):
        assert decided(action, resource) == "implicitDeny", (action, resource)
    fence = policy(allow("logs:*"))
    made = iam.create_policy(PolicyName="fence", PolicyDocument=fence)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="reporter", PermissionsBoundary=made)
    assert decided("s3:GetObject", "arn:aws:s3:::reports/2026/01.csv") == "implicitDeny"


# Breaking the glass --------------------------------------------------------------------------------------------


@pytest.fixture
def watch(jar: TestJar, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The machine's clock, moved by hand."""
    return Watch(jar, monkeypatch)


def test_breaking_the_glass_needs_a_second_factor_and_is_seen(jar: TestJar, iam: Any, watch: Watch) -> None:
    """The role for emergencies: only for who has just proven himself with a code, and never unnoticed."""
    fresh = {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "900"}}
    ann = user(jar, "ann", allow("sts:AssumeRole"))
    glass = role(jar, "break-glass", trust(ACCOUNT, Condition=fresh), allow("*"))
    mine = phone_of(watch, iam, "ann")
    with refused("AccessDenied", "sts:AssumeRole"):
        ann.assume(glass)
    with refused("AccessDenied", "invalid MFA one time pass code"):
        ann.assume(glass, SerialNumber=mine.serial, TokenCode="000000" if mine.code() != "000000" else "000001")
    inside = ann.assume(glass, name="incident-42", SerialNumber=mine.serial, TokenCode=mine.code())
    assert inside.client("iam").list_users()["Users"]
    watch.tick()
    made = ann.client("sts").get_session_token(SerialNumber=mine.serial, TokenCode=mine.code())["Credentials"]
    proven = Person(jar, ann.arn, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert proven.assume(glass, name="incident-43").arn.endswith("/incident-43")
    jar.advance(minutes=16)
    with refused("AccessDenied", "sts:AssumeRole"):  # the proof has grown old, the session has not
        proven.assume(glass)
    seen_by_the_trail(jar)


def seen_by_the_trail(jar: TestJar) -> None:
    """What an auditor finds: who broke the glass, when he failed to, and what was done inside."""
    trail = jar.client("cloudtrail")
    found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}])
    events = [json.loads(event["CloudTrailEvent"]) for event in found["Events"]]
    taken = [e["requestParameters"]["roleSessionName"] for e in events if "errorCode" not in e]
    assert sorted(taken) == ["incident-42", "incident-43"]
    assert {e["userIdentity"]["userName"] for e in events} == {"ann"}
    failures = [e for e in events if e.get("errorCode") == "AccessDenied"]
    assert len(failures) == 3
    proofs = [e for e in events if e["userIdentity"].get("sessionContext")]
    assert {e["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] for e in proofs} == {"true"}
