"""Instance types: what the hardware is and where it is offered."""
