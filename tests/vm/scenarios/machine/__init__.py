# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine of the boot that resumes differs."""
