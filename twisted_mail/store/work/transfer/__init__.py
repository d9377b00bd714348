"""Copying and moving messages from one mailbox to another."""
