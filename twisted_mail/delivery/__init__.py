"""Handing mail on: where it goes, and taking it there."""
