"""Checks of the client, its name and its sender: what they claim to be, and what DNS lists have."""
