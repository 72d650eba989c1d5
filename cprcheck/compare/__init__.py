# SPDX-License-Identifier: Apache-2.0
"""What models can do, counted and set side by side: not what is claimed of them."""
