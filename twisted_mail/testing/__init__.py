"""A mail server in memory, for the tests of any project, and the fakes that our own tests share.

``server.MailServer`` is the server, ``faults.Fault`` what it does wrong on purpose; ``pytest_plugin`` has
the fixtures, and is found by its entry point. Nothing is imported here, so that a project that does not
use it pays nothing.
"""
