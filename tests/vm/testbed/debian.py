# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian as it is installed: systemd, a kernel, an initramfs of its own, and
our package.

What comes from the archive is fetched once, by mmdebstrap, and cached as a
tarball for each initramfs generator. In each run the package is built from the
build tree and installed into a copy with apt; scenarios make disks of that.
"""

import hashlib
import os
import shutil
import tempfile
import threading

from . import child, kernels

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
# Where its kernel packages have the modules, and what our packages need that is
# not there anyway: the archive is not asked again when they are installed.
SUITES = {"bookworm": ("/lib/modules", ()),
          "trixie": ("/usr/lib/modules", ("libgcrypt20", "liblz4-1")),
          "forky": ("/usr/lib/modules", ("libgcrypt20", "liblz4-1"))}
COMMON = ("systemd-sysv", "udev", "dbus", "kmod", "zstd", "linux-image-amd64",
          "cryptsetup", "busybox", "lvm2", "e2fsprogs", "btrfs-progs", "procps",
          "systemd-boot-efi")
GENERATORS = {
    "initramfs-tools": ("initramfs-tools", "cryptsetup-initramfs"),
    "dracut": ("dracut",),
}
# Still changes: what its archive signed may be past its date.
CHANGING = ("forky",)
# No guest has such devices; without their modules all is smaller and faster.
MODULES_LEFT_OUT = (
    "sound", "net/bluetooth", "net/mac80211", "net/wireless", "lib/test_*",
    "fs/ocfs2", "fs/ceph", "fs/cifs", "fs/nfs", "fs/nfsd", "fs/xfs",
    "drivers/gpu", "drivers/media", "drivers/net/wireless",
    "drivers/net/ethernet", "drivers/net/can", "drivers/net/usb",
    "drivers/infiniband", "drivers/staging", "drivers/scsi", "drivers/iio",
    "drivers/usb", "drivers/isdn", "drivers/mtd", "drivers/hwmon",
    "drivers/input", "drivers/video", "drivers/thunderbolt", "drivers/hid",
    "drivers/bluetooth", "drivers/comedi", "drivers/target",
    "drivers/md/bcache", "drivers/platform", "drivers/power", "drivers/leds",
    "drivers/edac", "drivers/i2c", "drivers/mfd", "drivers/regulator",
    "drivers/crypto", "drivers/firewire", "drivers/message", "drivers/mmc",
    "drivers/memstick")
# What a boot does that no scenario needs.
MASKED = ("getty@tty1.service", "serial-getty@ttyS0.service",
          "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
          "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
          "systemd-pstore.service", "systemd-update-utmp.service",
          "lvm2-monitor.service", "blk-availability.service")
# The boot loader's only entry, on the boot disk.
ENTRY = "loader/entries/debian.conf"
# Only what the guests' disks need: the initramfs is made in guests, too.
MODULES = ("virtio_pci", "virtio_blk", "ext4", "btrfs", "crc32c_generic",
           "dm_crypt", "dm_mod", "xts", "aes_generic", "ecb", "sha256_generic",
           "algif_skcipher")
START = """[Unit]
Description=The script of a scenario
[Service]
Type=simple
ExecStart=/bin/sh /usr/local/lib/scenario
StandardOutput=null
StandardError=journal+console
TimeoutStopSec=5
[Install]
WantedBy=multi-user.target
"""
# The disk of the scenario's files is a tar archive, the last of the disks.
SCENARIO = """#!/bin/sh
for disk in /dev/vd?; do last=$disk; done
mkdir -p /opt/scenario
tar -C /opt/scenario -xf "$last"
cd /opt/scenario
exec sh full-init
"""


class Kernel:
    """What boots: as kernels.Kernel, but from a disk of the guest."""

    def __init__(self, vmlinuz, initrd, options):
        self.vmlinuz = vmlinuz
        self.initrd = initrd
        self.options = options


def in_tree(root, script):
    """Runs a shell script in a system below a directory."""
    return child.run(["unshare", "--mount", "--fork", "--pid", "--kill-child",
                      "sh", "-ec",
                      'mount -t proc proc "$1/proc"; mount --rbind /sys "$1/sys"; '
                      'mount --rbind /dev "$1/dev"; mount -t tmpfs run "$1/run"; '
                      'exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin '
                      'DEBIAN_FRONTEND=noninteractive chroot "$1" sh -ec "$2"',
                      "-", root, script])


def _base(suite, generator):
    """The cached tarball of a system from the archive."""
    modules, needed = SUITES[suite]
    packages = COMMON + GENERATORS[generator] + needed
    options = ["--variant=minbase", "--aptopt=APT::Install-Recommends \"false\"",
               "--include=" + ",".join(packages)]
    if suite in CHANGING:
        options.append("--aptopt=Acquire::Check-Valid-Until \"false\"")
    for directory in MODULES_LEFT_OUT:
        options.append("--dpkgopt=path-exclude=%s/*/kernel/%s%s" %
                       (modules, directory,
                        "" if directory.endswith("*") else "/*"))
    for place in ("man/*.gz", "locale/*.mo", "info/*.gz"):
        options.append("--dpkgopt=path-exclude=/usr/share/" + place)
    digest = hashlib.sha256("\n".join(options).encode()).hexdigest()[:12]
    path = os.path.join(kernels.cache_dir(), "debian-%s-%s-%s.tar" %
                        (suite, generator, digest))
    if not os.path.exists(path):
        part = path + ".%d.part" % os.getpid()
        child.run(["mmdebstrap", "--mode=root", "--format=tar"] + options +
                  [suite, part])
        os.rename(part, path)
    return path


def _write(root, name, text, mode=0o644):
    path = root + name
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as stream:
        stream.write(text)
    os.chmod(path, mode)


def _settle(root):
    """What an installer and the first boot would do, and less of what the
    boots here need not do."""
    _write(root, "/etc/hostname", "guest\n")
    _write(root, "/etc/machine-id", "5d15c0de5d15c0de5d15c0de5d15c0de\n")
    _write(root, "/etc/fstab", "")
    _write(root, "/usr/local/lib/scenario", SCENARIO)
    if os.path.isdir(root + "/etc/initramfs-tools"):
        _write(root, "/etc/initramfs-tools/conf.d/guest",
               "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\nBUSYBOX=y\n")
        _write(root, "/etc/initramfs-tools/modules", "\n".join(MODULES) + "\n")
    else:
        _write(root, "/etc/dracut.conf.d/guest.conf",
               'hostonly="no"\ncompress="zstd -1"\ndrivers=" %s "\n' %
               " ".join(MODULES))
    units = "/etc/systemd/system/"
    _write(root, units + "scenario.service", START)
    # Later ones have it among their units.
    in_tree(root, "cp /usr/share/systemd/tmp.mount %s || "
            "test -e /usr/lib/systemd/system/tmp.mount; "
            "systemctl -q enable scenario.service tmp.mount; "
            "systemctl -q set-default multi-user.target; systemctl -q mask %s;"
            "rm -rf /usr/share/doc/* /var/lib/apt/lists/*; mkdir -p /swap; "
            "touch /etc/.updated /var/.updated" % (units, " ".join(MASKED)))


class Debian:
    """Builds the packages where there are none, and the systems they are installed in,
    once a run."""

    def __init__(self, build_dir, work_dir, packages=None):
        self.build_dir = build_dir
        self.work_dir = work_dir
        self._packages = packages
        self._trees = {}
        self._disks = {}
        self._lock = threading.Lock()

    def packages(self):
        """The directory with our packages."""
        if not self._packages:
            directory = os.path.join(self.work_dir, "packages")
            child.run([os.path.join(SOURCE, "packaging", "build-deb"),
                       self.build_dir, directory],
                      env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck"))
            self._packages = directory
        return self._packages

    def tree(self, suite, generator):
        """A directory with a system that has our package."""
        if os.geteuid() != 0:
            raise RuntimeError("full guests are built as root only")
        if (suite, generator) not in self._trees:
            root = tempfile.mkdtemp(prefix="tree-", dir=self.work_dir)
            os.chmod(root, 0o755)
            child.run(["tar", "-C", root, "-xpf", _base(suite, generator)])
            _settle(root)
            os.makedirs(root + "/tmp/packages")
            for name in os.listdir(self.packages()):
                if name.endswith(".deb") and "-dbgsym_" not in name:
                    shutil.copy(os.path.join(self.packages(), name),
                                root + "/tmp/packages")
            in_tree(root, "apt-get -qy install /tmp/packages/*.deb; "
                    "rm -r /tmp/packages")
            self._trees[suite, generator] = root
        return self._trees[suite, generator]

    def disks(self, key, make):
        """Root and boot disk of a system, which make(tree, directory) makes of a
        copy of a tree; key begins with its suite and generator. Copy them
        before use."""
        if key not in self._disks:      # what is there waits for nothing
            with self._lock:
                self._make_disks(key, make)
        return [os.path.join(self._disks[key], name)
                for name in ("root.img", "boot.img")]

    def _make_disks(self, key, make):
        if key in self._disks:          # made while the lock was another's
            return
        directory = tempfile.mkdtemp(prefix="system-", dir=self.work_dir)
        root = os.path.join(directory, "tree")
        try:
            child.run(["cp", "-a", self.tree(*key[:2]), root])
            make(root, directory)
            self._disks[key] = directory
        finally:
            shutil.rmtree(root, ignore_errors=True)


def make_boot_disk(root, path, options, mib=128):
    """An ext2 of what is in /boot of a tree, which is empty then. Without a
    journal: what was synced can be read from outside."""
    boot = root + "/boot"
    release = os.listdir(root + "/lib/modules")[0]
    _write(boot, "/" + ENTRY, "title Debian\nlinux /vmlinuz-%s\n"
           "initrd /initrd.img-%s\noptions %s\n" % (release, release, options))
    with open(path, "wb") as stream:
        stream.truncate(mib << 20)
    child.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", "-L",
               "boot", "-d", boot, path])
    shutil.rmtree(boot)
    os.mkdir(boot)


def read_boot_disk(path, directory):
    """The boot loader's part, by the boot loader specification: kernel,
    initramfs and arguments of the only entry."""
    def dump(name, target):
        target = os.path.join(directory, target)
        output = child.run(["/usr/sbin/debugfs", "-R", "dump /%s %s" %
                            (name.lstrip("/"), target), path])
        # debugfs ends with 0 in any case.
        if not os.path.exists(target):
            raise RuntimeError("%s of %s: %s" % (name, path, output))
        return target

    with open(dump(ENTRY, "entry")) as stream:
        entry = dict(line.strip().split(None, 1) for line in stream
                     if line.strip())
    return Kernel(dump(entry["linux"], "vmlinuz"),
                  dump(entry["initrd"], "initrd"), entry["options"])
