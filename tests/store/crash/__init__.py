"""What survives when the process, or the machine, stops at any step, and when any step fails.

Each story is begun again and again, stopped one step later each time, and the account looked at by a
store that knows nothing of what happened.
"""
