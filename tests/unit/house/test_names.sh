#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# No name of ours is one that a header of the kernel or of a library has, or may
# have in its next version: such a collision stops the build of users whose
# headers are newer than ours.
set -eu
top=${srcdir:-$(dirname "$0")/../../..}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# Prefixes that belong to those headers.
theirs='^(btrfs|ext[234]|xfs|f2fs|fiemap|blkid|uuid|gcry|gpg|lz4f?|snapshot_[A-Z]|ck)_|^(BTRFS|EXT[234]|XFS|F2FS|FIEMAP|BLKID|UUID|GCRY|GPG|LZ4F?|CK)_'

# Names that our headers and sources define: tags, macros, and what headers
# declare.
find "$top/lib" "$top/s2disk" "$top/resume" "$top/tools" -name '*.[ch]' | sort >"$work/files"
xargs cat <"$work/files" | sed -nE \
	-e 's/^(typedef )?(struct|union|enum) ([A-Za-z0-9_]+) \{.*/\3/p' \
	-e 's/^#define ([A-Za-z0-9_]+).*/\1/p' | sort -u >"$work/defined"
grep '\.h$' "$work/files" | xargs cat |
	sed -nE 's/^[a-z][A-Za-z0-9_ ]* \**([a-z][A-Za-z0-9_]*)\(.*/\1/p' | sort -u >"$work/declared"
if ! [ -s "$work/defined" ] || ! [ -s "$work/declared" ]; then
	echo "no names were found below $top" >&2
	exit 1
fi
if sort -u "$work/defined" "$work/declared" | grep -E "$theirs"; then
	echo "these names have a prefix of the kernel's or a library's headers" >&2
	status=1
fi

# And no tag or macro of the headers that are here.
for include in /usr/include/linux /usr/include/asm-generic \
	/usr/include/x86_64-linux-gnu/asm /usr/include/aarch64-linux-gnu/asm \
	/usr/include/gcrypt.h /usr/include/lz4.h /usr/include/lz4hc.h /usr/include/blkid /usr/include/uuid; do
	[ ! -e "$include" ] || find "$include" -name '*.h'
done >"$work/headers"
xargs cat <"$work/headers" | sed -nE \
	-e 's/^[ \t]*(typedef )?(struct|union|enum)[ \t]+([A-Za-z0-9_]+)[ \t]*(\{.*)?$/\3/p' \
	-e 's/^[ \t]*#[ \t]*define[ \t]+([A-Za-z0-9_]+).*/\1/p' | sort -u >"$work/others"
if comm -12 "$work/defined" "$work/others" | grep .; then
	echo "these names are defined by headers in /usr/include, too" >&2
	status=1
fi
exit $status
