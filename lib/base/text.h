/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small text helpers: numbers, sizes, trimming. */
#ifndef S2DISK_BASE_TEXT_H
#define S2DISK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal or 0x number, with nothing after it; 0 or -EINVAL / -ERANGE. */
int text_parse_u64(const char *text, uint64_t *ret);

/* The same with an optional suffix K, M, G, T (and KiB, MiB … or KB, MB …): all are
 * powers of 1024, as uswsusp and the kernel read them. Bytes. */
int text_parse_size(const char *text, uint64_t *ret);

/* y, yes, t, true, on, 1 and n, no, f, false, off, 0, as systemd; -EINVAL otherwise. */
int text_parse_bool(const char *text, bool *ret);

/* Trims white space at both ends, in place; returns the new beginning. */
char *text_trim(char *text);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *end);

/* The value of the last NAME=VALUE line of a shell file, without quotes, up to a blank;
 * value is untouched if there is none, and "" if it does not fit. Returns whether there
 * is one. */
bool text_assigned(const char *text, const char *name, char *value, size_t size);

/* "1.4 GiB", "812 MiB", "512 bytes" into buffer (24 bytes suffice); returns
 * buffer. */
char *text_size(uint64_t bytes, char *buffer, size_t size);

/* "7 s", "12 min 5 s", "3 h 0 min" of microseconds, rounded to the nearest
 * second, into buffer (24 bytes suffice); returns buffer. */
char *text_duration(uint64_t usec, char *buffer, size_t size);

/* The bytes as lowercase hexadecimal digits, two for each, into text: 2 * count + 1 bytes. */
#define TEXT_HEX_DIGITS "0123456789abcdef"
void text_hex(const unsigned char *bytes, size_t count, char *text);

/* 16 bytes as blkid(8) prints a UUID. */
#define TEXT_UUID_SIZE 37
void text_uuid(const unsigned char uuid[16], char text[TEXT_UUID_SIZE]);

/* Copies and always terminates; false if the text was cut. */
bool text_copy(char *to, size_t size, const char *from);

/* Copies length bytes and undoes octal escapes (\040 for a blank, as in /proc and
 * fstab(5)); to may equal from. false: it does not fit, or contains a zero byte. */
bool text_unescape_octal(const char *from, size_t length, char *to, size_t size);

/* The reverse: blanks, control characters and backslashes become octal escapes, so the
 * text is one word. false: it does not fit. */
bool text_escape_octal(const char *from, char *to, size_t size);

/* Replaces bytes that are neither printable ASCII nor part of valid UTF-8 by '?', in
 * place: strings from a disk may contain terminal escapes. */
void text_make_printable(char *text);

/* The same, and line feeds become that character: fit for one line on a terminal. */
void text_make_line(char *text, char feed);

/* Bytes of the valid UTF-8 sequence at text, 0 if there is none (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF). Does not read past a zero byte. */
size_t text_utf8_length(const char *text);

/* User input for a message: one printable line, cut with "..." if buffer (at least 4
 * bytes) is too small; returns buffer. */
const char *text_excerpt(const char *text, char *buffer, size_t size);

/* The edit distance: how many bytes must be inserted, deleted, replaced, or swapped with
 * their neighbour to turn one text into the other, ignoring case. For texts longer than
 * TEXT_DISTANCE_MAX, the length of the longer one. */
#define TEXT_DISTANCE_MAX 64
size_t text_distance(const char *a, const char *b);

#endif
