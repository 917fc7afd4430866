# SPDX-License-Identifier: GPL-2.0-or-later
"""Swap areas and files, and how they are named."""
