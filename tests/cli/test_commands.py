"""What each command says of a running jar, and how it fails."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cloudjar.cli.root import COMMANDS
from tests.cli.terminal import Terminal


def test_help_lists_every_command_and_wrong_usage_is_2(up: Terminal) -> None:
    said = up.good("--help")
    section = said.partition("Commands:\n")[2]
    names = [line.split()[0] for line in section.splitlines() if line[2:3].strip()]
    assert names == list(COMMANDS)
    for name in names:
        assert "Usage: " in up.good(name, "--help")
    assert up.run("fly").code == 2
    assert up.run("up", "--planes", "paper").code == 2
    assert up.run("clock", "advance", "soon").code == 2
    assert up.run("bill", "--month", "yesterday").code == 2


def test_a_bill_counts_hours_and_names_its_sources(terminal: Terminal) -> None:
    terminal.good("up")
    instance = terminal.launch()
    terminal.good("clock", "advance", "10h")
    month = terminal.json("clock")["now"][:7]
    found = {i["usage_type"]: i for i in terminal.json("bill", "--month", month)["items"]}
    box = found["BoxUsage:t3.micro"]
    # Ten hours and the moments around them; the beginning may lie in the month before.
    assert Decimal("9") < Decimal(box["quantity"]) < Decimal("10.2") or month.endswith("-01")
    assert Decimal(box["cost"]) == pytest.approx(Decimal(box["quantity"]) * Decimal("0.0118"), abs=Decimal("1e-9"))
    assert {"EBS:VolumeUsage.gp3", "PublicIPv4:InUseAddress", "Requests"} <= set(found)
    assert instance in terminal.good("bill", "--by", "resource")
    text = terminal.good("bill", "--sources")
    assert "Price of" in text
    assert "Amazon Elastic Compute Cloud" in text
    assert "nothing was used" in terminal.good("bill", "--month", "2020-01")
    ahead = {i["usage_type"]: i for i in terminal.json("bill", "--if-left-running", "30d")["items"]}
    assert Decimal(ahead["BoxUsage:t3.micro"]["quantity"]) == pytest.approx(720, abs=Decimal("0.1"))
    assert "If all of this is left running" in terminal.good("bill", "--if-left-running", "30d")
    assert terminal.run("bill", "--if-left-running", "30d", "--month", month).code == 2
    left = {one["resource"]: one for one in terminal.json("leftovers")["leftovers"]}
    assert left[instance]["command"].startswith(f"aws ec2 terminate-instances --instance-ids {instance} --region ")
    assert Decimal(left[instance]["cost"]) == pytest.approx(720 * Decimal("0.0118"), abs=Decimal("0.01"))
    assert instance in terminal.good("leftovers")
    assert "(none)" in terminal.good("bill", "--tag", "Project")
    assert set(terminal.json("bill", "--by", "account")["parts"]) == {"000000000000"}
    status = terminal.json("status")
    assert status["instances_running"] == 1
    assert Decimal(status["month_to_date"]["cost"]) > 0


def test_events_and_why_tell_what_happened(terminal: Terminal) -> None:
    terminal.good("up")
    assert terminal.run("why").code == 1  # nothing was refused yet
    instance = terminal.launch()
    told = terminal.good("events")
    assert f"EC2 Instance State-change Notification: {instance} running" in told
    last = json.loads(terminal.good("events", "--json").splitlines()[-1])
    assert last["detail"] == {"instance-id": instance, "state": "running"}
    assert terminal.good("events", "--since", str(last["seq"])) == ""
    iam = terminal.client("iam")
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    with pytest.raises(ClientError) as refused:
        terminal.client("iam", key["AccessKeyId"], key["SecretAccessKey"]).list_users()
    request = refused.value.response["ResponseMetadata"]["RequestId"]
    for said in (terminal.good("why", request), terminal.good("why", "--last")):
        assert "iam:ListUsers" in said
        assert ":user/bob" in said
    unknown = terminal.run("why", "no-such-request")
    assert (unknown.code, "no call has this request id" in unknown.err) == (1, True)


def test_logs_are_the_servers_own(up: Terminal) -> None:
    assert "Ready." in up.good("logs")


def test_env_can_be_evaluated_and_shell_keeps_a_configuration_of_its_own(up: Terminal) -> None:
    script = 'eval "$1"; echo "$AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID"'
    said = subprocess.run(["sh", "-c", script, "sh", up.good("env")], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [up.json("env")["AWS_ENDPOINT_URL"], "test"]
    told = up.good("shell", "--", "sh", "-c", "env | grep ^AWS_ | sort")
    found = dict(line.split("=", 1) for line in told.splitlines())
    assert set(found) == {"AWS_CONFIG_FILE", "AWS_ENDPOINT_URL", "AWS_SHARED_CREDENTIALS_FILE"}
    credentials = Path(found["AWS_SHARED_CREDENTIALS_FILE"])
    assert credentials.is_relative_to(up.home)
    assert credentials.stat().st_mode & 0o077 == 0
    assert up.run("shell", "--", "no-such-program").code == 1


def test_ssh_says_what_it_lacks(up: Terminal) -> None:
    nobody = up.run("ssh", "nobody")
    assert (nobody.code, "there is no instance nobody" in nobody.err) == (1, True)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]
    instance = up.launch(TagSpecifications=tags)
    for name in (instance, "web"):
        simulated = up.run("ssh", name)
        assert simulated.code == 1
        assert f"{instance} is simulated" in simulated.err
        assert "Try: " in simulated.err


def test_status_fits_people_and_programs(up: Terminal) -> None:
    text = up.good("status")
    assert "Money" in text
    assert "\x1b" not in text  # no colour where nobody looks
    about = up.json("status")
    assert about["compute"] == about["network"] == "sim"


def test_doctor_is_content_with_its_own_port(up: Terminal) -> None:
    found = {f["what"]: f for f in up.json("doctor")}
    assert found["Python"]["ok"]
    port = up.json("env")["AWS_ENDPOINT_URL"].rpartition(":")[2]
    assert found[f"port {port}"]["why"] == "this jar answers there"


def test_settings_that_cannot_be_are_named(terminal: Terminal) -> None:
    said = terminal.run("up", "--account", "12")
    assert (said.code, "account" in said.err, "Try: " in said.err) == (1, True, True)


def test_iams_changes_can_be_made_to_take_their_time(terminal: Terminal) -> None:
    terminal.good("up", "--eventual-consistency", "3000")
    assert terminal.json("consistency") == {"iam": 3000}
    iam = terminal.client("iam")
    iam.create_user(UserName="bob")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName="bob")
    terminal.good("clock", "advance", "50m")
    assert iam.get_user(UserName="bob")["User"]["UserName"] == "bob"
    assert "at once" in terminal.good("consistency", "0")
    iam.create_user(UserName="eve")
    assert iam.get_user(UserName="eve")["User"]["UserName"] == "eve"
    assert terminal.run("consistency", "4000").code == 2


def test_an_account_is_opened_on_a_plan(up: Terminal) -> None:
    made = up.json("account", "create", "--email", "Ann@Example.com", "--plan", "paid")
    assert (made["name"], made["email"], made["plan"], made["state"]) == ("Ann", "ann@example.com", "paid", "ACTIVE")
    sts = up.client("sts", made["access_key_id"], made["secret_access_key"])
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{made['id']}:root"
    account = up.client("account", made["access_key_id"], made["secret_access_key"])
    assert account.get_account_information()["AccountName"] == "Ann"
    again = up.run("account", "create", "--email", "ann@example.com")
    assert again.code == 1
    assert "belongs to another account" in again.err
    assert up.run("account", "create", "--email", "nobody").code == 1
    assert up.run("account", "create", "--email", "a@example.com", "--plan", "golden").code == 2
    assert made["id"] in [row["id"] for row in up.json("account", "list")]
    told = up.good("account", "list")
    assert made["id"] in told
    assert made["secret_access_key"] not in told
    assert "AWS_SECRET_ACCESS_KEY=" in up.good("account", "create", "--email", "bob@example.com")


def test_imported_prices_are_on_the_bill(terminal: Terminal, tmp_path: Path) -> None:
    about = {"usagetype": "EUW3-BoxUsage:t3.micro", "operation": "RunInstances", "regionCode": "eu-west-3"}
    rate = {"unit": "Hrs", "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": "1.0000000000"}}
    term = {"S.T": {"priceDimensions": {"S.T.R": rate}}}
    offer = {"offerCode": "AmazonEC2", "products": {"S": {"attributes": about}}, "terms": {"OnDemand": {"S": term}}}
    file = tmp_path / "index.json"
    file.write_text(json.dumps(offer))
    assert "AmazonEC2" in terminal.good("prices", "import", str(file))
    terminal.good("up")
    terminal.launch()
    terminal.good("clock", "advance", "10h")
    month = terminal.json("clock")["now"][:7]
    found = {i["usage_type"]: i for i in terminal.json("bill", "--month", month)["items"]}
    box = found["BoxUsage:t3.micro"]
    assert Decimal(box["cost"]) == Decimal(box["quantity"])
    assert "imported from offer files" in terminal.good("bill", "--month", month, "--sources")
    file.write_text("{}")
    assert "no offer file" in terminal.run("prices", "import", str(file)).err
