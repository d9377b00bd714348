"""Workers: processes that take mail in, so that a server uses more than one processor.

Read in this order: ``commons``, what the processes of a server have together; ``desks``, what the main
process does for the workers; ``remote``, how a worker asks for it; ``worker``, its life; ``role``,
``places`` and ``crew``, how the main process starts workers and looks after them.

What each process does:

| | main process | worker |
| --- | --- | --- |
| binds the ports | all | none: it gets those of the services that can be spread |
| conversations | IMAP, POP3, and all of a port that cannot be handed over | SMTP, submission, LMTP |
| delivery | of what workers hand over: programs, lists, quarantine | into inboxes |
| quotas, failed logins, rates | counted here | asked for over the bridge |
| connections | counted in memory that all share | the same |
| mail log, if there is one | written here | written here |
| other log events | written here | sent over the bridge |
| indexing, tidying, mail that waits | yes | no |

A worker that dies takes its conversations along, nothing that was promised, and is replaced. Without any
worker the main process takes the mail in itself.
"""
