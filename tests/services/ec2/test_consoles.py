"""Consoles as text and picture, and status checks of guests that are there and do not answer."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from cloudjar.services.ec2.instances.screen import screen
from tests.jar import TestJar
from tests.services.answers import refused
from tests.services.ec2.asking import launch


def test_what_a_screen_shows() -> None:
    assert screen(b"one\r\ntwo\r\n") == ["one", "two"]
    assert screen(b"50%\r100%\r\n\x1b[32mgreen\x1b[0m ab\bc\ttab") == ["100%", "green ac        tab"]
    assert screen(b"gone\x1b[2J\x1b[Hhere\x1b]0;title\x07!") == ["here!"]
    assert screen(b"x" * 170) == ["x" * 80, "x" * 80, "x" * 10]
    assert screen("".join(f"{number}\r\n" for number in range(40)).encode()) == [str(n) for n in range(15, 40)]
    assert screen(b"long line\rshort\x1b[K") == ["short"]
    assert screen(b"") == []


def test_the_console(jar: TestJar, ec2: Any) -> None:
    machine = launch(ec2)
    with refused("IncorrectInstanceState"):
        ec2.get_console_screenshot(InstanceId=machine)
    jar.settle()
    text = ec2.get_console_output(InstanceId=machine, Latest=True)["Output"]
    assert f"[simulated machine {machine}] boot 1" in text
    data = base64.b64decode(ec2.get_console_screenshot(InstanceId=machine)["ImageData"])
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("JPEG", (720, 400))
    top, bottom = image.crop((0, 0, 720, 16)), image.crop((0, 300, 720, 400))
    assert max(band[1] for band in top.getextrema()) > 100  # type: ignore[index]  # a pair for each of three bands
    assert max(band[1] for band in bottom.getextrema()) < 30  # type: ignore[index]  # likewise
    old = launch(ec2, InstanceType="t2.micro")
    jar.settle()
    assert ec2.get_console_output(InstanceId=old)["Output"]
    with refused("UnsupportedOperation", "Nitro"):
        ec2.get_console_output(InstanceId=old, Latest=True)


def test_a_guest_that_does_not_answer_is_impaired(jar: TestJar, ec2: Any) -> None:
    machine = launch(ec2)
    jar.settle()

    def status() -> dict[str, Any]:
        found: dict[str, Any] = ec2.describe_instance_status(InstanceIds=[machine])["InstanceStatuses"][0]
        return found

    assert status()["InstanceStatus"]["Status"] == "ok"
    jar.host.deaf.add(machine)
    shown = status()
    assert (shown["InstanceStatus"]["Status"], shown["SystemStatus"]["Status"]) == ("impaired", "ok")
    since = shown["InstanceStatus"]["Details"][0]["ImpairedSince"]
    jar.settle()
    jar.advance(minutes=10)
    assert status()["InstanceStatus"]["Details"] == [
        {"Name": "reachability", "Status": "failed", "ImpairedSince": since}
    ]
    impaired = [{"Name": "instance-status.reachability", "Values": ["failed"]}]
    assert ec2.describe_instance_status(Filters=impaired)["InstanceStatuses"]
    jar.host.deaf.clear()
    assert status()["InstanceStatus"]["Details"] == [{"Name": "reachability", "Status": "passed"}]
    jar.settle()
    jar.host.deaf.add(machine)
    jar.advance(minutes=1)
    assert status()["InstanceStatus"]["Details"][0]["ImpairedSince"] > since
