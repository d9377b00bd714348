"""``twisted-mail``, the control command: a file for each family of commands."""
