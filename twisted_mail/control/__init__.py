"""``twisted-mail``, the control command: a file for each family of commands.

``main`` runs a command that ``grammar`` has read, ``output`` prints its result. A family's file has the
functions that run its commands, and an ``add`` that adds them, with their arguments, to the grammar.
``setup`` makes a new server; ``store`` looks after mail. May import every room.
"""
