"""User agents: programs with which people compose, send and read mail."""
