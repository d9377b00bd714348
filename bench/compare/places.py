"""Where everything lies that a comparison needs: the peers' state, the corpus, the load generator."""

import os
from pathlib import Path

# Short, for there are UNIX sockets below it; and on the disk that is to be measured.
ROOT = Path(os.environ.get("PEERS_ROOT", "/var/tmp/mailpeers"))
