"""Session Manager: shells, commands and ports of instances, through the jar."""
