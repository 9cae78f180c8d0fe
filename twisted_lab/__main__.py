"""``python -m twisted_lab``: the same as ``socketlab``."""

import sys

from twisted_lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
