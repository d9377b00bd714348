"""What is in a mailbox: entries, flags, numbers, and changes to them."""
