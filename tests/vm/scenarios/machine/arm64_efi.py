# SPDX-License-Identifier: GPL-2.0-or-later
"""The core scenarios for arm64 once more, under EFI firmware (AAVMF), which has ACPI and
no device tree. arm64-efi is the plain cycle."""

from testbed import firmware
from scenarios.image import faults, sealed
from scenarios.machine.arm64 import Arm64
from scenarios.swap import swapfile


class UnderAavmf(firmware.Ovmf, Arm64):
    """Base: to inherit from before a scenario of the core."""
    limit = 900


class WriteError(UnderAavmf, faults.WriteError):
    """AAVMF: a write error in the middle of the image"""
    name = "arm64-efi-write-error"
    group = "slow"


class PowerCutWriting(UnderAavmf, faults.PowerCutWriting):
    """AAVMF: a power cut before the commit: no image, swap is fine"""
    name = "arm64-efi-cut-writing"
    group = "slow"


class PowerCutResuming(UnderAavmf, faults.PowerCutResuming):
    """AAVMF: a power cut while the image is read: the next boot resumes"""
    name = "arm64-efi-cut-resuming"
    group = "slow"


class CtrlC(UnderAavmf, faults.CtrlC):
    """AAVMF: Ctrl-C while the image is written: all runs on, all intact"""
    name = "arm64-efi-ctrl-c"
    group = "slow"


class Passphrase(UnderAavmf, sealed.Passphrase):
    """AAVMF: encrypted under a passphrase"""
    name = "arm64-efi-sealed"
    group = "slow"


class Ext4(UnderAavmf, swapfile.Ext4):
    """AAVMF: swap file on ext4"""
    name = "arm64-efi-swapfile"
    group = "slow"
