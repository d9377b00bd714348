"""Workers: processes that hold the conversations, so that a server uses more than one processor.

Read in this order: ``shared_services``, what the processes of a server share; ``services``, what the main
process does for the workers; ``remote``, how a worker asks for it (``passwords`` and ``background`` have
both sides in one file); ``worker``, its life; ``spawn``, ``slots`` and ``pool``, how the main process
starts and replaces workers.

What each process does:

| | main process | worker |
| --- | --- | --- |
| binds the ports | all | none: it gets those of the services that can be spread |
| conversations | those of a port that cannot be handed over | all others |
| passwords | checked here | asked for over the bridge, then remembered |
| delivery | what workers hand over: for programs and lists, and quarantined | into inboxes |
| quotas, failed logins, rates | counted here | asked for over the bridge |
| connections | counted in memory that all share | the same |
| mail log, if there is one | written here | written here |
| other log events | written here | sent over the bridge |
| indexing, tidying | for all, here | what changed is sent over the bridge |
| mail that waits | yes | no |

A worker that dies loses its conversations, but nothing that was promised, and is replaced. While there is
no worker, the main process holds new conversations itself.
"""
