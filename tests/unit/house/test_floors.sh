#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The floors (doc/architecture.md): a file includes headers of lower floors and of its own
# directory (or below it) only, no headers include each other in a circle, and what a header declares is
# implemented in its directory. And: one file knows libgcrypt, no file is long, no
# directory is crowded.
set -u

top=${srcdir:-$(dirname "$0")/../../..}
cd "$top" || exit 99
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain()
{
	echo "$*" >&2
	failed=1
}

# The floor of a directory, by the path of a file in it.
floor()
{
	case $1 in
	lib/base/*) echo 0 ;;
	lib/crypto/* | lib/output/*) echo 1 ;;
	lib/boot/* | lib/format/* | lib/kernel/*) echo 2 ;;
	lib/swap/*) echo 3 ;;
	lib/platform/*) echo 4 ;;
	lib/history/* | lib/release/* | lib/seal/* | lib/verdict/*) echo 5 ;;
	lib/image/* | lib/ui/*) echo 6 ;;
	lib/config/*) echo 7 ;;
	lib/preflight/*) echo 8 ;;
	resume/* | s2disk/* | tools/*) echo 9 ;;
	*) echo unknown ;;
	esac
}

# The directory of the library, or the program, that a file is of, at whatever depth.
house_of()
{
	case $1 in
	lib/* | tools/*) echo "$1" | cut -d/ -f1-2 ;;
	*) echo "${1%%/*}" ;;
	esac
}

# The header that FILE means by NAME; nothing where it is not one of ours.
find_header()
{
	for place in "${1%/*}/$2" "lib/$2" "$2"; do
		if [ -f "$place" ]; then
			echo "$place"
			return
		fi
	done
}

# A line "FILE HEADER" for each of our headers that a file includes.
includes()
{
	# shellcheck disable=SC2013 # names of headers have no blanks
	for name in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$1")
	do
		header=$(find_header "$1" "$name")
		case $name in
		*..*) complain "$1: includes $name, a way around the floors" ;;
		esac
		if [ -z "$header" ]; then
			complain "$1: includes $name, which is not here"
		else
			echo "$1 $header"
		fi
	done
}

files=$(find lib resume s2disk tools -name '*.[ch]' | sort)
[ "$(echo "$files" | wc -l)" -gt 50 ] || complain "hardly any files were found"
for file in $files; do
	[ "$(floor "$file")" != unknown ] || complain "$file: is on no floor"
	includes "$file"
done >"$work/includes"

while read -r file header; do
	if [ "$(house_of "$file")" != "$(house_of "$header")" ] &&
		[ "$(floor "$header")" -ge "$(floor "$file")" ]; then
		complain "$file (floor $(floor "$file")) includes $header (floor $(floor "$header"))"
	fi
	case $header in
	*_private.h)
		[ "${file%/*}" = "${header%/*}" ] ||
			complain "$file includes $header, which is private to its directory"
		;;
	esac
done <"$work/includes"

# A header is private to the files of a module that is there: X_private.h and X.c.
for header in $(echo "$files" | grep '_private\.h$'); do
	[ -f "${header%_private.h}.c" ] || complain "$header: there is no ${header%_private.h}.c"
done

# tsort(1) names the members of a circle, and fails. A file counts as one with its header:
# two modules that need each other are a circle as well. X_private.h is a part of X that the
# other files of its directory may see.
sed 's/\.[ch]\( \|$\)/\1/g' "$work/includes" | awk '$1 != $2 && $1 "_private" != $2' >"$work/modules"
tsort "$work/modules" >"$work/sorted" 2>"$work/circles" ||
	complain "modules that need each other: $(tr '\n' ' ' <"$work/circles")"

for file in $files; do
	if [ "$file" != lib/crypto/crypto.c ] && grep -q '^[[:space:]]*#.*include.*gcrypt\.h' "$file"; then
		complain "$file: only lib/crypto/crypto.c knows libgcrypt"
	fi
done
grep -q '^#include <gcrypt.h>' lib/crypto/crypto.c || complain "lib/crypto/crypto.c: no gcrypt.h"

for file in $(find lib resume s2disk tools tests -name '*.[ch]' | sort); do
	lines=$(wc -l <"$file")
	[ "$lines" -le 600 ] || complain "$file: $lines lines"
done

# How many files are directly in each, but for what a build in the source puts there.
{
	find lib s2disk resume tools initramfs -type f ! -name '*.[ao]' ! -name '.*'
	find tests -name '*.[ch]' -o -name '*.py' -o -name '*.sh'
} | sed 's,/[^/]*$,,' | sort | uniq -c |
	awk '$1 > 24' >"$work/crowded"
while read -r count directory; do
	complain "$directory: $count files"
done <"$work/crowded"

# A test that reads it would depend on how it is run. No name has a blank.
# shellcheck disable=SC2013
for file in $(grep -rl --include='*.[ch]' 'getenv("S2DISK_TEST_DATA")' tests); do
	[ "$file" = tests/unit/fixtures/made_data.c ] ||
		complain "$file: only tests/unit/fixtures/made_data.c knows where the data is"
done
exit $failed
