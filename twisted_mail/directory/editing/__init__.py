"""The directory as people edit it, by the control command: one class for each kind of entry.

Synchronous, and apart from what the running server asks; ``tables`` of the room above is shared.
"""
