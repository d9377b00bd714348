"""Limits: how large, how many, how often."""
