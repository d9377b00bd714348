"""CAN WE TRUST THE OTHER SIDE? What is demanded of TLS with other hosts, and what they have proven."""
