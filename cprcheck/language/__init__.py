# SPDX-License-Identifier: Apache-2.0
"""The modelling language: Python functions in, a System out."""
