"""The server is killed, or the whole host lost, while machines are between two states or at work."""

from __future__ import annotations

import random
import threading

import pytest

from tests.host.jar.account import Account, Machine
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar, lose_host, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]


class Place:
    """A public subnet whose machines let SSH in."""

    def __init__(self, jar: RealJar, wire: Wire) -> None:
        self.jar, self.wire, self.account = jar, wire, Account(jar)
        vpc = self.account.vpc()
        self.subnet = self.account.subnet(vpc, public=True)
        self.account.gateway(vpc)
        self.group = self.account.group(vpc, "ssh", 22)

    def launch(self) -> str:
        return self.account.launch(self.subnet, self.group)[0]

    def greeted(self, machine: str) -> Machine:
        vm = self.account.reach(machine, "running")
        until(lambda: self.wire.banner(vm.public).startswith(b"SSH-"), f"{machine} to let us in")
        return vm

    def killed_after(self, seconds: float) -> None:
        """kill -9 a moment from now, and a new server."""
        timer = threading.Timer(seconds, self.jar.kill)
        timer.start()
        timer.join()
        self.jar.start()


@pytest.fixture(scope="module")
def place(real: RealJar, wire: Wire) -> Place:
    return Place(real, wire)


def draws(seed: int, most: float, count: int) -> list[float]:
    """Seconds after an answer at which the server dies: at once, and at drawn moments."""
    draw = random.Random(seed)
    return [0.0, *(draw.uniform(0, most) for _ in range(count - 1))]


def test_killed_while_pending(place: Place) -> None:
    machines = []
    for seconds in draws(1, 0.25, 4):
        machines.append(place.launch())
        place.killed_after(seconds)
    for machine in machines:
        place.greeted(machine)
    assert set(place.jar.compute.machines()) == set(machines)
    lives = [place.jar.life(machine) for machine in machines]
    place.killed_after(0)
    assert [place.jar.life(machine) for machine in machines] == lives


def test_killed_while_stopping(place: Place) -> None:
    for seconds in draws(2, 0.6, 3):
        machine = place.launch()
        before = place.greeted(machine)
        place.jar.inside(machine, "echo kept > /root/kept")
        place.account.ec2.stop_instances(InstanceIds=[machine])
        place.killed_after(seconds)
        place.account.reach(machine, "stopped")
        assert place.jar.compute.look(machine) == "down"
        place.account.ec2.start_instances(InstanceIds=[machine])
        place.killed_after(seconds)
        after = place.greeted(machine)
        assert after.private == before.private
        assert after.public != before.public
        assert place.jar.inside(machine, "cat /root/kept") == "kept"


def test_killed_while_shutting_down(place: Place) -> None:
    account, jar = place.account, place.jar
    for _ in range(3):
        place.launch()  # beside those of the tests before; some will not even have booted
    machines = [
        vm["InstanceId"] for found in account.ec2.describe_instances()["Reservations"] for vm in found["Instances"]
    ]
    moments = draws(3, 0.3, len(machines))
    for machine, seconds in zip(machines, moments, strict=True):
        account.ec2.terminate_instances(InstanceIds=[machine])
        place.killed_after(seconds)
    for machine in machines:
        account.reach(machine, "terminated")
    until(lambda: not jar.machine_traces(), "every trace of the machines to go")
    assert jar.compute.machines() == {}


def test_what_ran_runs_again_after_the_host_was_lost(place: Place) -> None:
    """Same machine, same disk, same addresses; what was stopped stays so; what was to end ends."""
    account, jar = place.account, place.jar
    running, resting, ending = (place.launch() for _ in range(3))
    before = place.greeted(running)
    for machine in (resting, ending):
        place.greeted(machine)
    jar.inside(running, "echo kept > /root/kept && sync")
    account.ec2.stop_instances(InstanceIds=[resting])
    account.reach(resting, "stopped")
    account.ec2.terminate_instances(InstanceIds=[ending])
    lose_host(jar)
    jar.start()
    assert account.state(running) == "running"
    after = place.greeted(running)
    assert after == before
    assert jar.inside(running, "cat /root/kept; ip -4 -o addr show eth0").split()[0] == "kept"
    assert before.private in jar.inside(running, "ip -4 -o addr show eth0")
    account.reach(ending, "terminated")
    assert account.state(resting) == "stopped"
    assert jar.compute.machines() == {running: "up", resting: "down"}
    account.ec2.terminate_instances(InstanceIds=[running, resting])
    for machine in (running, resting):
        account.reach(machine, "terminated")
    until(lambda: not jar.machine_traces(), "every trace of the machines to go")


def test_the_host_is_lost_again_and_again_while_machines_start(place: Place) -> None:
    """Nothing half made is taken for whole."""
    machine = place.launch()
    for seconds in draws(4, 0.4, 3):
        threading.Event().wait(seconds)
        lose_host(place.jar)
        place.jar.start()
    vm = place.greeted(machine)
    assert place.jar.inside(machine, "hostname") == f"ip-{vm.private.replace('.', '-')}"
    place.account.ec2.terminate_instances(InstanceIds=[machine])
    place.account.reach(machine, "terminated")
    until(lambda: not place.jar.machine_traces(), "every trace of the machine to go")


def test_what_powered_itself_off_while_nobody_looked_stays_off(place: Place) -> None:
    """The server was dead, the host was not."""
    account, jar = place.account, place.jar
    stops = place.launch()
    (ends,) = account.launch(place.subnet, place.group, InstanceInitiatedShutdownBehavior="terminate")
    (boots,) = account.launch(place.subnet, place.group)
    for machine in (stops, ends, boots):
        place.greeted(machine)
    life = jar.life(boots)
    jar.kill()
    for machine, words in ((stops, "poweroff"), (ends, "poweroff"), (boots, "reboot")):
        jar.inside(machine, f"systemd-run --on-active=0.1 systemctl {words} >/dev/null 2>&1")
    for machine in (stops, ends):
        until(lambda machine=machine: jar.compute.look(machine) == "down", f"{machine} to go down")  # type: ignore[misc]  # mypy cannot type a lambda's default
    until(lambda: jar.life(boots) not in (None, life), "the guest's own reboot")
    jar.start()
    account.reach(stops, "stopped")
    account.reach(ends, "terminated")
    place.greeted(boots)
    assert account.show(stops)["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    account.ec2.terminate_instances(InstanceIds=[stops, boots])
    for machine in (stops, boots):
        account.reach(machine, "terminated")
    until(lambda: not jar.machine_traces(), "every trace of the machines to go")


def test_a_connection_outlives_the_server(place: Place) -> None:
    """Somebody is signed in over SSH: what carries the packets is the kernel, not the server."""
    machine = place.launch()
    vm = place.greeted(machine)
    with place.wire.connect(vm.public, 22, wait=10) as session:
        assert session.recv(64).startswith(b"SSH-")
        place.killed_after(0)
        place.account.authorize(place.group, 8000)  # the new server has laid the network out anew
        until(lambda: place.wire.knock(vm.public, 8000) == "refused", "the new server's rule to hold")
        session.sendall(b"SSH-2.0-still-here\r\n")
        assert len(session.recv(4096)) > 100  # the keys that it offers
    place.account.ec2.terminate_instances(InstanceIds=[machine])
    place.account.reach(machine, "terminated")


def test_killed_twice_while_a_dozen_start(place: Place) -> None:
    machines = place.account.launch(place.subnet, place.group, count=12)
    for seconds in (0.5, 0.3):
        place.killed_after(seconds)
    ec2, jar = place.account.ec2, place.jar

    def addresses() -> list[str]:
        found = ec2.describe_instances(InstanceIds=machines)["Reservations"]
        vms = [vm for reservation in found for vm in reservation["Instances"]]
        return [vm["PublicIpAddress"] for vm in vms if vm["State"]["Name"] == "running"]

    until(lambda: len(addresses()) == 12, "all to run", 60, 0.2)
    assert len(set(addresses())) == 12
    for address in addresses():
        until(lambda address=address: place.wire.banner(address).startswith(b"SSH-"), f"{address} to let us in")  # type: ignore[misc]  # mypy cannot type a lambda's default
    ec2.terminate_instances(InstanceIds=machines)
    place.killed_after(0.2)
    until(lambda: not jar.machine_traces(), "every trace of the machines to go")
    until(lambda: not jar.network.vpcs(), "the network to go with its last machine")
