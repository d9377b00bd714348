"""``twisted-mail``, the control command: a file for each family of commands.

``main`` runs a command that ``grammar`` has read, ``output`` prints its result. ``setup`` makes a new
server; ``store`` looks after mail. May import every room.
"""
