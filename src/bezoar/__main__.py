"""`python -m bezoar`."""

import sys

from bezoar.cli import main

sys.exit(main())
