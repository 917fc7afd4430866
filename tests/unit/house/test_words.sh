#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What users read has the field's words (doc/hacking.md, Words): none of these.
set -u

cd "${srcdir:-$(dirname "$0")/../../..}" || exit 99
words='folders?|nobody|somebody|whoever|knobs?|anew|told|so (many|much)|all the same|set aside|out of use'

# Strings in C; elsewhere all of the text.
sources=$(find lib s2disk resume tools -name '*.[ch]')
texts=$(find man doc initramfs completions debian packaging README.md CONTRIBUTING.md SECURITY.md NEWS \
	-type f ! -name '*.svg' ! -name copyright)
if [ "$(echo "$sources" | wc -l)" -lt 50 ] || [ "$(echo "$texts" | wc -l)" -lt 20 ]; then
	echo "hardly any files were found" >&2
	exit 1
fi
# shellcheck disable=SC2086 # no name has a blank
if {
	grep -niE "\"([^\"]*[^[:alnum:]_\"])?($words)([^[:alnum:]_\"][^\"]*)?\"" $sources
	grep -nwiE "$words" $texts
} | grep .; then
	echo "use the words of doc/hacking.md, Words" >&2
	exit 1
fi
