# SPDX-License-Identifier: Apache-2.0
"""Many jobs: a function by name, its arguments as JSON, its answer as JSON; in processes of their own, and kept."""
