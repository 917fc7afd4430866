#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --help, the manual page and the program itself agree about the options: each
# one that --help shows is taken and described, each one described is shown.
set -u

man=${srcdir:-$(dirname "$0")/../../..}/man
work=$(mktemp -d)
shown=$work/shown described=$work/described
trap 'rm -rf "$work"' EXIT
failed=0
programs=0

complain()
{
	echo "$*" >&2
	failed=1
}

# Options of --help, one a line, with "=" where they take a value.
shown_by()
{
	"$1" --help </dev/null | sed -n 's/^ \{1,6\}\(-.*\)/\1/p' | sed 's/  .*//' |
		tr -s ', ' '\n' | sed -n 's/^\(--\{0,1\}[A-Za-z0-9][-A-Za-z0-9]*\)\[\{0,1\}\(=\{0,1\}\).*/\1\2/p'
}

# Those that have an entry in the manual page.
described_in()
{
	sed -n 's/^\.It \(Fl .*\)/\1/p' "$1" | grep -o 'Fl -\{0,1\}[A-Za-z0-9][-A-Za-z0-9]*' |
		sed 's/^Fl /-/'
}

check_program()
{
	program=$1 page=$man/${1##*/}.8
	if [ ! -e "$page" ]; then
		complain "$program has no manual page"
		return
	fi
	shown_by "$program" >"$shown"
	described_in "$page" >"$described"
	[ "$(wc -l <"$shown")" -ge 4 ] || complain "$program --help: hardly any options found"
	while read -r option; do
		name=${option%=}
		grep -qxe "$name" "$described" || complain "$page: no entry for $name"
		case $option in
		--*=) set -- "${option}1" ;;
		--*) set -- "$option" ;;
		*) continue ;; # --help does not show which of these take a value
		esac
		# A wrong option ends it before --help is reached.
		"$program" "$1" --help </dev/null >/dev/null 2>&1 ||
			complain "$program does not take $1"
	done <"$shown"
	while read -r option; do
		sed 's/=$//' "$shown" | grep -qxe "$option" ||
			complain "$program --help: no $option, which the manual page has"
	done <"$described"
}

# Not built to be run from here.
if [ -e initramfs/systemd/s2disk-systemd ]; then
	cp initramfs/systemd/s2disk-systemd "$work/s2disk-systemd"
	chmod +x "$work/s2disk-systemd"
fi
for program in s2disk/s2disk tools/*/s2disk-* resume/resume "$work/s2disk-systemd"; do
	if [ -x "$program" ] && [ ! -d "$program" ]; then
		programs=$((programs + 1))
		check_program "$program"
	fi
done
[ "$programs" -ge 5 ] || complain "only $programs programs were found: run this in the build tree"

# The commands of s2disk-swapfile: what its manual page has for each, the usage
# line of --help has too.
usage=$(tools/swapfile/s2disk-swapfile --help | sed '/^[A-Z]/!b
	/^Usage/!q')
for command in create enable disable remove offset check; do
	synopsis=$(sed -n "/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/{/^\.Cm $command\$/,/^\.Nm/p}" \
		"$man/s2disk-swapfile.8")
	line=$(echo "$usage" | tr -s '\n ' ' ' | sed "s/.*s2disk-swapfile $command//; s/s2disk-swapfile .*//")
	for option in $(echo "$synopsis" | grep -o 'Fl -[a-z][-a-z]*' | sed 's/^Fl /-/'); do
		case $line in
		*"$option"*) ;;
		*) [ "$option" = --json ] || complain "s2disk-swapfile --help: $command without $option" ;;
		esac
	done
	for option in $(echo "$line" | grep -o -- '--[a-z][-a-z]*'); do
		short=${option#--}
		case $synopsis in
		*"Fl -${option#--}"* | *"Fl ${short%"${short#?}"} Ar $short"*) ;;
		*) complain "s2disk-swapfile.8: synopsis of $command without $option" ;;
		esac
	done
done
exit $failed
