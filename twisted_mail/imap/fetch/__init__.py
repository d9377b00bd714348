"""FETCH: what is asked for, as a plan, and how it is rendered (RFC 3501 §6.4.5)."""
