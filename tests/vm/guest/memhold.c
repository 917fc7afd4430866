/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memhold: content that proves something.
 *
 * A daemon fills memory and files with data made from a seed, half random and
 * half compressible, counts, and can report at any time whether every
 * byte is still there. Its control is an abstract socket, and nothing
 * but memory is needed to keep it running over a hibernation.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { PAGE = 4096, CHUNK = 4 << 20, FILES = 4 };

struct hold {
	uint64_t seed;
	size_t pages;
	unsigned char *memory;
	int punched; /* every second page was given back */
	char dir[200];
	size_t file_pages; /* of each file */
	uint64_t file_sum[FILES];
	char boot_id[64];
	uint64_t counter;
};

static struct hold hold;

static void die(const char *what)
{
	fprintf(stderr, "memhold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Even pages of 64 are random, the others a line repeated: alternating in
 * runs, so that every part of an image has both. */
static void make_page(uint64_t seed, uint64_t index, uint64_t *page)
{
	uint64_t x = mix(seed * 0x10001 + index);
	size_t i;

	if ((index / 64) % 2 == 0) {
		for (i = 0; i < PAGE / 8; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			page[i] = x;
		}
	} else {
		for (i = 0; i < PAGE / 8; i++)
			page[i] = i % 8 ? x ^ (0x0101010101010101u * (i % 8)) : index * PAGE + i;
	}
}

static uint64_t sum_page(uint64_t sum, const uint64_t *page)
{
	size_t i;

	for (i = 0; i < PAGE / 8; i++)
		sum = (sum ^ page[i]) * 0x100000001b3u + (sum >> 47);
	return sum;
}

static void read_boot_id(char *id)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, id, 36) : -1;

	id[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
}

static size_t status_kib(const char *field)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[200];
	size_t value = 0;

	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, field, strlen(field)))
			value = strtoul(line + strlen(field) + 1, NULL, 10);
	if (status)
		fclose(status);
	return value;
}

static void page_out(size_t first, size_t count)
{
	madvise(hold.memory + first * PAGE, count * PAGE, MADV_PAGEOUT);
}

static void fill(int page_out_too)
{
	size_t i, chunk = CHUNK / PAGE;

	hold.memory = mmap(NULL, hold.pages * PAGE + 1, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (hold.memory == MAP_FAILED)
		die("mmap");
	madvise(hold.memory, hold.pages * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < hold.pages; i++) {
		make_page(hold.seed, i, (uint64_t *)(hold.memory + i * PAGE));
		if (page_out_too && (i + 1) % chunk == 0)
			page_out(i + 1 - chunk, chunk);
	}
}

static void file_name(char *name, size_t size, int number)
{
	snprintf(name, size, "%s/file%d", hold.dir, number);
}

static void write_files(void)
{
	static uint64_t page[PAGE / 8];
	char name[256];
	size_t i;
	int n, fd;

	mkdir(hold.dir, 0700);
	for (n = 0; n < FILES && hold.file_pages; n++) {
		file_name(name, sizeof(name), n);
		fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0)
			die(name);
		for (i = 0; i < hold.file_pages; i++) {
			make_page(hold.seed + 100 + (uint64_t)n, i, page);
			hold.file_sum[n] = sum_page(hold.file_sum[n], page);
			if (write(fd, page, PAGE) != PAGE)
				die(name);
		}
		close(fd);
	}
}

static int check_memory(FILE *out)
{
	static uint64_t page[PAGE / 8];
	size_t i, bad = 0, first = 0;

	for (i = 0; i < hold.pages; i++) {
		if (hold.punched && i % 2)
			continue;
		make_page(hold.seed, i, page);
		if (memcmp(page, hold.memory + i * PAGE, PAGE) && !bad++)
			first = i;
	}
	if (bad)
		fprintf(out, "hold-memory bad: %zu of %zu pages, first %zu\n", bad, hold.pages,
			first);
	else
		fprintf(out, "hold-memory ok %zu pages\n", hold.pages);
	return bad != 0;
}

static int check_files(FILE *out)
{
	static uint64_t page[PAGE / 8], want[PAGE / 8];
	char name[256];
	size_t i, bad = 0;
	int n, fd;

	for (n = 0; n < FILES && hold.file_pages; n++) {
		uint64_t sum = 0;

		file_name(name, sizeof(name), n);
		fd = open(name, O_RDONLY);
		for (i = 0; i < hold.file_pages; i++) {
			if (fd < 0 || read(fd, page, PAGE) != PAGE)
				break;
			sum = sum_page(sum, page);
			make_page(hold.seed + 100 + (uint64_t)n, i, want);
			if (memcmp(page, want, PAGE) && !bad++)
				fprintf(out, "hold-files-first %s page %zu\n", name, i);
		}
		if (fd >= 0)
			close(fd);
		if (i < hold.file_pages || sum != hold.file_sum[n])
			bad++;
	}
	if (bad)
		fprintf(out, "hold-files bad: %zu\n", bad);
	else
		fprintf(out, "hold-files ok %d files of %zu pages\n", FILES, hold.file_pages);
	return bad != 0;
}

static void command(const char *name, FILE *out)
{
	char id[64];
	size_t i;

	if (!strcmp(name, "check")) {
		check_memory(out);
		check_files(out);
		read_boot_id(id);
		fprintf(out, "hold-boot-id %s\n", strcmp(id, hold.boot_id) ? "bad: changed" : "ok");
		fprintf(out, "counter %llu\n", (unsigned long long)hold.counter);
	} else if (!strcmp(name, "counter")) {
		fprintf(out, "counter %llu\n", (unsigned long long)hold.counter);
	} else if (!strcmp(name, "pageout")) {
		for (i = 0; i < hold.pages; i += CHUNK / PAGE)
			page_out(i, hold.pages - i < CHUNK / PAGE ? hold.pages - i : CHUNK / PAGE);
		fprintf(out, "swapped-kib %zu\n", status_kib("VmSwap"));
	} else if (!strcmp(name, "punch")) {
		/* Twice: what was just written out may still be mapped. */
		page_out(0, hold.pages);
		page_out(0, hold.pages);
		for (i = 1; i < hold.pages; i += 2)
			madvise(hold.memory + i * PAGE, PAGE, MADV_DONTNEED);
		hold.punched = 1;
		fprintf(out, "swapped-kib %zu\n", status_kib("VmSwap"));
	} else if (!strcmp(name, "quit")) {
		fclose(out);
		exit(0);
	} else {
		fprintf(out, "unknown %s\n", name);
	}
}

static socklen_t address(struct sockaddr_un *where, const char *name)
{
	memset(where, 0, sizeof(*where));
	where->sun_family = AF_UNIX;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(where->sun_path + 1, sizeof(where->sun_path) - 1,
					    "memhold-%s", name));
}

static void serve(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char line[64];

	for (;;) {
		hold.counter++;
		if (poll(&wait, 1, 5) <= 0)
			continue;

		int client = accept(fd, NULL, NULL);
		ssize_t n = client < 0 ? -1 : read(client, line, sizeof(line) - 1);

		if (n > 0) {
			FILE *out = fdopen(client, "w");

			line[n] = 0;
			command(line, out);
			fclose(out);
		} else if (client >= 0) {
			close(client);
		}
	}
}

/* start NAME SEED MEM-MIB FILES-MIB DIR [swapped] */
static int start(char **argv, int argc)
{
	struct sockaddr_un where;
	socklen_t length;
	int ready[2], fd;
	char byte;

	if (argc < 5)
		return 2;
	hold.seed = strtoull(argv[1], NULL, 0);
	hold.pages = strtoul(argv[2], NULL, 0) << 8;
	hold.file_pages = (strtoul(argv[3], NULL, 0) << 8) / FILES;
	snprintf(hold.dir, sizeof(hold.dir), "%s", argv[4]);
	if (pipe(ready))
		die("pipe");
	if (fork()) {
		close(ready[1]);
		return read(ready[0], &byte, 1) == 1 ? 0 : 1;
	}
	close(ready[0]);
	setsid();
	read_boot_id(hold.boot_id);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	length = address(&where, argv[0]);
	if (fd < 0 || bind(fd, (void *)&where, length) || listen(fd, 5))
		die("socket");
	fill(argc > 5 && !strcmp(argv[5], "swapped"));
	write_files();
	if (write(ready[1], "r", 1) != 1)
		die("pipe");
	close(ready[1]);
	serve(fd);
	return 0;
}

/* ask NAME COMMAND: prints the answer, "key value" lines */
static int ask(const char *name, const char *what)
{
	struct sockaddr_un where;
	socklen_t length = address(&where, name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char buffer[4096];
	ssize_t n;

	if (fd < 0 || connect(fd, (void *)&where, length))
		die(name);
	if (write(fd, what, strlen(what)) < 0)
		die(name);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(1, buffer, (size_t)n) != n)
			return 1;
	return 0;
}

/* run KEY COMMAND…: runs it, then marks exit code, milliseconds, peak RSS */
static int run(char **argv)
{
	struct timespec a, b;
	struct rusage use;
	char line[200];
	int status, kmsg, n;
	pid_t child;

	clock_gettime(CLOCK_MONOTONIC, &a);
	child = fork();
	if (child == 0) {
		execv(argv[1], argv + 1);
		die(argv[1]);
	}
	/* What the terminal sends to all of us is meant for the program. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (child < 0 || wait4(child, &status, 0, &use) < 0)
		die("run");
	clock_gettime(CLOCK_MONOTONIC, &b);
	kmsg = open("/dev/kmsg", O_WRONLY);
	/* One write is one line of the kernel log. */
	n = snprintf(line, sizeof(line), "<1>@@ %s exit=%d signal=%d ms=%lld maxrss=%ld\n", argv[0],
		     WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		     WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		     (long long)(b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000,
		     use.ru_maxrss);
	if (write(kmsg, line, (size_t)n) != n)
		die("kmsg");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* What the terminal shows goes to standard output, until the text is there. */
static void watch_terminal(int master, const char *text)
{
	char seen[8192] = "";
	size_t used = 0;
	ssize_t n;

	while (!strstr(seen, text) && used < sizeof(seen) - 1) {
		n = read(master, seen + used, sizeof(seen) - 1 - used);
		if (n <= 0 || write(1, seen + used, (size_t)n) != n)
			return;
		used += (size_t)n;
	}
}

/* terminal TEXT COMMAND…: runs it on a terminal of its own, which hangs up as
 * soon as it shows TEXT; where that is empty, before the command begins, which then
 * ignores SIGHUP. The exit code is the command's, or 128 and the signal's number */
static int terminal(char **argv)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), pair[2], slave, status;
	pid_t child;
	char byte = 0;

	if (master < 0 || grantpt(master) || unlockpt(master) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("terminal");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	child = fork();
	if (child == 0) {
		close(pair[1]);
		close(master);
		if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0))
			die("terminal");
		if (!argv[0][0])
			signal(SIGHUP, SIG_IGN);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		close(slave);
		/* It is our terminal now; may we begin? */
		if (write(pair[0], &byte, 1) == 1 && read(pair[0], &byte, 1) >= 0)
			execv(argv[1], argv + 1);
		_exit(127);
	}
	close(slave);
	close(pair[0]);
	if (child < 0 || read(pair[1], &byte, 1) != 1)
		die("terminal");
	if (!argv[0][0])
		close(master);
	close(pair[1]);
	if (argv[0][0]) {
		watch_terminal(master, argv[0]);
		close(master);
	}
	if (waitpid(child, &status, 0) < 0)
		die("terminal");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* alarms SECONDS: one rings each second, so the kernel has no time to sleep in
 * memory (kernel/time/alarmtimer.c wants two seconds until the next). */
static int alarms(int seconds)
{
	if (fork())
		return 0;
	setsid();
	for (int i = 1; i <= seconds; i++) {
		struct itimerspec when = { .it_value.tv_sec = i };
		int fd = timerfd_create(CLOCK_BOOTTIME_ALARM, 0);

		if (fd < 0 || timerfd_settime(fd, 0, &when, NULL))
			die("timerfd");
	}
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "start"))
		return start(argv + 2, argc - 2);
	if (argc == 4 && !strcmp(argv[1], "ask"))
		return ask(argv[2], argv[3]);
	if (argc >= 4 && !strcmp(argv[1], "run"))
		return run(argv + 2);
	if (argc >= 4 && !strcmp(argv[1], "terminal"))
		return terminal(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "alarms"))
		return alarms(atoi(argv[2]));
	fprintf(stderr, "usage: memhold start|ask|run|terminal|alarms …\n");
	return 2;
}
