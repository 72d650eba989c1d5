# SPDX-License-Identifier: Apache-2.0
"""The shipped models as an importable package: `from cprcheck.models.vfio import kernel`.

The files themselves are in the folder `models` of a checkout, and in `cprcheck/_models` of an installed wheel.  This
package points at whichever there is, so that your model can use the same parts as ours.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
SHIPPED = _PACKAGE / "_models" if (_PACKAGE / "_models").is_dir() else _PACKAGE.parent / "models"
"""The folder of shipped models."""

__path__ = [str(SHIPPED)]
