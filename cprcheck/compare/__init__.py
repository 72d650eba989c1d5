# SPDX-License-Identifier: Apache-2.0
"""What models can do, counted and set side by side: never which is better."""
