"""What the life of an instance does to its interfaces. Everything here runs inside the caller's transaction."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.addresses import public
from cloudjar.services.ec2.network_interfaces.making import detach, interfaces_of, plug, remove


def restore_interfaces(ctx: Ctx, instance_id: str) -> None:
    """The instance is wanted up again: its interfaces join the network; one launched with a public address gets a new
    one, unless an Elastic IP stands in its place."""
    for eni in interfaces_of(ctx.db, instance_id):
        assert eni.attachment is not None
        eni = plug(ctx, eni, replace(eni.attachment, powered=True))
        if eni.lend_public:
            public.assign_public(ctx, eni)


def release_interfaces(ctx: Ctx, instance_id: str, *, forever: bool) -> None:
    """The instance is no longer wanted up: lent public addresses go back at once, Elastic IPs stay and are idle.

    `forever`: it is gone. Interfaces that were to go with it are removed, others are detached; Elastic IPs part from
    interfaces that are removed and stay with the others.
    """
    for eni in interfaces_of(ctx.db, instance_id):
        assert eni.attachment is not None
        if forever and eni.attachment.delete_on_termination:
            remove(ctx, eni)
        elif forever:
            detach(ctx, eni)
        else:
            plug(ctx, public.release_public(ctx, eni), replace(eni.attachment, powered=False))
