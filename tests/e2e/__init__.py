"""End-to-end tests: the built program in the local cloud, started as GitHub's runner starts a container action."""
