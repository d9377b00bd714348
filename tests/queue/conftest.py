"""The queue's tests live in memory where they can: its database syncs for each message."""

from tests.memory_folder import memory_folder  # noqa: F401  # the fixture tmp_path
