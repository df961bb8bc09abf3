"""`python -m bezoar.cli`: the command without its installed script."""

import sys

from bezoar.cli import main

sys.exit(main())
