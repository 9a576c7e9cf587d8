"""Capacity Reservations: room that is kept and paid for, used or not."""
