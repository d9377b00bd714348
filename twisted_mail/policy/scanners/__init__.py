"""Scanners: other programs that judge the content of a message."""
