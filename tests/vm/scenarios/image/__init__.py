# SPDX-License-Identifier: GPL-2.0-or-later
"""The image: written, damaged, encrypted, read by others."""
