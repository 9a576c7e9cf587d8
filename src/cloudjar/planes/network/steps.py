"""What decides about a packet on its way, one step at a time: for people as text, for programs as fields; pure."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal[
    "sender", "nobody", "fabric", "route", "group", "acl", "check", "forwarder", "nat", "gateway", "public-address",
    "peering", "transit", "endpoint", "api", "outside", "spoofed", "barred",
]  # fmt: skip


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. Addresses are text; what a kind says nothing about is empty.

    - ``sender``: `what` (an ENI) sends, or cannot; ``nobody``: nobody has the address `target` in `what` (a VPC)
    - ``group``: `what` is the security group that lets a packet by, empty where none does, or where none is asked
    - ``acl``: entry `number` of `what`, 0 for the last one, which has no number; `at` is the subnet
    - ``route``: `what` is the route table, which leads nowhere for `target`
    - ``check``, ``forwarder``, ``nat``: `what` is the ENI that a packet is sent by way of; ``nat`` makes `target` its
      source, and refuses what asks for itself
    - ``gateway``: the internet gateway `what` makes `target` of the address `source` (of a packet's source where the
      direction is egress, of its target where it is ingress); both are empty where it does not translate
    - ``public-address``: no address of this kind for `source` (egress), or nobody's `target` (ingress), at `what`
    - ``barred``: Block Public Access keeps it from passing `what` (an internet or egress-only gateway) at the subnet
      `at`; `source` is the ENI, `target` its VPC
    - ``peering``, ``transit``: `what` leads to `target`, a VPC; where it does not, `target` is an address that it does
      not carry, empty where there is no other side
    """

    kind: Kind
    text: str
    passed: bool = True
    what: str = ""
    direction: Literal["", "ingress", "egress"] = ""
    source: str = ""
    target: str = ""
    at: str = ""
    """The ENI, subnet or attachment at which it was decided."""
    number: int = 0
    back: bool = False
    """Of the answer, not of the packet."""


class Answer(msgspec.Struct, frozen=True):
    """``open`` or ``dropped``, and the decisions on the way; of a packet that is dropped the last one is decisive."""

    status: Literal["open", "dropped"]
    steps: tuple[Step, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """The steps in words, a line each."""
        return tuple(step.text for step in self.steps)


class Dropped(Exception):
    """A packet ends here."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.text)
        self.step = step
