"""What happens to a message between its last octet and the reply."""
