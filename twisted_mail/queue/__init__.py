"""Mail we promised to deliver: jobs on disk, and the transports that deliver them.

``job_queue`` keeps the jobs, in a ``folder``; ``runner`` hands those that are due to the transports, by
their names. One more kind of target is a value in ``mail.route``, a name in ``Job.transport``, and an
``interfaces.Transport`` given to the runner. Knows ``mail`` and ``interfaces``; ``pipe`` runs processes.
"""
