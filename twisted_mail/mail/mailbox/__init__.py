"""What is in a mailbox: entries as columns, flags, sets of numbers, and changes."""
