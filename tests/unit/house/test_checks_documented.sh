#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The ids of the pre-flight's checks: those of the code have their words in s2disk(8),
# CHECKS, and that has no others.
set -u
LC_ALL=C
export LC_ALL

top=${srcdir:-$(dirname "$0")/../../..}
page=$top/man/s2disk.8
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain()
{
	echo "$*" >&2
	failed=1
}

# The second argument of each call of a function: preflight_add(context, "id", …, with
# what a macro of the file stands for.
arguments()
{
	id=$(sed -n 's/^#define ID \("[^"]*"\)$/\1/p' "$2")
	tr -s '\n\t ' ' ' <"$2" | grep -oE "\<$1\([^,]*, [^,]*," | sed "s/.*, \(.*\),/\1/; s/^ID\$/$id/"
}

for file in "$top"/lib/preflight/*.c; do
	arguments preflight_add "$file"
done | grep -vxF -e 'const char *id' -e 'item->id' >"$work/arguments"
arguments add "$top/lib/verdict/forecast.c" | grep -vxF 'const char *id' >>"$work/arguments"
if grep -vx '"[a-z0-9-]*"' "$work/arguments"; then
	complain "lib/preflight: an id is written in another way than this test reads"
fi
tr -d '"' <"$work/arguments" | sort -u >"$work/code"
[ "$(wc -l <"$work/code")" -ge 20 ] || complain "lib/preflight: hardly any ids were found"

awk '/^\.Sh/ { inside = $2 == "CHECKS" } inside && /^\.It Cm/ { print $3 }' "$page" | sort >"$work/page"
for id in $(uniq -d "$work/page"); do
	complain "$page: $id is there twice"
done
for id in $(comm -23 "$work/code" "$work/page"); do
	complain "$page: no check $id, which the code has"
done
for id in $(comm -13 "$work/code" "$work/page"); do
	complain "$page: $id is the id of no check"
done
exit $failed
