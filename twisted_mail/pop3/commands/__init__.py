"""The POP3 commands, a file for each state."""
