# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios, a file a topic; every module below here is loaded."""
