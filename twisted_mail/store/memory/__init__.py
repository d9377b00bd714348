"""The same doors with everything in memory: for tests, and for reading what a store must do.

May import ``format`` and ``index`` for the rules that hold in memory too: names, threads.
"""
