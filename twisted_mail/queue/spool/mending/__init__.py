"""What brings a damaged queue back, and copies a whole one."""
