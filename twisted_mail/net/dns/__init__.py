"""The DNS: a cache of answers over a stub resolver, on sockets of the reactor."""
