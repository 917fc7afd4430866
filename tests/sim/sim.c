/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim_private.h"

#include "base/bytes.h"
#include "base/io.h"
#include "base/log.h"
#include "s2disk/hibernate.h"
#include "resume/restore.h"
#include "ui/abort_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* "mismatch retries", at its default. */
#define KEPT_MAX 2u

/* More boots than the settings allow mean an endless loop. */
#define BOOTS_MAX 12u

struct sim *sim;
bool sim_active;

bool sim_due(enum sim_class class)
{
	struct sim_shared *s = sim->shared;
	const struct sim_plan *plan = &s->plan;
	uint64_t number;

	if (!sim_active)
		return false;
	number = __atomic_add_fetch(&s->outcome.counts[class], 1, __ATOMIC_RELAXED);
	if (class != plan->class || (number != plan->at && number != plan->second_at))
		return false;
	if (plan->fault == SIM_CUT)
		sim_end(SIM_POWERCUT);
	if (plan->fault == SIM_SIGNAL)
		raise(plan->number);
	if (plan->fault == SIM_DAMAGE) {
		size_t at = SIM_PAGE + (size_t)(plan->seed * 40503 % (SIM_DISK_BYTES - SIM_PAGE));

		sim->disk.at[at] ^= 0x20;
		sim->durable.at[at] ^= 0x20;
	}
	return plan->fault != SIM_SIGNAL && plan->fault != SIM_DAMAGE;
}

void sim_broken(const char *format, ...)
{
	struct sim_outcome *outcome = &sim->shared->outcome;
	va_list args;

	va_start(args, format);
	if (!outcome->broken[0])
		vsnprintf(outcome->broken, sizeof(outcome->broken), format, args);
	va_end(args);
	sim_end(SIM_NOTHING);
}

/* Present in builds for tests/coverage: coverage data is written by exit(), but not by _exit(). */
void __gcov_dump(void) __attribute__((weak));

void sim_end(enum sim_fate fate)
{
	/* The test itself would end, and count as passed. */
	if (getpid() == sim->owner)
		abort();
	sim->shared->outcome.fate = fate;
	if (__gcov_dump) {
		sim_active = false; /* its files are no disk */
		__gcov_dump();
	}
	_exit(0);
}

/* As mkswap creates it. */
static void make_first_page(unsigned char *page)
{
	memset(page, 0, SIM_PAGE);
	put_le32(page + 1024, 1);
	put_le32(page + 1028, SIM_DISK_PAGES - 1);
	memset(page + 1036, 0xab, 16);
	memcpy(page + 1052, "simulated", 9);
	memcpy(page + SIM_PAGE - 10, "SWAPSPACE2", 10);
}

static void make_swap(unsigned char *disk)
{
	memset(disk, 0, SIM_DISK_BYTES);
	make_first_page(disk);
}

static void make_bytes(struct sim_bytes *bytes, const char *name, size_t size)
{
	bytes->fd = memfd_create(name, MFD_CLOEXEC);
	if (bytes->fd < 0 || ftruncate(bytes->fd, (off_t)size) < 0)
		abort();
	bytes->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bytes->fd, 0);
	if (bytes->at == MAP_FAILED)
		abort();
}

static void free_bytes(struct sim_bytes *bytes, size_t size)
{
	munmap(bytes->at, size);
	close(bytes->fd);
}

struct sim *sim_create(void)
{
	struct sim *new = calloc(1, sizeof(*new));

	if (!new)
		abort();
	new->owner = getpid();
	make_bytes(&new->disk, "disk", SIM_DISK_BYTES);
	make_bytes(&new->durable, "durable", SIM_DISK_BYTES);
	make_bytes(&new->log, "log", SIM_LOG_BYTES);
	new->said = memfd_create("said", MFD_CLOEXEC);
	new->shared = mmap(NULL, sizeof(*new->shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (new->said < 0 || new->shared == MAP_FAILED)
		abort();
	sim = new;
	sim_memory_maps_begin();
	sim_snapshot_begin();
	return new;
}

void sim_destroy(struct sim *old)
{
	free_bytes(&old->disk, SIM_DISK_BYTES);
	free_bytes(&old->durable, SIM_DISK_BYTES);
	free_bytes(&old->log, SIM_LOG_BYTES);
	munmap(old->shared, sizeof(*old->shared));
	close(old->said);
	free(old);
}

static void make_settings(struct settings *settings)
{
	const struct sim_plan *plan = &sim->shared->plan;

	settings_defaults(settings);
	settings->splash = false;
	settings->threads = plan->workers > 0;
	settings->workers = plan->workers;
	settings->buffer_mib = 8;
	settings->block_kib = 64;
	settings->method = plan->method;
	settings->mismatch_action = plan->action;
	settings->verify_image = plan->verify;
	if (plan->max_attempts)
		settings->max_attempts = plan->max_attempts;
	settings->encrypt = plan->ways != SIM_PLAIN;
	settings->cipher = AEAD_AES256_GCM;
}

static const struct swap_area area = {
	.name = "/dev/simulated",
	.device = "/dev/simulated",
	.dev_bytes = SIM_DISK_BYTES,
};

/* The firmware's map of a boot; 0: the one that hibernates. */
static char map_of(unsigned int boot)
{
	const char *maps = sim->shared->plan.maps ? sim->shared->plan.maps : "A";

	return boot < strlen(maps) ? maps[boot] : maps[strlen(maps) - 1];
}

static void begin_process(bool is_boot)
{
	sim_active = false; /* the system in the image was in the midst of it */
	kernel.device = kernel.snapshot = -1;
	kernel.resuming = kernel.frozen = kernel.image = kernel.restored = false;
	kernel.is_boot = is_boot;
	kernel.line = kernel.lines = 0;
	kernel.freezes = is_boot ? 99 : 0;
	kernel.map = map_of(is_boot ? sim->shared->outcome.boots : 0);
	kernel.offlined_count = 0;
	kernel.typed_usec = 0;
	kernel.wakeups = 0;
	sim_forget_secrets();
	kernel.data_pages = SIM_FULL_PAGES;
	memset(kernel.taken, 0, sizeof(kernel.taken));
	dup2(sim->said, STDERR_FILENO);
	/* Not those of the test, nor of the system in the image. */
	for (int number = 1; number < SIGRTMIN; number++)
		signal(number, SIG_DFL);
	if (crypto_init(NULL) < 0)
		sim_broken("no libgcrypt");
}

static bool same_first_page(const unsigned char *disk)
{
	unsigned char fresh[SIM_PAGE];

	make_first_page(fresh);
	return memcmp(disk, fresh, SIM_PAGE) == 0;
}

/* The system or the boot continues: swap must be swap. */
static void check_swap(const char *who)
{
	if (sim->shared->outcome.dead)
		return;
	if (sim_live_image(sim->disk.at) || sim_live_image(sim->durable.at))
		sim_broken("%s continues with a live image", who);
	if (!same_first_page(sim->disk.at) || !same_first_page(sim->durable.at))
		sim_broken("%s continues with a swap header that is not mkswap's", who);
}

/* What a boot may write to an image on the disk: the hand-over page, and the header,
 * which is wiped if it was sealed. */
static void take_image_pages(void)
{
	struct signature_record record;

	kernel.taken[1] = 1;
	/* A first page of another page size. */
	if (sim->shared->plan.change)
		memset(kernel.taken + 1, 1, 15);
	if (sim_live_image(sim->disk.at) &&
	    signature_record_decode(sim->disk.at, SIM_PAGE, &record, NULL) == 0)
		kernel.taken[record.header_offset / SIM_PAGE % SIM_DISK_PAGES] = 1;
}

/* The boot record must say what happened. */
static void check_record(const struct boot_run *run, bool was_live, bool failed)
{
	bool is_live = sim_live_image(sim->disk.at);

	if ((run->fate == FATE_DISCARDED) != (run->reason[0] != '\0'))
		sim_broken("the record has no reason, or one too many");
	/* After a failed write, the content of the disk is unknown. */
	if (failed)
		return;
	if (was_live && !is_live && run->fate != FATE_DISCARDED)
		sim_broken("the record does not say that the image was discarded");
	if (is_live && run->found != FOUND_UNKNOWN && run->fate != FATE_STILL_THERE)
		sim_broken("the record does not say that the image is still there");
}

static bool says_noresume(void)
{
	return sim->shared->plan.noresume &&
	       sim->shared->outcome.boots > sim->shared->plan.refused_before;
}

/* One boot: what the initramfs does. */
static void boot(void)
{
	struct swap_area found = area;
	struct settings settings;
	struct boot_run run = { 0 };
	struct why w = { "" };
	bool was_live;
	int r;

	begin_process(true);
	if (sim->shared->plan.short_disk && sim->shared->outcome.boots <= 4)
		found.dev_bytes = sim->shared->plan.short_disk;
	log_release(); /* buffered by the system in the image */
	take_image_pages();
	make_settings(&settings);
	if (sim->shared->plan.sealed_only)
		settings.encrypt = true;
	was_live = sim_live_image(sim->disk.at);
	sim_active = true;
	r = restore(&settings, &found, says_noresume() ? "noresume" : NULL, &run, &w);
	sim_active = false;
	if (r < 0)
		log_error("%s; nothing is resumed", why_text(&w, r));
	if (!sim->shared->plan.change)
		check_swap("the boot");
	check_record(&run, was_live, r < 0);
	if (kernel.released)
		sim_broken("the boot continues without the devices that it released");
	if (kernel.huge_given)
		sim_broken("the boot continues without its huge pages");
	sim_end(SIM_FRESH);
}

/* May this boot lose the session? */
static bool may_be_lost(bool was_live)
{
	const struct sim_plan *plan = &sim->shared->plan;

	return !was_live || plan->change || plan->noresume || plan->fault == SIM_DAMAGE ||
	       plan->action == MISMATCH_DISCARD || plan->max_attempts || plan->hungry ||
	       plan->other_boots > KEPT_MAX || plan->never_fits || sim->shared->outcome.dead;
}

enum sim_fate sim_boots(void)
{
	struct sim_outcome *outcome = &sim->shared->outcome;
	bool changed = sim->shared->plan.change != NULL;

	if (changed) {
		sim->shared->plan.change(sim->disk.at);
		memcpy(sim->durable.at, sim->disk.at, SIM_DISK_BYTES);
	}
	while (outcome->boots++ < BOOTS_MAX) {
		bool live;
		pid_t child;
		int status = -1;

		if (outcome->fate == SIM_POWERCUT)
			sim_lose();
		live = sim_live_image(sim->disk.at);
		outcome->fate = SIM_NOTHING;
		fflush(NULL);
		child = fork();
		if (child == 0)
			boot();
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
			sim_broken("resume ended with status 0x%x", status);
		if (outcome->broken[0] || outcome->fate == SIM_RESTORED)
			return outcome->fate;
		if (outcome->fate == SIM_FRESH && !may_be_lost(live))
			sim_broken("a session was lost");
		outcome->may_lose = outcome->may_lose || may_be_lost(live);
		outcome->powered_off += outcome->fate == SIM_KEPT;
		if (outcome->fate == SIM_FRESH || (outcome->fate == SIM_KEPT && changed))
			return outcome->fate;
		if ((outcome->fate == SIM_REBOOT || outcome->fate == SIM_KEPT) && !changed &&
		    !sim_live_image(sim->disk.at))
			sim_broken("booted again without an image");
	}
	sim_broken("it boots for ever");
}

/* Cheap, since every life opens it. */
static const struct kdf kdf = { .memory_kib = 8, .passes = 1, .lanes = 1 };

static struct key_ways *make_keys(void)
{
	unsigned int wanted = sim->shared->plan.ways;
	struct key_ways *ways = wanted ? key_ways_alloc() : NULL;
	struct key_pair pair;
	int r = 0;

	if (wanted && !ways)
		r = -ENOMEM;
	if (r == 0 && wanted & SIM_PASSPHRASE)
		r = key_ways_add_passphrase(ways, &kdf, SIM_PHRASE, strlen(SIM_PHRASE), NULL);
	if (r == 0 && wanted & SIM_KEY_PAIR)
		r = key_pair_make(&kdf, SIM_PHRASE, strlen(SIM_PHRASE), &pair, NULL);
	if (r == 0 && wanted & SIM_KEY_PAIR)
		r = key_ways_add_pair(ways, &pair, NULL);
	if (r < 0)
		sim_broken("no keys: %d", r);
	return ways;
}

/* No signal may end it before the caller has recorded its end. */
static void end_watch(void)
{
	struct sigaction held, after;

	sigaction(SIGTERM, NULL, &held);
	abort_watch_end();
	sigaction(SIGTERM, NULL, &after);
	if (held.sa_handler == after.sa_handler)
		sim_broken("a signal would end it before its end is kept");
}

/* What must hold after every hibernation, with this many boots before it. */
static void check_end(const struct last *last, int r, unsigned int boots_before, struct why *w)
{
	bool booted = sim->shared->outcome.boots > boots_before;

	if (r < 0)
		log_error("not hibernated: %s", why_text(w, r));
	if (kernel.snapshot >= 0)
		sim_broken("/dev/snapshot was left open");
	check_swap("the system");
	if (booted && last->load_usec >= SIM_TYPING_USEC)
		sim_broken("the time of loading has that of typing in it");
	if (booted && r < 0)
		sim_broken("resumed, and then: %s", why_text(w, r));
}

static int hibernate_once(const struct settings *settings)
{
	unsigned int boots_before = sim->shared->outcome.boots;
	struct platform_section section = { 0 };
	struct key_ways *keys = make_keys();
	struct why w = { "" };
	struct last last;
	bool begun;
	int r;

	sim_active = true;
	last_begin(&last, area.name, method_name(settings->method));
	r = platform_section_capture(&section, "", &w);
	begun = r == 0;
	if (begun)
		r = hibernate(settings, &area, &section, keys, &last, &w);
	sim_active = false;
	if (begun)
		end_watch();
	platform_section_free(&section);
	key_ways_free(keys);
	check_end(&last, r, boots_before, &w);
	if (kernel.no_swapping)
		sim_broken("the kernel was left unable to swap out");
	return r;
}

/* The machine hibernates; in the resumed system the same process continues, and
 * hibernates again. */
static void hibernate_and_go_on(void)
{
	const struct sim_plan *plan = &sim->shared->plan;
	unsigned int left = plan->times ? plan->times : 1;
	bool slept = plan->method == METHOD_SUSPEND;
	struct settings settings;
	int r = 0;

	begin_process(false);
	make_settings(&settings);
	while (r == 0 && left-- > 0)
		r = hibernate_once(&settings);
	if (r < 0)
		sim_end(SIM_RUNS_ON);
	sim_end(sim->shared->outcome.boots > 0 ? SIM_RESUMED : slept ? SIM_WOKE : SIM_NOTHING);
}

static void begin_life(const struct sim_plan *plan)
{
	struct sim_shared *s = sim->shared;

	s->plan = *plan;
	s->outcome = (struct sim_outcome){ .fate = SIM_NOTHING };
	s->log_count = s->log_used = s->unflushed = 0;
	s->restores = s->phrases = 0;
	make_swap(sim->disk.at);
	memcpy(sim->durable.at, sim->disk.at, SIM_DISK_BYTES);
	if (ftruncate(sim->said, 0) < 0 || lseek(sim->said, 0, SEEK_SET) < 0)
		abort();
}

void sim_live(struct sim *which, const struct sim_plan *plan, struct sim_outcome *ret)
{
	struct sim_outcome *outcome;
	pid_t child;
	int status;
	ssize_t n;

	sim = which;
	begin_life(plan);
	outcome = &sim->shared->outcome;
	fflush(NULL);
	child = fork();
	if (child == 0)
		hibernate_and_go_on();
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	/* s2disk may be killed while it has changed nothing. */
	if (WIFSIGNALED(status) && plan->fault == SIM_SIGNAL && WTERMSIG(status) == plan->number &&
	    same_first_page(sim->disk.at))
		outcome->fate = SIM_RUNS_ON;
	else if (status != 0 && !outcome->broken[0])
		snprintf(outcome->broken, sizeof(outcome->broken), "s2disk ended with status 0x%x",
			 status);
	/* A power cut before there was a snapshot. */
	if (outcome->fate == SIM_POWERCUT) {
		child = fork();
		if (child == 0) {
			sim_boots();
			_exit(0);
		}
		waitpid(child, &status, 0);
	}
	if (outcome->fate < SIM_RUNS_ON && !outcome->broken[0])
		snprintf(outcome->broken, sizeof(outcome->broken), "it ended as %d", outcome->fate);
	n = pread(sim->said, outcome->said, sizeof(outcome->said) - 1, 0);
	outcome->said[n > 0 ? n : 0] = '\0';
	/* A system that continues must have been warned about leftovers, except after a
	 * power cut or damage. */
	if (!outcome->dead && outcome->fate != SIM_KEPT && plan->fault != SIM_CUT &&
	    plan->fault != SIM_DAMAGE && sim_sealed_header(sim->disk.at) &&
	    !strstr(outcome->said, "could still") && !outcome->broken[0])
		snprintf(outcome->broken, sizeof(outcome->broken),
			 "no warning that sealed data could still be opened");
	*ret = *outcome;
}

const unsigned char *sim_disk(const struct sim *which)
{
	return which->disk.at;
}

void sim_log(struct sim *which, struct write_log *ret)
{
	struct sim_shared *s = which->shared;
	struct log_entry *entries = calloc(s->log_count + 1, sizeof(*entries));

	if (!entries)
		abort();
	for (size_t i = 0; i < s->log_count; i++)
		entries[i] = (struct log_entry){
			.kind = s->log[i].kind,
			.offset = s->log[i].offset,
			.length = s->log[i].length,
			.data = which->log.at + s->log[i].data,
		};
	*ret = (struct write_log){ .entries = entries, .count = s->log_count };
}

static int open_with_phrase(void *context, const struct key_slots *slots,
			    unsigned char key[IMAGE_KEY_SIZE], struct why *w)
{
	(void)context;
	return key_slots_try_passphrase(slots, SIM_PHRASE, strlen(SIM_PHRASE), key, w);
}

int sim_fresh_disk(struct disk_state *ret)
{
	int fd = memfd_create("fresh", MFD_CLOEXEC), r;
	unsigned char *bytes = calloc(1, SIM_DISK_BYTES);

	if (fd < 0 || !bytes)
		abort();
	make_swap(bytes);
	r = io_pwrite_full(fd, bytes, SIM_DISK_BYTES, 0);
	free(bytes);
	if (r == 0)
		r = disk_state_map(ret, fd, SIM_DISK_BYTES, 0, NULL);
	if (r == 0)
		ret->unlocker = (struct image_unlocker){ .unlock = open_with_phrase };
	return r;
}
