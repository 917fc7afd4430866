# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests/vm/soak repeats for hours."""
