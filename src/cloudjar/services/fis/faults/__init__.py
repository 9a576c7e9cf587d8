"""What is broken on purpose: records that outlive the server, begun and ended by whoever may break things."""
