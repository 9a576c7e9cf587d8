"""The host loses its power together with the server: machines are gone, records are not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.test_instances import launch, show, state


def lose_host(jar: TestJar) -> None:
    """Server and machines vanish at once; both come back, the machines' disks with them."""
    for machine in jar.host.host.machines.values():
        machine.up = False
    jar.network.close()
    jar.crash()


def test_what_ran_is_started_again(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    before = show(ec2, vm)
    lose_host(jar)
    jar.settle()
    assert jar.host.look(vm) == "up"
    assert jar.network.guests() == [vm]
    after = show(ec2, vm)
    assert after["State"]["Name"] == "running"
    assert after["PublicIpAddress"] == before["PublicIpAddress"]


def test_a_machine_that_was_being_looked_at_is_not_taken_for_shut_down_from_inside(steady_jar: TestJar) -> None:
    """A wake-up from before the crash comes first, and finds no machine."""
    ec2 = steady_jar.client("ec2")
    vm = launch(ec2)
    steady_jar.settle()
    ec2.reboot_instances(InstanceIds=[vm])  # wakes the instance; the crash comes before its reconciler
    lose_host(steady_jar)
    steady_jar.settle()
    assert state(ec2, vm) == "running"
    assert steady_jar.host.look(vm) == "up"


def test_what_was_stopped_stays_so_and_costs_nothing(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    jar.advance(hours=1)
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    lose_host(jar)
    jar.settle()
    jar.advance(hours=1)
    assert state(ec2, vm) == "stopped"
    assert jar.host.look(vm) == "down"
    assert jar.usage("BoxUsage:t3.micro") == timedelta(hours=1)


def test_a_machine_that_nobody_knows_is_removed(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    ec2.terminate_instances(InstanceIds=[vm])
    jar.jar.database.execute('DELETE FROM "ec2/instance"')  # as if the record had never been acknowledged
    jar.crash()
    jar.settle()
    assert jar.host.machines() == {}


def test_a_boot_is_all_the_reboot_that_was_asked_for(steady_jar: TestJar) -> None:
    """Whoever boots a machine has rebooted it: no second boot comes out of the blue later."""
    ec2 = steady_jar.client("ec2")
    rested, lost = launch(ec2), launch(ec2)
    steady_jar.settle()
    ec2.reboot_instances(InstanceIds=[rested, lost])
    ec2.stop_instances(InstanceIds=[rested])
    lose_host(steady_jar)
    steady_jar.settle()
    ec2.start_instances(InstanceIds=[rested])
    steady_jar.settle()
    ec2.monitor_instances(InstanceIds=[rested, lost])  # wakes both
    steady_jar.settle()
    assert (state(ec2, rested), state(ec2, lost)) == ("running", "running")
    assert {vm: machine.boots for vm, machine in steady_jar.host.host.machines.items()} == {rested: 2, lost: 2}


def test_a_guest_that_powered_itself_off_meanwhile_is_not_started_again(jar: TestJar, ec2: Any) -> None:
    """Nobody was there to see it, but it was no loss of the host."""
    off, lost = launch(ec2), launch(ec2)
    jar.settle()
    jar.host.watch(lambda _: None)  # the server is dead
    jar.host.power_off(off)
    jar.host.host.machines[lost].up = False
    jar.crash()
    jar.settle()
    assert (state(ec2, off), state(ec2, lost)) == ("stopped", "running")
    assert (jar.host.look(off), jar.host.look(lost)) == ("down", "up")
    ec2.start_instances(InstanceIds=[off])
    jar.settle()
    jar.crash()
    jar.settle()
    assert state(ec2, off) == "running"
