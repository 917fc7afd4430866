/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/progress.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_USEC 200000
#define SPEED_AFTER_USEC 250000 /* a speed before that means nothing */
#define COLUMNS_MAX 120
#define BAR_MIN 8
#define BAR_MAX 40
#define NUMBERS_MAX 43 /* "  100 %  1023 MiB  9999 MiB/s  100 min left": a bar of steady width */

/* The bar on screen, for messages in between. */
static struct progress *current;

static void (*report_also)(const char *what, unsigned int percent);

void progress_set_also(void (*also)(const char *what, unsigned int percent))
{
	report_also = also;
}

/* True if a short write would not block: a stopped terminal, or a pipe with a frozen
 * reader, must not hold up the machine. */
static bool stderr_ready(void)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT);
}

/* Drawing is optional: the result is ignored. */
static void put(const char *text, size_t length)
{
	if (write(STDERR_FILENO, text, length) < 0)
		return;
}

static unsigned int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

/* A bar needs a carriage return and nothing else: no colours and no escape sequences are
 * ever sent. */
static bool bar_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

/* Overwrites the bar with text and spaces. The last column stays free, since some
 * terminals wrap after it. */
static void draw_over(const struct progress *progress, const char *text)
{
	char line[COLUMNS_MAX + 2];
	int length = snprintf(line, sizeof(line), "\r%-*s", (int)progress->columns - 1, text);

	put(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

static void clear_bar(void)
{
	if (!current || !current->bar || current->drawn == 0 || !stderr_ready())
		return;
	draw_over(current, "");
	put("\r", 1);
	current->drawn = 0; /* so the next update draws again */
}

static unsigned int percent(const struct progress *progress)
{
	double part = (double)progress->done * 100 / (double)progress->total;

	if (progress->done >= progress->total)
		return 100;
	return part < 99 ? (unsigned int)part : 99; /* 100 only when all is done */
}

/* Average bytes per second so far; 0 while unknown. */
static double speed(const struct progress *progress, uint64_t now)
{
	uint64_t usec = now > progress->begun ? now - progress->begun : 0;

	if (usec < SPEED_AFTER_USEC)
		return 0;
	return (double)progress->done * 1e6 / (double)usec;
}

/* Appends to a text of at most size - 1 bytes; the rest is cut. */
static void append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

/* "  2 s left", or nothing if that is unknown or absurd. */
static void append_left(char *text, size_t size, const struct progress *progress, double per_second)
{
	double exact;
	unsigned int left;

	if (progress->done >= progress->total || per_second <= 0)
		return;
	exact = (double)(progress->total - progress->done) / per_second;
	if (exact > 100 * 3600.0)
		return;
	left = (unsigned int)exact;
	left += left < exact; /* never "0 s left" */
	if (left < 120)
		append(text, size, "  %u s left", left);
	else
		append(text, size, "  %u min left", (left + 59) / 60);
}

/* Everything after the bar; the first `parts` of: percent, size, speed, time left. */
static void numbers_text(const struct progress *progress, uint64_t now, unsigned int parts,
			 char *text, size_t size)
{
	double per_second = speed(progress, now);
	char bytes[24];

	text[0] = '\0';
	if (parts > 0 && progress->total > 0)
		append(text, size, "  %3u %%", percent(progress));
	if (parts > 1)
		append(text, size, "  %s", text_size(progress->done, bytes, sizeof(bytes)));
	if (parts > 2 && per_second > 0)
		append(text, size, per_second < 10 * 1048576.0 ? "  %.1f MiB/s" : "  %.0f MiB/s",
		       per_second / 1048576.0);
	if (parts > 3)
		append_left(text, size, progress, per_second);
}

static void append_bar(char *text, size_t size, const struct progress *progress, size_t width)
{
	char bar[BAR_MAX + 1] = "";
	size_t full = width * percent(progress) / 100;

	memset(bar, '-', width);
	memset(bar, '#', full);
	append(text, size, "  [%s]", bar);
}

void progress_text(const struct progress *progress, uint64_t now, unsigned int columns,
		   char *buffer, size_t size)
{
	char text[COLUMNS_MAX + 1], numbers[80];
	size_t room = columns < COLUMNS_MAX ? columns : COLUMNS_MAX, used;

	if (size == 0)
		return;
	snprintf(text, sizeof(text), "%s", progress->what);
	/* On a narrow terminal the least important numbers go first. */
	for (unsigned int parts = 4;; parts--) {
		numbers_text(progress, now, parts, numbers, sizeof(numbers));
		used = strlen(text) + strlen(numbers);
		if (used <= room || parts == 0)
			break;
	}
	used = strlen(text) + NUMBERS_MAX + strlen("  []");
	if (progress->total > 0 && room >= used + BAR_MIN)
		append_bar(text, sizeof(text), progress, min_u64(room - used, BAR_MAX));
	append(text, sizeof(text), "%s", numbers);
	text[room] = '\0';
	text_copy(buffer, size, text);
}

static void draw_bar(struct progress *progress, uint64_t now)
{
	char text[COLUMNS_MAX + 1];

	if (!stderr_ready())
		return;
	progress_text(progress, now, progress->columns - 1, text, sizeof(text));
	draw_over(progress, text);
	progress->drawn = now;
}

/* One plain message, for logs and pipes. */
static void draw_line(struct progress *progress, uint64_t now)
{
	char numbers[80];

	if (!stderr_ready())
		return;
	numbers_text(progress, now, 3, numbers, sizeof(numbers));
	log_info("%s%s", progress->what, numbers);
	progress->drawn = now;
}

void progress_begin(struct progress *progress, const char *what, uint64_t total, bool quiet)
{
	*progress = (struct progress){ .total = total, .begun = now_usec(), .quiet = quiet };
	text_copy(progress->what, sizeof(progress->what), what);
	if (quiet)
		return;
	progress->columns = terminal_columns();
	progress->bar = bar_possible() && progress->columns > 1;
	current = progress;
	log_set_before(clear_bar);
	if (progress->bar)
		draw_bar(progress, progress->begun);
}

void progress_update(struct progress *progress, uint64_t done)
{
	unsigned int tenth;
	uint64_t now;

	progress->done = done;
	if (progress->quiet)
		return;
	tenth = progress->total > 0 ? percent(progress) / 10 : 0;
	if (progress->bar) {
		now = now_usec();
		if (now - progress->drawn >= REDRAW_USEC)
			draw_bar(progress, now);
	} else if (tenth > progress->tenth) {
		draw_line(progress, now_usec());
	}
	if (tenth > progress->tenth && report_also)
		report_also(progress->what, tenth * 10);
	if (tenth > progress->tenth)
		progress->tenth = tenth;
}

void progress_end(struct progress *progress)
{
	if (progress->quiet)
		return;
	if (progress->bar) {
		draw_bar(progress, now_usec());
		if (stderr_ready())
			put("\n", 1);
	} else if (progress->tenth < 10) {
		draw_line(progress, now_usec());
	}
	if (current == progress) {
		current = NULL;
		log_set_before(NULL);
	}
}
