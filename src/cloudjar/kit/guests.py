"""What a machine may ask about itself (IMDS): the service that owns machines says, the gateway serves.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Union

import msgspec

from cloudjar.kit.context import World

Leaf = Union[str, bytes, "Callable[[], str | bytes | None]"]
Tree = Mapping[str, Union[Leaf, "Tree"]]
"""Directories are mappings; leaves are text, bytes, or functions called when asked (None: not found)."""


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that asked, found by the VPC and the source address of its question."""

    instance_id: str
    tokens_required: bool
    hop_limit: int
    enabled: bool
    tree: Callable[[bool], Tree]
    """Everything below ``/latest/``, for a question with a session token (version 2 of the service) or without."""


Provider = Callable[[World, str, str], Guest | None]
_PROVIDERS: list[Provider] = []


def serves_guests(provider: Provider) -> Provider:
    """Decorator: the function that knows the machine behind (VPC id, private address)."""
    _PROVIDERS.append(provider)
    return provider


def guest(world: World, vpc_id: str, address: str) -> Guest | None:
    """The machine that asks, or None."""
    for provider in _PROVIDERS:
        found = provider(world, vpc_id, address)
        if found is not None:
            return found
    return None
