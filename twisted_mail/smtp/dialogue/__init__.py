"""The client's side of SMTP and LMTP: what is sent to another host, and what its replies mean.

Like a session of the server, it is coroutines that await only the doors they were given, so that tests
need neither a reactor nor a network. ``smtp.client`` opens the connections.
"""
