# SPDX-License-Identifier: GPL-2.0-or-later
"""Hibernating, from the command to the session that continues."""
