"""Ways around authentication and authorisation that others fell for, tried on a real socket: each is refused."""
