"""The whole chain for `mitmdump -s addons/gateway.py`: development, with mitmproxy's own screens.

The production entrance is `penstock serve`; both govern alike.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from penstock.proxy.gateway import Penstock

addons = [Penstock()]
