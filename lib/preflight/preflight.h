/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds what would prevent a hibernation before one is attempted. Each check says what it found,
 * and what the user can do.
 *
 * Everything is read below a root directory ("" for the real one), so tests can use recorded
 * machines; what no file can provide goes through struct preflight_system. */
#ifndef S2DISK_PREFLIGHT_PREFLIGHT_H
#define S2DISK_PREFLIGHT_PREFLIGHT_H

#include "base/text.h"
#include "platform/platform.h"
#include "release/release_plan.h"
#include "config/settings.h"
#include "swap/device_stack.h"
#include "swap/swap_area.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum check_level {
	CHECK_OK,
	CHECK_WARNING, /* may go wrong */
	CHECK_FAILED,  /* hibernation is refused, exit code 3 */
};

struct check {
	const char *id; /* stable word for scripts: "root", "snapshot-device", … */
	enum check_level level;
	char text[400];	  /* what was found */
	char advice[400]; /* what to do; "" if nothing */
};

#define PREFLIGHT_MAX 32

struct preflight {
	struct check checks[PREFLIGHT_MAX];
	size_t count;
	size_t left_out;    /* checks that did not fit; none is worse than those in the list */
	struct check spare; /* the last of them */
	/* What it is if HibernateLocation cannot be written: CHECK_OK where the way back does not
	 * depend on that variable, or is not checked. */
	enum check_level without_variable;
};

/* Adds an empty check of this level at the end, and returns it (until the next
 * is added). When the list is full, one of the mildest is dropped, which may be this one; so no
 * failure is lost. */
struct check *preflight_place(struct preflight *preflight, const char *id, enum check_level level);

/* Where the image would go, as main() found it. */
struct preflight_target {
	const struct swap_area *area;	 /* NULL: none was found */
	const char *area_problem;	 /* why none was found */
	int area_error;			 /* … as target_find's negative errno; 0: another cause */
	const struct platform *platform; /* this machine; NULL: not looked at */
	const char *platform_problem;	 /* … or why it could not be */
	/* What is released before the snapshot; platform is as it will be then. NULL: nothing. */
	const struct release_plan *release;
};

/* Queries of the running system. */
struct preflight_system {
	uid_t (*euid)(void);
	/* Opens a device; kind is S_IFCHR or S_IFBLK. The fd, -EINVAL when the
	 * path is something else, or a negative errno. */
	int (*open_device)(const char *path, int flags, mode_t kind);
	/* As in kernel/snapshot_device.h and swap/swap_area.h. */
	int (*set_swap_area)(int fd, dev_t dev, uint64_t offset);
	int (*avail_swap)(int fd, uint64_t *ret);
	bool (*find_entry)(const struct swap_area *area, const struct swap_entry *entries,
			   size_t count, struct swap_entry *ret);
	int (*resolve)(const char *spec, uint64_t offset, bool allow_file, struct swap_area *ret,
		       struct why *w);
	/* The block device of a swap area in the kernel's list: itself, or what the file
	 * lies on. False: it cannot be seen. */
	bool (*entry_device)(const char *root, const struct swap_entry *entry, dev_t *ret);
};

/* The real ones. */
extern const struct preflight_system preflight_real_system;
bool preflight_entry_device(const char *root, const struct swap_entry *entry, dev_t *ret);

/* What one check is given, and what it leaves for those after it. */
struct preflight_context {
	const struct preflight_system *system;
	const struct settings *settings;
	const struct preflight_target *target;
	const char *root;
	struct preflight *preflight;
	int snapshot_fd; /* set by check_snapshot_device; -1: it cannot be opened */
	bool denied;	 /* … and the reason was found */
	/* Set by check_swap_area. */
	bool refused_already; /* the area can never hold an image */
	bool free_known;
	uint64_t area_free;  /* bytes */
	uint64_t other_free; /* bytes, in all other areas on disks together */
	/* zram that the kernel fills before the area; "" for none */
	char zram_first[64];
	char area_uuid[TEXT_UUID_SIZE]; /* from its first page; "" if unknown */
};

/* Adds a check with its text; never NULL. */
struct check *preflight_add(struct preflight_context *context, const char *id,
			    enum check_level level, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void preflight_advise(struct check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Two of the checks by themselves, in this order. */
void check_swap_area(struct preflight_context *context);
void check_way_back(struct preflight_context *context);

/* Why the kernel does not hibernate at all (hibernation_available() in its
 * kernel/power/hibernate.c), with this released (NULL: nothing): fills text and advice of a
 * check. False when no cause was found (check untouched). */
bool preflight_find_denial(const char *root, const struct release_plan *release,
			   struct check *check);

/* Runs all checks. Opens and closes the snapshot device, so call it before the program opens that
 * itself. */
void preflight_run(const struct settings *settings, const struct preflight_target *target,
		   const char *root, struct preflight *ret);

/* The same with other queries. */
void preflight_run_on(const struct preflight_system *system, const struct settings *settings,
		      const struct preflight_target *target, const char *root,
		      struct preflight *ret);

enum check_level preflight_worst(const struct preflight *preflight);

/* The whole list for people (stdout) or as JSON: {"result": LEVEL, "checks":
 * [{"id", "level", "text", "advice"}, …]}, advice null where there is none;
 * where checks were left out, "left_out" is how many.
 * 0 or -EIO. */
void preflight_print(const struct preflight *preflight, FILE *out);
int preflight_print_json(const struct preflight *preflight, FILE *out);

#endif
