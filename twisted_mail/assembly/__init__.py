"""Makes every part that one configuration asks for, and connects them.

One file for each subject; ``assembly`` makes all of them in the order in which they need each other. Each
part is whole when its ``__init__`` returns. Nothing runs yet: that is for ``service``, and in a worker
for ``workers.worker``.
"""
