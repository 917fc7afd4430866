#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The floors (doc/architecture.md): nobody includes a header of a floor above
# his own, nor of a neighbour's. And: one file knows libgcrypt, one where tests have data, no file is long.
set -u

top=${srcdir:-$(dirname "$0")/../..}
cd "$top" || exit 99
failed=0

complain()
{
	echo "$*" >&2
	failed=1
}

# The room a file is in, by its path below lib/ or of the programs.
room()
{
	case $1 in
	base/* | boot/* | history/* | kernel/* | swap/* | platform/* | image/* | ui/*) echo "${1%%/*}" ;;
	settings.[ch] | settings_file.c | options.[ch] | target.[ch] | image_keys.[ch] | \
		other_swaps*.[ch]) echo top ;;
	*) echo unknown ;;
	esac
}

floor()
{
	case $1 in
	base) echo 0 ;;
	boot | kernel | swap | platform) echo 1 ;;
	history) echo 2 ;;
	image | ui) echo 3 ;;
	top) echo 4 ;;
	s2disk | resume) echo 5 ;;
	esac
}

# check FILE ROOM: every line #include "..." of it.
check()
{
	# Names of headers have no blanks.
	# shellcheck disable=SC2013
	for header in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$1")
	do
		case $header in
		*..*)
			complain "$1: includes $header, a way around the floors"
			continue
			;;
		esac
		if [ -f "$2/$header" ] && [ "$(floor "$2")" = 5 ]; then
			continue # a program's own
		fi
		if [ ! -f "lib/$header" ]; then
			complain "$1: includes $header, which is not in lib/"
			continue
		fi
		to=$(room "$header")
		if [ "$to" = unknown ]; then
			complain "$1: includes $header, which is on no floor"
		elif [ "$to" != "$2" ] && { [ "$to" != top ] || [ "$2" != top ]; } &&
			[ "$(floor "$to")" -ge "$(floor "$2")" ]; then
			complain "$1: $2 (floor $(floor "$2")) includes $header ($to, floor $(floor "$to"))"
		fi
	done
}

files=0
for file in $(find lib s2disk resume -name '*.[ch]' | sort); do
	case $file in
	lib/*) in=$(room "${file#lib/}") ;;
	*) in=${file%%/*} ;;
	esac
	files=$((files + 1))
	if [ "$in" = unknown ]; then
		complain "$file: is on no floor"
		continue
	fi
	check "$file" "$in"
	if [ "$file" != lib/base/crypto.c ] && grep -q '^[[:space:]]*#.*include.*gcrypt\.h' "$file"; then
		complain "$file: only lib/base/crypto.c knows libgcrypt"
	fi
done
[ "$files" -gt 50 ] || complain "only $files files were found"
grep -q '^#include <gcrypt.h>' lib/base/crypto.c || complain "lib/base/crypto.c: no gcrypt.h"

for file in $(find lib s2disk resume tests -name '*.[ch]' | sort); do
	lines=$(wc -l <"$file")
	[ "$lines" -le 650 ] || complain "$file: $lines lines"
done

# A test that reads it would depend on how it is run. No name has a blank.
# shellcheck disable=SC2013
for file in $(grep -l 'getenv("S2DISK_TEST_DATA")' tests/*/*.[ch]); do
	[ "$file" = tests/unit/made_data.c ] || complain "$file: only tests/unit/made_data.c knows where the data is"
done
exit $failed
