"""Where mail lives: accounts, mailboxes, and what an OK promises.

Each room imports only rooms before it: ``disk``, ``format``, ``index``, ``trash``, ``tree``, ``work``,
``reading``, ``search``, ``account``. On ``work`` stand ``delivery`` and ``repair``, too; ``memory`` has
the same doors without a disk. An account's work is done in its lane (``work.lane``), a piece at a time.
"""
