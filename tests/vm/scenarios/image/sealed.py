# SPDX-License-Identifier: GPL-2.0-or-later
"""Encrypted images: the ways to the key, and what is refused."""

import hashlib
import os
import re

from testbed import disks, image
from testbed.scenario import Scenario

PASSPHRASE = "correct horse battery"


class Sealed(Scenario):
    """Base: a passphrase, given by a pipe when hibernating, typed at boot.
    Enough memory that less than half is used: nothing is swapped out, which
    would be in plain."""
    memory = 768
    settings = "encrypt = y\n"
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 48 24
    cp /etc/planted /tmp/planted
    hibernate_by sh -c 'echo "$0" | memhold run s2disk /usr/sbin/s2disk' \\
        "$(cat /etc/passphrase)"
}
"""

    def __init__(self, *arguments):
        self.planted = os.urandom(64)
        self.key = os.urandom(48)
        super().__init__(*arguments)
        self.config += self.settings

    def boot_files(self, number, **options):
        files = super().boot_files(number, **options)
        files["/etc/image.key"] = self.key
        if number == 1:     # what only the machine that hibernates has
            files["/etc/planted"] = self.planted
            files["/etc/passphrase"] = PASSPHRASE
        return files

    def type_passphrases(self, passphrases):
        for count, passphrase in enumerate(passphrases, 1):
            self.machine.wait_for(
                "(?s)" + "(?:Passphrase for the session on .*?: .*?)" * count)
            self.machine.type(passphrase + "\n")

    def unlock(self, passphrases=(PASSPHRASE,), **boot):
        """A boot that becomes the old system."""
        before = self.machine
        header_at = image.Image(self.swap).header_at
        machine = self.boot(**boot)
        self.type_passphrases(passphrases)
        self.off()
        self.need(machine.mark("resume") is None, "resume did not return")
        self.need(self.exit_code("s2disk") == 0, "s2disk ended with 0")
        self.need_content(before)
        self.need_signature(disks.SWAP)
        self.need(self.swap.read(header_at, image.PAGE) ==
                  bytes(image.PAGE), "the header is wiped")
        for passphrase in passphrases:
            self.need(passphrase not in machine.console, "no echo")
        return machine

    def on_disk(self, secret):
        """Is it anywhere on the whole device?"""
        with open(self.swap.path, "rb") as stream:
            rest = b""
            while True:
                data = stream.read(1 << 22)
                if not data:
                    return False
                if secret in rest + data:
                    return True
                rest = data[-len(secret):]

    def need_no_plaintext(self):
        for name, secret in (("planted secret", self.planted),
                             ("passphrase", PASSPHRASE.encode()),
                             ("key file", self.key),
                             ("text of a section", b"s2disk 0."),
                             ("kernel's text", b"Linux version ")):
            self.need(not self.on_disk(secret),
                      "the %s is not on the disk" % name)

    def run(self):
        self.hibernate()
        self.need_no_plaintext()
        self.unlock()


class Passphrase(Sealed):
    """encrypted under a passphrase"""
    name = "sealed-passphrase"
    group = "quick core"
    architectures = ("amd64", "arm64")
    settings = "encrypt = y\ncompress = n\ndebug verify image = y\n"


class Typed(Sealed):
    """a passphrase typed twice on the terminal before hibernating"""
    name = "sealed-typed"
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 48 24
    hibernate_by on_terminal memhold run s2disk /usr/sbin/s2disk
}
"""

    def run(self):
        machine = self.boot()
        for prompt, text in (("Passphrase for the hibernated session", PASSPHRASE),
                             ("Repeat the passphrase", PASSPHRASE + "x"),
                             ("The passphrases differ", PASSPHRASE),
                             ("(?s)Repeat the passphrase.*Repeat the passphrase", PASSPHRASE)):
            machine.wait_for(prompt + ".*: ")
            machine.type(text + "\n")
        self.off()
        self.need(PASSPHRASE not in machine.console, "no echo")
        self.need_signature(disks.OURS)
        self.unlock()


class Plain(Sealed):
    """not encrypted: what the search looks for can be found"""
    name = "sealed-not"
    group = "slow"
    settings = "compress = n\n"

    def run(self):
        self.hibernate()
        self.need(self.on_disk(self.planted), "the secret is on the disk")
        self.need(self.on_disk(b"s2disk 0."), "a section's text is, too")
        self.resume()


class KeyPair(Sealed):
    """a key pair: hibernating asks nothing, resuming needs no file"""
    name = "sealed-key-pair"
    group = "quick"
    settings = "encrypt = y\nkey pair = /etc/s2disk/key-pair\n"
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 48 24
    cp /etc/planted /tmp/planted
    marked keygen sh -c 'echo "$0" | s2disk-keygen' "$(cat /etc/passphrase)"
    rm /etc/passphrase
    hibernate </dev/null
}
"""

    def run(self):
        machine = self.hibernate()
        self.need(machine.mark("keygen") == "0", "s2disk-keygen ended with 0")
        self.need("Passphrase" not in machine.console, "nothing was asked")
        self.need_no_plaintext()
        self.unlock()


class KeyFile(Sealed):
    """a key file: no question, at either end; ChaCha20-Poly1305"""
    name = "sealed-key-file"
    group = "slow"
    settings = ("encrypt = y\nkey file = /etc/image.key\n"
                "cipher = chacha20-poly1305\n")
    guest = """
first_boot() {
    swap_on $SWAP
    hold main 48 24
    cp /etc/planted /tmp/planted
    hibernate </dev/null
}
"""

    def run(self):
        self.hibernate()
        self.need_no_plaintext()
        self.unlock(passphrases=())
        self.need("Passphrase" not in self.machine.console,
                  "no passphrase was asked for")


class SeveralWays(Sealed):
    """two key files and a passphrase: any one is enough; AES-256-GCM"""
    name = "sealed-several-ways"
    group = "slow"
    settings = ("encrypt = y\nkey file = /etc/none-here.key /etc/image.key\n"
                "passphrase = y\ncipher = aes-256-gcm\n")

    def boot_files(self, number, **options):
        files = super().boot_files(number, **options)
        if number == 1:
            files["/etc/none-here.key"] = os.urandom(32)
        else:
            files["/etc/image.key"] = os.urandom(48)
        return files

    def run(self):
        before = self.hibernate()
        self.save_disk()
        self.unlock()
        self.need_message("session")
        good, self.machine = self.key, before
        self.restore_disk()
        # The other file is missing, this one is right.
        self.boot_files = lambda *a, **k: dict(
            SeveralWays.boot_files(self, *a, **k), **{"/etc/image.key": good})
        self.unlock(passphrases=())

    def need_message(self, pattern):
        self.need("Passphrase for the " + pattern in self.machine.console,
                  "it asked, as no file fits")


class WrongPassphrase(Sealed):
    """wrong nine times: counted separately, off in the end, and then right"""
    name = "sealed-wrong-passphrase"
    group = "quick"
    limit = 500

    def need_vetoes(self, vetoes):
        self.need_kept(0)
        self.need(image.Image(self.swap).vetoes() == vetoes,
                  "counted with the vetoes")

    def wrong(self):
        self.boot()
        self.type_passphrases(["wrong", PASSPHRASE + " ", "third"])

    def run(self):
        before = self.hibernate()
        for number in (1, 2):
            self.wrong()
            self.reboots()
            self.need_message("none of the passphrases entered opens the image")
            self.need_vetoes(number)
        self.wrong()
        # It asks first, and waits a minute for an answer.
        self.off(timeout=250)
        self.need_message("kept and the machine powers off")
        self.need_vetoes(2)
        self.machine = before
        self.unlock(["wrong once", PASSPHRASE])


class WrongAndDiscard(WrongPassphrase):
    """wrong three times, mismatch action = discard: the boot continues"""
    name = "sealed-wrong-discard"
    group = "slow"
    settings = "encrypt = y\nmismatch action = discard\n"

    def run(self):
        self.hibernate()
        header_at = image.Image(self.swap).header_at
        self.wrong()
        self.off()
        self.need_message("none of the passphrases entered opens the image")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        self.need(self.swap.read(header_at, 8) != b"s2diskIM",
                  "the header is wiped")


class WrongKeyFile(KeyFile):
    """another key file, mismatch action = discard: the boot continues"""
    name = "sealed-wrong-key-file"
    group = "slow"
    settings = KeyFile.settings + "mismatch action = discard\n"

    def run(self):
        self.hibernate()
        self.key = os.urandom(48)
        self.boot()
        self.off()
        self.need_message("image.key does not open the image")
        self.need_boot_continues()
        self.need_signature(disks.SWAP)


class PlainRefused(Sealed):
    """encryption is required where the image is plain: refused, kept"""
    name = "sealed-no-downgrade"
    group = "quick"
    settings = ""
    guest = "first_boot() { swap_on $SWAP; hold main 48 24; hibernate; }"

    def run(self):
        before = self.hibernate()
        plain = self.config
        self.config += "encrypt = y\nplatform policy = tolerant\n"
        self.boot()
        self.reboots()
        self.need_message("ask for encryption, and the image is not encrypted")
        self.need_kept(1)
        self.config += "mismatch action = discard\n"
        self.save_disk()
        self.boot()
        self.off()
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        self.restore_disk()
        self.config = plain
        self.machine = before
        self.resume()


class Damaged(KeyFile):
    """header, data, order, length changed: refused, nothing was loaded"""
    name = "sealed-damaged"
    group = "slow"
    offsets = (0x29, 263, 1070)
    pages = (900,)

    def forge(self, offset, data):
        """Changes the header and makes digest and checksum right, as one can
        without a key."""
        image.Image(self.swap).change_header(offset, data)

    def flip_header(self, offset):
        old = image.Image(self.swap).header[offset]
        self.forge(offset, bytes([old ^ 1]))

    def body(self, page):
        """A page of the image: they follow its header."""
        return image.Image(self.swap).header_at + (page + 3) * image.PAGE

    def swap_runs(self):
        size = 256 * image.PAGE
        one = self.swap.read(self.body(0), size)
        two = self.swap.read(self.body(256), size)
        self.swap.write(self.body(0), two)
        self.swap.write(self.body(256), one)

    def other_header(self):
        """The header of an older image of the same machine and key."""
        header = bytearray(self.older.header)
        header[32:48] = image.Image(self.swap).header[32:48]
        self.forge(0, bytes(header))

    def refused(self, what, message):
        # What the key does not open may be another boot's to open.
        machine = self.boot(config=self.config + "mismatch action = discard\n")
        self.off()
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        self.need("Loading" not in machine.console or "block" in message,
                  what + ": nothing was loaded")
        self.trace("%s: %s" % (what, self.need_message(message)))
        self.restore_disk()

    def refused_shortened(self):
        """What may be there again at another boot is kept."""
        self.boot()
        self.reboots()
        self.need_message("device has only .* now")
        self.need_kept(1)
        self.restore_disk()

    def run(self):
        self.hibernate()
        self.older = image.Image(self.swap)
        self.format_swap()
        before = self.hibernate()
        self.save_disk()
        for offset in self.offsets:
            self.flip_header(offset)
            self.refused("byte %d of the header" % offset,
                         "over the limit|missing|not taken|changed|unknown|damaged|does not open|"
                         "says|another")
        self.other_header()
        self.refused("the header of another image", "does not open|changed")
        for page in self.pages:
            self.swap.flip(self.body(page) + 7)
            self.refused("a byte of page %d" % page, r"block \d+ of")
        self.swap_runs()
        self.refused("pages exchanged", r"extent|block \d+ of|damaged")
        self.swap.cut_to(24)
        self.refused_shortened()
        self.machine = before
        self.unlock(passphrases=())

    def format_swap(self):
        self.swap.format_swap()

    def boot_files(self, number, **options):
        # The second boot hibernates again.
        return super().boot_files(1 if number == 2 else number, **options)


class DamagedAll(Damaged):
    """the same, a byte of each field"""
    name = "sealed-damaged-all"
    group = "slow"
    limit = 600
    offsets = (56, 100, 200, 270, 280, 600, 1024, 1300, 4095)
    pages = (40,)


class NoResumeSealed(KeyFile):
    """noresume: discarded without a key, and nothing can open it any more"""
    name = "sealed-noresume"
    group = "slow"

    def run(self):
        self.hibernate()
        header_at = image.Image(self.swap).header_at
        digest = hashlib.sha256(self.swap.read(header_at, image.PAGE)).digest()
        self.boot(cmdline="noresume")
        self.off()
        self.need_boot_continues()
        self.need_signature(disks.SWAP)
        self.need(hashlib.sha256(self.swap.read(header_at, image.PAGE)
                                 ).digest() != digest, "the header is wiped")


class Inspected(Sealed):
    """s2disk-inspect shows what is not sealed, and all of it with the key"""
    name = "sealed-inspect"
    settings = "encrypt = y\nmismatch action = discard\n"
    guest = Sealed.guest + """
before_resume() {
    [ "$BOOT" = 2 ] || return
    s2disk-inspect >/tmp/locked 2>&1
    while read -r line; do mark locked "$line"; done </tmp/locked
    marked wrong sh -c 'echo no | s2disk-inspect --verify >/tmp/wrong 2>&1'
    marked right sh -c 'echo "correct horse battery" |
        s2disk-inspect --verify >/tmp/right 2>&1'
    while read -r line; do mark right "$line"; done </tmp/right
}
"""

    def run(self):
        self.hibernate()
        self.unlock()
        console = self.machine.console
        self.need(re.search("locked encrypted +aes-256-ocb|locked encrypted +"
                            "(aes|chacha)", console), "it says how")
        self.need("locked machine" not in console and
                  "System RAM" not in console.split("@@ wrong")[0],
                  "nothing of the machine without the key")
        self.need(self.machine.marks("wrong")[-1] == "1", "wrong key: 1")
        self.need("Every block was read" in console, "right key: verified")
