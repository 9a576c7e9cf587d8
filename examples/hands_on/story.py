"""The Hands-on Project of the course, played from beginning to end with the tools that people use.

A VPC, a server, Docker Compose on it, the application answering, the same by user data, what must fail failing,
stop, start, terminate, and a host as it was before.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from examples.hands_on.stage import CLOUDJAR, REGION, Stage, Trouble

APPLICATION = Path(__file__).resolve().parent.parent / "task-list"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
DEBIAN = "136693071363"
INSTALL = "sudo apt-get update -q && sudo DEBIAN_FRONTEND=noninteractive apt-get install -yq docker.io docker-compose"
READER = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}],
}


class Story:
    """The acts, in order; each stands on those before. With simulated planes nothing is sent and nothing boots,
    so whatever needs a packet or a shell is left out, and said to be."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.real = stage.planes != "sim"
        self.ids: dict[str, str] = {}
        self.address: dict[str, str] = {}
        self.facts: dict[str, Any] = {}

    def play(self, *, keep: bool = False) -> None:
        """All of it; with `keep` everything runs on at the end."""
        self.sign_in()
        self.network()
        self.server()
        self.application()
        self.user_data()
        self.refusals()
        self.stop_and_start()
        if not keep:
            self.terminate()

    # -- 1
    def sign_in(self) -> None:
        """A jar, and a user for daily work: from here on only that user's key is used."""
        s = self.stage
        s.step("1  The jar, and a user for daily work")
        s.files.mkdir(parents=True, exist_ok=True, mode=0o700)
        s.say(s.cloudjar(
            "up", "--port", str(s.port), "--tag", s.tag, "--public-pool", s.pool, "--planes", s.planes,
            shown="cloudjar up", timeout=900,
        ).split("\n\n")[0])  # fmt: skip
        given = json.loads(s.cloudjar("env", "--json", shown='eval "$(cloudjar env)"'))
        s.environ |= {k: v for k, v in given.items() if k in ("AWS_ENDPOINT_URL", "PATH")}
        self.profile("root", given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"])
        root = s.aws("sts", "get-caller-identity", who="root")
        s.check(root["Arn"].endswith(":root"), f"signed in as {root['Arn']}")
        s.aws("iam", "create-user", "--user-name", "admin-dev", who="root")
        s.aws("iam", "attach-user-policy", "--user-name", "admin-dev", "--policy-arn", ADMINISTRATOR, who="root")
        self.new_key("admin-dev", who="root")
        me = s.aws("sts", "get-caller-identity")
        s.check(me["Arn"].endswith(":user/admin-dev"), f"signed in as {me['Arn']}")

    def new_key(self, user: str, who: str) -> tuple[str, str]:
        """An access key for a user, kept as the profile of that name."""
        key = self.stage.aws("iam", "create-access-key", "--user-name", user, who=who)["AccessKey"]
        self.profile(user, key["AccessKeyId"], key["SecretAccessKey"])
        return key["AccessKeyId"], key["SecretAccessKey"]

    def profile(self, name: str, key: str, secret: str) -> None:
        """What `aws configure` would ask for."""
        self.stage.say(f"  $ aws configure --profile {name}")
        for setting, value in (("aws_access_key_id", key), ("aws_secret_access_key", secret), ("region", REGION)):
            self.stage.need("aws", "configure", "set", setting, value, "--profile", name, shown="-")

    # -- 2
    def network(self) -> None:
        """A VPC with one public subnet, a key pair and a security group."""
        s, ids = self.stage, self.ids
        s.step("2  VPC devops-vpc, subnet, gateway, route, key pair, security group")
        ids["vpc"] = s.aws("ec2", "create-vpc", "--cidr-block", "10.0.0.0/16", *named("vpc", "devops-vpc"))["Vpc"][
            "VpcId"
        ]
        s.aws("ec2", "wait", "vpc-available", "--vpc-ids", ids["vpc"])
        ids["subnet"] = s.aws(
            "ec2",
            "create-subnet",
            "--vpc-id",
            ids["vpc"],
            "--cidr-block",
            "10.0.1.0/24",
            *named("subnet", "devops-public"),
        )["Subnet"]["SubnetId"]
        s.aws("ec2", "modify-subnet-attribute", "--subnet-id", ids["subnet"], "--map-public-ip-on-launch")
        ids["gateway"] = s.aws("ec2", "create-internet-gateway")["InternetGateway"]["InternetGatewayId"]
        s.aws("ec2", "attach-internet-gateway", "--internet-gateway-id", ids["gateway"], "--vpc-id", ids["vpc"])
        ids["table"] = s.aws("ec2", "create-route-table", "--vpc-id", ids["vpc"])["RouteTable"]["RouteTableId"]
        s.aws("ec2", "create-route", "--route-table-id", ids["table"], "--destination-cidr-block", "0.0.0.0/0",
              "--gateway-id", ids["gateway"])  # fmt: skip
        s.aws("ec2", "associate-route-table", "--route-table-id", ids["table"], "--subnet-id", ids["subnet"])
        self.key_pair()
        ids["group"] = s.aws(
            "ec2", "create-security-group", "--group-name", "devops-sg", "--description", "SSH, HTTP and the API",
            "--vpc-id", ids["vpc"],
        )["GroupId"]  # fmt: skip
        for port in (22, 80, 8000):
            self.ingress("authorize", port)
        found = s.aws("ec2", "describe-security-groups", "--group-ids", ids["group"])["SecurityGroups"][0]
        ports = sorted(rule["FromPort"] for rule in found["IpPermissions"])
        s.check(ports == [22, 80, 8000], "ports 22, 80 and 8000 are open to everybody, no other", f"open: {ports}")

    def key_pair(self) -> None:
        """The private key is in the answer, this once."""
        s = self.stage
        s.say("  $ aws ec2 create-key-pair --key-name devops-key --query KeyMaterial --output text > devops-key.pem")
        material = s.aws("ec2", "create-key-pair", "--key-name", "devops-key", "--query", "KeyMaterial",
                         "--output", "text", shown="-")  # fmt: skip
        pem = s.files / "devops-key.pem"
        pem.unlink(missing_ok=True)
        pem.write_text(f"{material}\n")
        s.need("chmod", "400", str(pem), shown="chmod 400 devops-key.pem")
        s.need("ssh-keygen", "-y", "-P", "", "-f", str(pem), shown="ssh-keygen -y -f devops-key.pem")

    def ingress(self, verb: str, port: int) -> None:
        """Open or close a port to everybody."""
        self.stage.aws("ec2", f"{verb}-security-group-ingress", "--group-id", self.ids["group"], "--protocol", "tcp",
                       "--port", str(port), "--cidr", "0.0.0.0/0")  # fmt: skip

    # -- 3
    def server(self) -> None:
        """An instance, and a shell on it."""
        s = self.stage
        s.step("3  The server")
        images = s.aws(
            "ec2", "describe-images", "--owners", DEBIAN, "--filters", "Name=name,Values=debian-12-amd64-*",
            "Name=state,Values=available", "--query", "sort_by(Images, &CreationDate)[].ImageId",
        )  # fmt: skip
        s.check(images, f"the newest Debian 12 image is {images[-1] if images else 'missing'}")
        self.ids["image"] = images[-1]
        self.launch("server", "devops-server", "--key-name", "devops-key")
        s.check(self.address["server"], f"it has the public address {self.address['server']}")
        if not self.real:
            s.say("    (simulated: no shell, no application)")
            return
        took = s.until("ssh answers", lambda: s.ssh(self.address["server"], "true", quiet=True).code == 0,
                       seconds=90, every=0.1, hint="aws ec2 get-console-output")  # fmt: skip
        s.good(f"ssh answers {took:.1f} s later")
        s.say("    " + s.on(self.address["server"], ". /etc/os-release; echo $PRETTY_NAME on $(hostname)").strip())

    def launch(self, what: str, name: str, *more: str) -> None:
        """One t3.micro in the subnet, waited for."""
        s = self.stage
        ran = s.aws("ec2", "run-instances", "--image-id", self.ids["image"], "--instance-type", "t3.micro",
                    "--subnet-id", self.ids["subnet"], "--security-group-ids", self.ids["group"], *more,
                    *named("instance", name))  # fmt: skip
        self.ids[what] = ran["Instances"][0]["InstanceId"]
        self.wait("running", self.ids[what])
        self.address[what] = self.look(what).get("PublicIpAddress", "")

    def wait(self, state: str, *machines: str) -> None:
        """``aws ec2 wait`` asks every 15 seconds: asked more often before, it finds everything done."""
        s = self.stage
        names = ("--instance-ids", *machines)
        query = ("--query", "Reservations[].Instances[].State.Name")

        def there() -> bool:
            return set(s.aws("ec2", "describe-instances", *names, *query, shown="-")) == {state}

        s.until(f"{', '.join(machines)} {state}", there, seconds=300, every=0.2, hint="cloudjar logs")
        s.aws("ec2", "wait", f"instance-{state}", *names)

    def look(self, what: str) -> dict[str, Any]:
        """An instance as AWS describes it."""
        found = self.stage.aws("ec2", "describe-instances", "--instance-ids", self.ids[what])
        instance: dict[str, Any] = found["Reservations"][0]["Instances"][0]
        return instance

    def application(self) -> None:
        """Docker and the Task List on the server, by hand."""
        if not self.real:
            return
        s, address = self.stage, self.address["server"]
        s.step("3b Docker and the application")
        s.on(address, INSTALL, timeout=900)
        s.need("sh", "-c", f"tar -C {APPLICATION.parent} -c --exclude base.tar task-list | ssh -i "
               f"{s.files}/devops-key.pem -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
               f"-o LogLevel=ERROR admin@{address} tar -x", shown="scp -r -i devops-key.pem task-list "
               f"admin@{address}:")  # fmt: skip
        s.on(address, "cd task-list && ./build-base.sh && sudo docker-compose up -d --build", timeout=600)
        self.answers("server", seconds=60)
        url = f"http://{address}/"
        s.until(f"{url} answers", lambda: s.curl(url, seconds=3, quiet=True).code == 0, seconds=60)
        page = s.curl(url)
        s.check("<h1>Task List</h1>" in page.out, f"{url} shows the page", page.err or page.out[:300])
        s.curl(f"http://{address}/api/tasks", extra=("-d", '{"title":"Stop and start"}'))

    def answers(self, what: str, *, seconds: float) -> None:
        """The API gives the list, from this host, at the public address."""
        s, url = self.stage, f"http://{self.address[what]}:8000/api/tasks"
        s.say(f"  $ curl {url}")
        s.until(f"{url} answers", lambda: s.curl(url, seconds=3, quiet=True).code == 0, seconds=seconds,
                hint=f"aws ec2 get-console-output --instance-id {self.ids[what]}")  # fmt: skip
        said = s.curl(url, quiet=True).out.strip()
        s.say(f"    {said}")
        tasks = json.loads(said)
        s.check(tasks[0] == {"id": 1, "title": "Learn Docker", "done": False}, "the application gives its list", said)
        self.facts[f"{what} tasks"] = tasks

    # -- 4
    def user_data(self) -> None:
        """A second server that sets itself up: nobody signs in."""
        s = self.stage
        s.step("4  The same by user data")
        script = s.files / "user-data.sh"
        script.write_text(user_data_script())
        self.launch("robot", "devops-user-data", "--user-data", f"file://{script}")
        if self.real:
            self.answers("robot", seconds=900)
        s.say("    (a new account may run 5 vCPUs, a t3.micro has 2: this one makes room for the next)")
        s.aws("ec2", "terminate-instances", "--instance-ids", self.ids["robot"])
        self.wait("terminated", self.ids["robot"])

    # -- 5
    def refusals(self) -> None:
        """What must fail, fails."""
        s = self.stage
        s.step("5  What must fail, fails")
        if self.real:
            self.closed_port()
        self.private_instance()
        self.reader()
        self.wrong_secret()
        others = s.aws("ec2", "describe-instances", region="us-east-1")["Reservations"]
        s.check(not others, "another region shows no instances", json.dumps(others)[:300])

    def closed_port(self) -> None:
        """Nobody reaches a port that no rule opens, though somebody listens."""
        s, address = self.stage, self.address["server"]
        s.on(address, "sudo systemd-run --unit=nine python3 -m http.server 9000 && "
             "timeout 20 sh -c 'until curl -s localhost:9000 >/dev/null; do sleep .2; done'")  # fmt: skip
        url = f"http://{address}:9000/"
        s.check(s.curl(url, seconds=4).code == 28, "port 9000 times out")
        self.ingress("authorize", 9000)
        s.until("port 9000 answers", lambda: s.curl(url, seconds=3, quiet=True).code == 0, seconds=15)
        s.check(s.curl(url).code == 0, "port 9000 answers once it is authorized")
        self.ingress("revoke", 9000)
        s.until("port 9000 is closed", lambda: s.curl(url, seconds=3, quiet=True).code == 28, seconds=15)
        s.check(s.curl(url, seconds=4).code == 28, "and times out again once that is revoked")

    def private_instance(self) -> None:
        """An instance without public address is for the VPC alone."""
        s = self.stage
        self.launch("private", "devops-private", "--key-name", "devops-key", "--no-associate-public-ip-address")
        inside = self.look("private")["PrivateIpAddress"]
        s.check(not self.address["private"], f"the second server has just {inside}")
        if not self.real:
            return
        # Put on the jar's own Internet, whatever the host's routes say of 10.0.0.0/8.
        said = s.curl(f"http://{inside}:22/", seconds=4, extra=("--interface", f"cj-{s.tag}"))
        s.check(said.code in (7, 28), "it is unreachable from the host", said.out)
        s.until("the private server lets us in", lambda: s.ssh(
            inside, "true", through=self.address["server"], quiet=True).code == 0, seconds=90)  # fmt: skip
        name = s.ssh(inside, "hostname", through=self.address["server"]).out.strip()
        s.check(name == f"ip-{inside.replace('.', '-')}", f"and reachable through the first: {name}")

    def reader(self) -> None:
        """A user who may look may not launch."""
        s = self.stage
        s.aws("iam", "create-user", "--user-name", "reader")
        s.aws("iam", "put-user-policy", "--user-name", "reader", "--policy-name", "look",
              "--policy-document", json.dumps(READER))  # fmt: skip
        self.new_key("reader", who="admin-dev")
        seen = s.aws("ec2", "describe-instances", "--query", "length(Reservations)", who="reader")
        s.check(seen == 3, "reader sees three instances", str(seen))
        s.refused("ec2", "run-instances", "--image-id", self.ids["image"], "--instance-type", "t3.micro",
                  "--subnet-id", self.ids["subnet"], who="reader", code="UnauthorizedOperation")  # fmt: skip
        why = s.cloudjar("why", "--last")
        s.check(
            "user/reader" in why and "ec2:RunInstances" in why, "`cloudjar why` says which statement was missing", why
        )

    def wrong_secret(self) -> None:
        """A known key with another secret is nobody."""
        s = self.stage
        listed = s.aws("iam", "list-access-keys", "--user-name", "admin-dev")["AccessKeyMetadata"]
        self.profile("thief", listed[0]["AccessKeyId"], "x" * 40)
        s.refused("sts", "get-caller-identity", who="thief", code="SignatureDoesNotMatch")
        s.refused("ec2", "describe-instances", who="thief", code="AuthFailure")

    # -- 6
    def stop_and_start(self) -> None:
        """A stopped server gives its address back and keeps its disk."""
        s, before = self.stage, self.address["server"]
        s.step("6  Stop, start")
        s.aws("ec2", "stop-instances", "--instance-ids", self.ids["server"])
        self.wait("stopped", self.ids["server"])
        s.check("PublicIpAddress" not in self.look("server"), f"stopped: {before} was given back")
        if self.real:
            s.check(s.curl(f"http://{before}:8000/", seconds=3).code in (7, 28), "and nothing answers there")
        s.aws("ec2", "start-instances", "--instance-ids", self.ids["server"])
        self.wait("running", self.ids["server"])
        self.address["server"] = now = self.look("server").get("PublicIpAddress", "")
        s.check(now and now != before, f"started: it has another address, {now}")
        if self.real:
            self.answers("server", seconds=120)
            titles = [task["title"] for task in self.facts["server tasks"]]
            s.check(titles == ["Learn Docker", "Stop and start"], "the disk was kept: the task from before is there")

    def terminate(self) -> None:
        """Everything goes, in the order in which AWS lets it."""
        s, ids = self.stage, self.ids
        s.step("7  Terminate, clean up")
        machines = [ids["server"], ids["private"]]
        s.aws("ec2", "terminate-instances", "--instance-ids", *machines)
        self.wait("terminated", *machines)
        s.aws("ec2", "delete-security-group", "--group-id", ids["group"])
        s.aws("ec2", "detach-internet-gateway", "--internet-gateway-id", ids["gateway"], "--vpc-id", ids["vpc"])
        s.aws("ec2", "delete-internet-gateway", "--internet-gateway-id", ids["gateway"])
        s.aws("ec2", "delete-subnet", "--subnet-id", ids["subnet"])
        s.aws("ec2", "delete-route-table", "--route-table-id", ids["table"])
        s.aws("ec2", "delete-key-pair", "--key-name", "devops-key")
        s.aws("ec2", "delete-vpc", "--vpc-id", ids["vpc"])
        if self.real:
            with suppress(Trouble):  # what is left is said below
                s.until("the machines are gone from the host", lambda: not self.remains(), seconds=30)
            left = "\n".join(self.remains())
            s.check(not left, "no container, namespace, mount, loop device or process of them is left", left)
        self.facts["bill"] = json.loads(s.cloudjar("bill", "--json", shown="-"))
        s.say("\nWhat was used, and what it would have cost\n")
        s.say(s.cloudjar("bill", shown="cloudjar bill"))
        down = json.loads(s.cloudjar("down", "--json", shown="cloudjar down", timeout=300))
        left = "\n".join(self.remains(everything=True) if self.real else [])
        s.check(down["leaks"] == [] and not left, "the host is as it was", left)

    def remains(self, *, everything: bool = False) -> list[str]:
        """Traces on the host, looked for with the host's own tools; `everything` counts the jar's own network too."""
        s = self.stage
        found = []
        names = s.run("ip", "netns", "list", shown="-").out.split("\n")
        found += [n for n in names if n.startswith(f"cj-{s.tag}-" if everything else f"cj-{s.tag}-i-")]
        found += [m for m in Path("/proc/self/mounts").read_text().split("\n") if f" {s.home}/" in m]
        found += [x for x in s.run("losetup", "--list", "--noheadings", shown="-").out.split("\n") if f"{s.home}/" in x]
        found += [str(p) for p in Path("/run/cloudjar", s.tag, "runc").glob("*")]
        found += [p for p in s.run("ps", "-eo", "args", shown="-").out.split("\n") if f"cj-{s.tag}-i-" in p]
        if everything:
            found += [x for x in s.run("ip", "-o", "link", shown="-").out.split("\n") if f"cj-{s.tag}" in x]
            found += [x for x in s.run("nft", "list", "tables", shown="-").out.split("\n") if f"cloudjar-{s.tag}" in x]
            found += [x for x in s.run("ip", "rule", shown="-").out.split("\n") if s.pool in x]
        return [x for x in found if x.strip()]

    def end(self) -> None:
        """Whatever happened: nothing of this story stays."""
        s = self.stage
        s.rest()
        said = s.run(*CLOUDJAR, "reset", "--yes", shown="-", timeout=300)
        if said.code:
            raise Trouble("the demo's jar could not be removed", said.err.strip(), f"cloudjar reset --home {s.home}")
        for folder in (s.home, s.files):
            shutil.rmtree(folder, ignore_errors=True)


def named(kind: str, name: str) -> tuple[str, str]:
    """Options that give a new resource its name."""
    return "--tag-specifications", f"ResourceType={kind},Tags=[{{Key=Name,Value={name}}},{{Key=Project,Value=devops}}]"


def user_data_script() -> str:
    """What the second server runs at its first boot. The application is in it: no repository may be reachable."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w|") as tar:
        for name in ("build-base.sh", "Dockerfile", ".dockerignore", "docker-compose.yml", "app"):
            tar.add(APPLICATION / name, f"task-list/{name}", filter=lambda i: None if "__pycache__" in i.name else i)
    text = base64.encodebytes(packed.getvalue()).decode()
    script = f"""#!/bin/bash
set -eux
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -yq docker.io docker-compose
cd /home/admin
base64 -d <<'PACKED' | tar -xz
{text}PACKED
cd task-list
./build-base.sh
docker-compose up -d --build
"""
    if len(script) > 16 * 1024:
        raise Trouble("the user data is larger than the 16 KB that AWS takes", f"{len(script)} bytes")
    return script
