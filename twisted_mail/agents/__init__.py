"""Programs that people run: the control command, and later the user agents."""
