"""Aurora: clusters whose storage is theirs, whoever is a member. How that is held here: README.md of the service."""
