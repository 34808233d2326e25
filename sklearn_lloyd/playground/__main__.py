"""``python -m sklearn_lloyd.playground``."""

import sys

from sklearn_lloyd.playground import main

sys.exit(main())
