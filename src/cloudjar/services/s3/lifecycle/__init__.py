"""What a bucket does with its objects by the clock: rules, their due instants, archives and restores."""
