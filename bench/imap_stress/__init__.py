"""Many clients in one mailbox, with random commands, and a check of all that the server says."""
