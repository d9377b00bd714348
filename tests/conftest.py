"""Settings for the whole suite."""

import os

from hypothesis import settings

# No deadlines: a busy machine is no bug. The gate repeats the same examples, so that what it says of a
# change is about the change; at other times the examples are new each run.
settings.register_profile("everywhere", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "everywhere")
