"""This server and others under the same load, in turn: ``python -m bench.compare``."""
