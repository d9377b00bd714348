"""The IMAP commands, a file for each family."""
