"""What the kernel's tables say of a guest's network."""

from __future__ import annotations

from cloudjar.planes.compute.entering import is_connected, is_local

UP = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t01214D0A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00214D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
TRIE = """Main:
  +-- 10.77.33.0/24 2 0 2
     |-- 10.77.33.0
        /24 link UNICAST
     |-- 10.77.33.2
        /32 host LOCAL
     |-- 10.77.33.255
        /32 link BROADCAST
"""


def test_the_address_is_held() -> None:
    assert is_local(TRIE, "10.77.33.2")
    for other in ("10.77.33.0", "10.77.33.255", "10.77.33.3"):
        assert not is_local(TRIE, other)


def test_the_interface_is_up() -> None:
    assert is_connected(UP, "10.77.33.2")
    assert not is_connected(UP, "10.77.34.2")
    assert not is_connected(UP.splitlines()[0] + "\n", "10.77.33.2")
