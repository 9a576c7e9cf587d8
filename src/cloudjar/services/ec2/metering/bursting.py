"""The arithmetic of CPU credits. Pure.

A credit is one virtual CPU at 100 % for one minute. All amounts are of the whole instance.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html
"""

from __future__ import annotations

import math

import msgspec
from msgspec.structs import replace

from cloudjar.spec.instance_types import Burst


class Account(msgspec.Struct, frozen=True, array_like=True):
    """Credits of an instance: earned ones and those given at launch (T2), surplus that was spent ahead of earning it
    (unlimited), and all that was spent and charged since the instance was launched."""

    balance: float = 0.0
    launch: float = 0.0
    surplus: float = 0.0
    spent: float = 0.0
    charged: float = 0.0

    @property
    def available(self) -> float:
        """What is shown as the balance."""
        return self.balance + self.launch


_LEAST = 1e-9


def after(account: Account, burst: Burst, cpus: float, seconds: float, *, unlimited: bool) -> Account:
    """The credits after `cpus` virtual CPUs were used evenly for some time."""
    left = seconds
    held = replace(account, spent=account.spent + cpus / 60 * seconds)
    for _ in range(8):
        if left <= _LEAST:
            break
        length, held = _stretch(held, burst, cpus, left, unlimited=unlimited)
        left -= length
    return held


def _stretch(
    held: Account, burst: Burst, cpus: float, most: float, *, unlimited: bool
) -> tuple[float, Account]:
    """The longest stretch in which the same pot is filled or emptied, and the credits at its end."""
    earning, spending = burst.earned_per_hour / 3600, cpus / 60
    if held.launch > _LEAST and spending > 0:
        length = min(most, held.launch / spending)
        balance = min(burst.maximum, held.balance + earning * length)
        return length, replace(held, launch=_none(held.launch - spending * length), balance=balance)
    gain = earning - spending
    if gain >= 0:
        if held.surplus > _LEAST and gain > 0:
            length = min(most, held.surplus / gain)
            return length, replace(held, surplus=_none(held.surplus - gain * length))
        return most, replace(held, balance=min(burst.maximum, held.balance + gain * most))
    if held.balance > _LEAST:
        length = min(most, held.balance / -gain)
        return length, replace(held, balance=_none(held.balance + gain * length))
    if not unlimited:
        return most, replace(held, balance=0.0)
    if held.surplus < burst.maximum - _LEAST:
        length = min(most, (burst.maximum - held.surplus) / -gain)
        return length, replace(held, surplus=held.surplus - gain * length)
    return most, replace(held, charged=held.charged - gain * most)


def _none(amount: float) -> float:
    return amount if amount > _LEAST else 0.0


def lasts(account: Account, burst: Burst, cpus: float) -> float:
    """Seconds until the balance is empty at this use; infinite when it does not shrink."""
    earning, spending = burst.earned_per_hour / 3600, cpus / 60
    seconds, balance = 0.0, account.balance
    if account.launch > 0 and spending > 0:
        seconds = account.launch / spending
        balance = min(burst.maximum, balance + earning * seconds)
    if spending <= earning:
        return math.inf
    return seconds + balance / (spending - earning)


def fills(account: Account, burst: Burst, cpus: float, wanted: float) -> float:
    """Seconds until the balance has grown to `wanted`; infinite when it does not grow."""
    gain = burst.earned_per_hour / 3600 - cpus / 60
    return max(0.0, (wanted - account.available) / gain) if gain > 0 else math.inf
