# SPDX-License-Identifier: GPL-2.0-or-later
"""Samples of what tests/vm/soak does for hours."""

from testbed.soak import cycles


class SomeCycles(cycles.Cycles):
    """a session hibernates and resumes five times, its load changes"""
    name = "some-cycles"
    group = "slow"
    count = 5


class SomeCuts(cycles.Cuts):
    """eight power cuts at random moments"""
    name = "some-cuts"
    group = "slow"
    count = 8
