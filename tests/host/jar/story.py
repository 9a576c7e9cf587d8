"""The main job as somebody tells it who also looks at the machines: every promise about one is kept by packets."""

from __future__ import annotations

from typing import Any

from tests.crash.client import Client
from tests.crash.story import Story
from tests.host.jar.packets import Wire
from tests.host.jar.served import RealJar, until


class RealStory(Story):
    """The story of `tests.crash`, with real machines in it."""

    def __init__(self, jar: RealJar, wire: Wire, client: Client, root: tuple[str, str], name: str) -> None:
        super().__init__(client, root, name)
        self.jar, self.wire = jar, wire
        self.public: dict[str, str] = {}

    def _reach(self, which: str, state: str) -> dict[str, Any]:
        """Asked as often as the API lets one ask for minutes."""

        def there() -> dict[str, Any] | None:
            vm = self._show(which)
            return vm if vm["State"]["Name"] == state else None

        found: dict[str, Any] = until(there, f"{which} to be {state}", 120, 0.1)
        return found

    def _promise_life(self, which: str) -> None:
        """From here on the machine runs on, untouched, and lets us in: whatever becomes of the server."""
        machine, address = self.ids[which], self.public[which]
        self._greets(address)
        life = self.jar.life(machine)
        held = self.promises[which]

        def check() -> None:
            held()
            assert self.jar.life(machine) == life, f"{which} was booted again"
            self._greets(address)

        self.promises[which] = check

    def _greets(self, address: str) -> None:
        until(lambda: self.wire.banner(address).startswith(b"SSH-"), f"{address} to let us in")

    def see_them_run(self) -> None:
        super().see_them_run()
        for which in ("first", "second"):
            self.public[which] = self._show(which)["PublicIpAddress"]
            self._promise_life(which)
        self.jar.inside(self.ids["first"], f"echo {self.name} > /root/kept && sync")

    def open_one_more(self) -> None:
        super().open_one_more()
        self._port_9000("refused")  # nobody listens, but the packet gets there

    def close_it_again(self) -> None:
        super().close_it_again()
        self._port_9000("dropped")

    def _port_9000(self, verdict: str) -> None:
        address = self.public["first"]
        until(lambda: self.wire.knock(address, 9000) == verdict, f"port 9000 of {address} to be {verdict}", 20)

    def see_it_rest(self) -> None:
        super().see_it_rest()
        until(lambda: self.wire.knock(self.public["first"], 22) == "dropped", "the address to lead nowhere", 20)
        assert self.jar.compute.look(self.ids["first"]) == "down"

    def see_it_back(self) -> None:
        super().see_it_back()
        self.public["first"] = self._show("first")["PublicIpAddress"]
        self._promise_life("first")
        assert self.jar.inside(self.ids["first"], "cat /root/kept") == self.name

    def reboot(self) -> None:
        before = self.jar.life(self.ids["second"])
        super().reboot()

        def booted() -> bool:
            self._show("second")  # a dead server must be noticed
            return self.jar.life(self.ids["second"]) not in (None, before)

        until(booted, "the second machine to boot again", 90, 0.1)
        self._promise_state("second", "running")
        self._greets(self.public["second"])

    def see_them_gone(self) -> None:
        super().see_them_gone()
        until(lambda: not self.jar.machine_traces(), "every trace of the machines to go", 30)

    # A machine that is asked to boot again may be, and one attempt may be all of it.
    STEPS = tuple((step, ("second",) if step == "reboot" else ends) for step, ends in Story.STEPS)
