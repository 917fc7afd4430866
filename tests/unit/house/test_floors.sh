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

find lib resume s2disk tools -name '*.[ch]' | sort >"$work/files"
[ "$(wc -l <"$work/files")" -gt 50 ] || complain "hardly any files were found"

# Each line is an include: FILE:#include "HEADER".
xargs grep -H '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' <"$work/files" >"$work/lines"

# Writes a line "FILE HEADER" for each of our headers that a file includes, to the file
# "includes", and what is wrong to its output.
cat >"$work/floors.awk" <<'END'
# The floor of a directory, by the path of a file in it.
function floor(path) {
	if (path ~ "^lib/base/") return 0
	if (path ~ "^lib/(crypto|output)/") return 1
	if (path ~ "^lib/(boot|format|kernel)/") return 2
	if (path ~ "^lib/swap/") return 3
	if (path ~ "^lib/platform/") return 4
	if (path ~ "^lib/(history|release|seal|verdict)/") return 5
	if (path ~ "^lib/(image|ui)/") return 6
	if (path ~ "^lib/config/") return 7
	if (path ~ "^lib/preflight/") return 8
	if (path ~ "^(resume|s2disk|tools)/") return 9
	return -1
}
# The directory of the library, or the program, that a file is of, at whatever depth.
function house(path,  part) {
	split(path, part, "/")
	return part[1] ~ "^(lib|tools)$" ? part[1] "/" part[2] : part[1]
}
function directory(path) { sub("/[^/]*$", "", path); return path }
# The header that FILE means by NAME; nothing where it is not one of ours.
function find_header(file, name) {
	if ((directory(file) "/" name) in ours) return directory(file) "/" name
	if (("lib/" name) in ours) return "lib/" name
	return name in ours ? name : ""
}
function check(file, header) {
	if (house(file) != house(header) && floor(header) >= floor(file))
		print file " (floor " floor(file) ") includes " header " (floor " floor(header) ")"
	if (header ~ "_private[.]h$" && directory(file) != directory(header))
		print file " includes " header ", which is private to its directory"
}
FILENAME ~ "/files$" {
	ours[$0] = 1
	if (floor($0) < 0) print $0 ": is on no floor"
	next
}
{
	file = $0; sub(":.*", "", file)
	name = $0; sub("^[^\"]*\"", "", name); sub("\".*", "", name)
	header = find_header(file, name)
	if (index(name, "..")) print file ": includes " name ", a way around the floors"
	if (header == "") print file ": includes " name ", which is not here"
	else { print file, header >includes; check(file, header) }
}
END
awk -v includes="$work/includes" -f "$work/floors.awk" "$work/files" "$work/lines" >"$work/wrong" ||
	complain "the includes could not be read"
[ "$(wc -l <"$work/includes")" -gt 500 ] || complain "hardly any includes were found"
while read -r wrong; do
	complain "$wrong"
done <"$work/wrong"

# A header is private to the files of a module that is there: X_private.h and X.c.
# No name has a blank.
# shellcheck disable=SC2013
for header in $(grep '_private\.h$' "$work/files"); do
	[ -f "${header%_private.h}.c" ] || complain "$header: there is no ${header%_private.h}.c"
done

# tsort(1) names the members of a circle, and fails. A file counts as one with its header:
# two modules that need each other are a circle as well. X_private.h is a part of X that the
# other files of its directory may see.
sed 's/\.[ch]\( \|$\)/\1/g' "$work/includes" | awk '$1 != $2 && $1 "_private" != $2' >"$work/modules"
tsort "$work/modules" >"$work/sorted" 2>"$work/circles" ||
	complain "modules that need each other: $(tr '\n' ' ' <"$work/circles")"

for file in $(xargs grep -l '^[[:space:]]*#.*include.*gcrypt\.h' <"$work/files"); do
	[ "$file" = lib/crypto/crypto.c ] ||
		complain "$file: only lib/crypto/crypto.c knows libgcrypt"
done
grep -q '^#include <gcrypt.h>' lib/crypto/crypto.c || complain "lib/crypto/crypto.c: no gcrypt.h"

find lib resume s2disk tools tests -name '*.[ch]' | sort | xargs wc -l |
	awk '$1 > 600 && $2 != "total"' >"$work/long"
while read -r lines file; do
	complain "$file: $lines lines"
done <"$work/long"

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
