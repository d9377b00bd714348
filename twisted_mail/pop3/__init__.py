"""POP3 (RFC 1939) and its extensions (RFC 2449, RFC 2595)."""
