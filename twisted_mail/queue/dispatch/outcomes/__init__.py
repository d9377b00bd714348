"""How attempts ended, what follows from that, and how it is noted on disk with the reports."""
