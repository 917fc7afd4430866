/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel, except /dev/snapshot: what the programs ask of a system. Each __wrap_
 * function replaces the one of that name (linked with --wrap). */
#include "sim_private.h"

#include "base/bytes.h"
#include "boot/boot_settle.h"
#include "history/boot_record_file.h"
#include "kernel/kept_memory.h"
#include "resume/vetoers.h"
#include "kernel/messages/kernel_log.h"
#include "kernel/kernel_settings.h"
#include "fixtures/made_data.h"
#include "resume/mismatch.h"
#include "s2disk/aftermath/aftermath.h"
#include "platform/filesystems/other_swaps.h"
#include "s2disk/prepare/make_room.h"
#include "platform/filesystems/mounted.h"
#include "platform/platform.h"
#include "s2disk/prepare/keep_free.h"
#include "swap/swap_area.h"
#include "ui/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

void *__real_calloc(size_t count, size_t size);

/* One declaration per replaced function. */
int __wrap_swap_area_open(const struct swap_area *area, int flags, struct why *w);
int __wrap_make_room(struct make_room *room, uint64_t image, bool quiet, struct why *w);
int __wrap_kernel_settings_set_swapping(struct kernel_settings *saved, enum swapping swapping);
int __wrap_reboot(int command);
int __wrap_mlockall(int flags);
int __wrap_kernel_random_open(void);
int __wrap_kernel_random_renew(int fd, const void *bytes, size_t length);
void __wrap_kernel_settings_save(struct kernel_settings *saved, const char *root);
int __wrap_kernel_settings_set_console_loglevel(struct kernel_settings *saved, int level);
int __wrap_kernel_settings_wake_display(struct kernel_settings *saved);
int __wrap_kernel_settings_restore_display(struct kernel_settings *saved);
int __wrap_kernel_settings_restore(struct kernel_settings *saved, int max_loglevel);
int __wrap_kernel_log_open(const char *root, bool new_only);
int __wrap_kernel_log_next(int fd, char *text, size_t size, unsigned int *ret_level);
int __wrap_boot_settle(const char *root, bool *ret_frozen, struct why *w);
int __wrap_boot_record_log(const char *root, char **ret);
void __wrap_boot_record_hand_over(const char *root, const struct boot_run *run, char *ret,
				  size_t size);
int __wrap_boot_record_add(const char *root, const struct boot_run *run);
int __wrap_boot_record_renew(const char *root, const struct boot_run *run);
int __wrap_boot_record_replace(const char *root, const char *text, struct why *w);
int __wrap_boots_left_put(const char *root, const struct boots_seen *seen, struct why *w);
int __wrap_keep_free_resumed(const char *root, const struct settings *settings,
			     const struct platform *platform, const struct boots_seen *seen,
			     struct why *w);
uint64_t __wrap_kept_memory_give_huge(struct kept_memory *kept, const char *root);
uint64_t __wrap_kept_memory_give_crash(const char *root);
bool __wrap_kept_memory_take_back(struct kept_memory *kept, const char *root);
int __wrap_vetoers_take(struct vetoers *vetoers, const struct settings *settings, dev_t keep,
			const char *root, struct why *w);
void __wrap_vetoers_give(struct vetoers *vetoers, const char *root);
unsigned int __wrap_sleep(unsigned int seconds);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_passphrase_ask(const struct passphrase_places *places, const char *prompt,
			  unsigned int seconds, char *buffer, size_t *ret_length, struct why *w);
bool __wrap_passphrase_typed(const struct passphrase_places *places);
enum mismatch_choice __wrap_mismatch_ask(const char *console, const char *question, bool fatal,
					 enum mismatch_choice fallback, unsigned int seconds);
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
long __real_sysconf(int name);
long __wrap_sysconf(int name);
int __real_devices_note_use(const char *root, struct devices *devices);
int __wrap_devices_note_use(const char *root, struct devices *devices);
int __real_mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret);
int __wrap_mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret);
int __real_other_swaps_open(const char *root, const struct swap_area *own,
			    struct other_swaps *others, struct swaps *ret);
int __wrap_other_swaps_open(const char *root, const struct swap_area *own,
			    struct other_swaps *others, struct swaps *ret);
int __real_platform_capture(const char *root, const char *log, struct platform *ret, struct why *w);
int __wrap_platform_capture(const char *root, const char *log, struct platform *ret, struct why *w);

int __wrap_reboot(int command)
{
	if (sim_due(SIM_CALL)) {
		errno = EPERM;
		return -1;
	}
	sim_switched_off(!kernel.is_boot	  ? SIM_OFF
			 : command == RB_AUTOBOOT ? SIM_REBOOT
						  : SIM_KEPT);
	errno = EPERM;
	return -1;
}

int __wrap_swap_area_open(const struct swap_area *area, int flags, struct why *w)
{
	(void)area;
	(void)flags;
	if (sim_due(SIM_CALL))
		return why(w, -EACCES, "the device cannot be opened");
	kernel.device = dup(sim->disk.fd);
	return kernel.device;
}

bool sim_calls_fail(void)
{
	const struct sim_plan *plan = &sim->shared->plan;

	return plan->class == SIM_CALL && (plan->at > 0 || plan->second_at > 0);
}

/* Kernel threads that are frozen cannot help to free memory, and an image takes all of it. */
int __wrap_make_room(struct make_room *room, uint64_t image, bool quiet, struct why *w)
{
	(void)room;
	(void)quiet;
	if (!kernel.frozen || (kernel.image && !kernel.image_stays) || kernel.threads_frozen)
		sim_broken("room is made at the wrong time");
	/* A call may fail that would have made it so. */
	if (kernel.no_swapping && !sim_calls_fail())
		sim_broken("room is to be made without swapping out");
	if (sim_due(SIM_CALL))
		return why(w, -ECANCELED, "interrupted");
	kernel.room = !sim->shared->plan.kernel_makes_room;
	if (kernel.room)
		kernel.data_pages = sim_image_pages(image);
	return kernel.room;
}

/* The user's own swappiness is not 0. */
int __wrap_kernel_settings_set_swapping(struct kernel_settings *saved, enum swapping swapping)
{
	if (swapping == SWAPPING_ON)
		swapping = SWAPPING_OWN;
	if (swapping == saved->swapping)
		return 0;
	if (sim_due(SIM_CALL))
		return -EIO;
	saved->swapping = swapping;
	kernel.no_swapping = swapping == SWAPPING_OFF;
	return 0;
}

/* Locking memory is left to real machines. */
int __wrap_mlockall(int flags)
{
	(void)flags;
	if (!sim_due(SIM_ALLOC))
		return 0;
	errno = ENOMEM;
	return -1;
}

int __wrap_kernel_random_open(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

int __wrap_kernel_random_renew(int fd, const void *bytes, size_t length)
{
	if (fd < 0 || bytes_all_zero(bytes, length))
		sim_broken("random numbers of nothing");
	if (!kernel.frozen)
		sim_broken("random numbers are renewed when others have them already");
	kernel.renewed = true;
	return 0;
}

void __wrap_kernel_settings_save(struct kernel_settings *saved, const char *root)
{
	saved->root = root;
}

int __wrap_kernel_settings_set_console_loglevel(struct kernel_settings *saved, int level)
{
	(void)saved;
	(void)level;
	return 0;
}

int __wrap_kernel_settings_wake_display(struct kernel_settings *saved)
{
	if (kernel.frozen)
		sim_broken("the display's setting comes too late for drivers");
	saved->mode_changed = kernel.display_set = true;
	return 0;
}

int __wrap_kernel_settings_restore_display(struct kernel_settings *saved)
{
	saved->mode_changed = kernel.display_set = false;
	return 0;
}

int __wrap_kernel_settings_restore(struct kernel_settings *saved, int max_loglevel)
{
	__wrap_kernel_settings_restore_display(saved);
	/* As the real one: what was not changed through it is not restored. */
	if (saved->swapping != SWAPPING_OWN)
		kernel.no_swapping = false;
	saved->swapping = SWAPPING_OWN;
	(void)max_loglevel;
	return 0;
}

int __wrap_kernel_log_open(const char *root, bool new_only)
{
	(void)root;
	(void)new_only;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* As long as its content allows. */
void __wrap_boot_record_hand_over(const char *root, const struct boot_run *run, char *ret,
				  size_t size)
{
	(void)root;
	if (kernel.frozen)
		sim_broken("the boot's record is made when it is too late for memory");
	if (run->found != FOUND_IMAGE)
		sim_broken("a record without the image is handed over");
	memset(ret, 'r', size - 1);
	ret[size - 1] = '\0';
}

/* The content must match what is on the disk. */
int __wrap_boot_record_add(const char *root, const struct boot_run *run)
{
	(void)root;
	if (run->fate != FATE_STILL_THERE || run->recorded)
		sim_broken("the record does not begin with an image that is there");
	return 0;
}

int __wrap_boot_record_renew(const char *root, const struct boot_run *run)
{
	(void)root;
	if (run->fate != FATE_DISCARDED || !run->recorded || sim_live_image(sim->disk.at))
		sim_broken("an image is said to be discarded, and is not");
	return 0;
}

int __wrap_boot_record_replace(const char *root, const char *text, struct why *w)
{
	(void)root;
	(void)w;
	if (text[strspn(text, "r")] || strlen(text) < 60)
		sim_broken("the record is not the one that was handed over");
	sim->shared->outcome.records++;
	return 0;
}

/* Nothing is left in this machine's /run. */
int __wrap_boots_left_put(const char *root, const struct boots_seen *seen, struct why *w)
{
	struct sim_outcome *outcome = &sim->shared->outcome;

	(void)root;
	(void)w;
	if (sim_live_image(sim->disk.at))
		sim_broken("boots are left to the system while the image is there");
	for (size_t i = 0; i < seen->items.count; i++) {
		if (seen->items.items[i].outcome != BOOT_REFUSED)
			sim_broken("a boot that did not refuse the image is left to the system");
		outcome->left_refusals += seen->items.items[i].boots;
	}
	return 0;
}

/* The history of this machine is not touched. The last one of what is learned is the boot that
 * restored this system. */
int __wrap_keep_free_resumed(const char *root, const struct settings *settings,
			     const struct platform *platform, const struct boots_seen *seen,
			     struct why *w)
{
	struct sim_outcome *outcome = &sim->shared->outcome;

	(void)root;
	(void)settings;
	(void)platform;
	(void)w;
	for (size_t i = 0; i < seen->items.count; i++) {
		const struct boot_seen *boot = &seen->items.items[i];

		if ((boot->outcome == BOOT_RESUMED) != (i + 1 == seen->items.count))
			sim_broken("boot %zu of those that found the image has outcome %d", i,
				   boot->outcome);
		if (boot->outcome == BOOT_RESUMED)
			outcome->learned_resumes += boot->boots;
		else
			outcome->learned_refusals += boot->boots;
	}
	if (outcome->learned_resumes > outcome->resumes + 1)
		sim_broken("a boot that restored is learned of twice");
	if (kernel.frozen || kernel.image)
		sim_broken("the history is written with processes frozen");
	return 0;
}

/* The kernel's messages about a task that waits for a frozen server. */
static const char *const unfrozen_lines[] = {
	"Freezing user space processes",
	("Freezing user space processes failed after 20.009 seconds (1 tasks refusing to freeze, "
	 "wq_busy=0):"),
	"task:udisksd         state:D stack:0     pid:33315 tgid:33315 ppid:9245",
	" request_wait_answer+0xd8/0x260",
};

_Static_assert(ARRAY_SIZE(unfrozen_lines) == SIM_UNFROZEN_LINES, "all of them");

int __wrap_kernel_log_next(int fd, char *text, size_t size, unsigned int *ret_level)
{
	(void)fd;
	if (kernel.line >= kernel.lines)
		return 0;
	snprintf(text, size, "%s", unfrozen_lines[kernel.line++]);
	*ret_level = 6;
	return 1;
}

/* A frozen system could not thaw it. */
int __wrap_boot_settle(const char *root, bool *ret_frozen, struct why *w)
{
	(void)root;
	*ret_frozen = sim->shared->plan.boot_frozen;
	if (kernel.frozen || kernel.is_boot)
		sim_broken("/boot is settled at the wrong time");
	return sim_due(SIM_CALL) || *ret_frozen ? why(w, -EIO, "/boot cannot be settled") : 0;
}

int __wrap_boot_record_log(const char *root, char **ret)
{
	(void)root;
	(void)ret;
	return -ENOENT;
}

unsigned int __wrap_sleep(unsigned int seconds)
{
	(void)seconds;
	return 0;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)wanted;
	(void)left;
	return 0;
}

/* The user takes ten minutes, without real waiting. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = __real_clock_gettime(clock, ret);

	ret->tv_sec += (time_t)(kernel.typed_usec / 1000000);
	return r;
}

/* No console. */
enum mismatch_choice __wrap_mismatch_ask(const char *console, const char *question, bool fatal,
					 enum mismatch_choice fallback, unsigned int seconds)
{
	const struct sim_plan *plan = &sim->shared->plan;

	(void)console;
	(void)question;
	(void)fatal;
	(void)seconds;
	if (kernel.released)
		sim_broken("the user is asked while the keyboard may be released");
	/* The power may fail until the answer comes. */
	if (!plan->change && !(plan->class == SIM_IO && plan->at) &&
	    !sim_live_image(sim->durable.at))
		sim_broken("the user is asked about an image that is not on the disk");
	return fallback;
}

/* A small machine needs little memory for its block table. */
long __wrap_sysconf(int name)
{
	return name == _SC_PHYS_PAGES ? 2 * (long)SIM_STREAM_PAGES : __real_sysconf(name);
}

static bool other_machine(void)
{
	return kernel.is_boot && sim->shared->outcome.boots <= sim->shared->plan.other_boots;
}

const char *sim_machine(char *tree, size_t size)
{
	snprintf(tree, size, "%s/platform/%s", test_data(),
		 other_machine() ? "virtio-mem" : "microvm");
	if (access(tree, X_OK) < 0)
		sim_broken("%s is not there", tree);
	return tree;
}

/* Nothing is mounted there. */
int __wrap_devices_note_use(const char *root, struct devices *devices)
{
	char tree[400];

	(void)root;
	return __real_devices_note_use(sim_machine(tree, sizeof(tree)), devices);
}

int __wrap_mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret)
{
	char tree[400];

	(void)root;
	return __real_mounted_open(sim_machine(tree, sizeof(tree)), mounted, ret);
}

int __wrap_other_swaps_open(const char *root, const struct swap_area *own,
			    struct other_swaps *others, struct swaps *ret)
{
	char tree[400];

	(void)root;
	return __real_other_swaps_open(sim_machine(tree, sizeof(tree)), own, others, ret);
}

/* What the history knows: for those of the boots that fit, the map is that of the boot. */
static void add_met(struct platform *platform)
{
	const struct sim_plan *plan = &sim->shared->plan;
	struct map_met *maps;

	if (kernel.is_boot || plan->fitting == 0)
		return;
	/* Not from the programs' memory, which may run out. */
	maps = __real_calloc(2, sizeof(*maps));
	if (!maps)
		abort();
	maps[0].boots = plan->fitting;
	maps[0].own = 1;
	maps[1].boots = plan->unfitting;
	maps[1].tables_moved = 1;
	platform->met.maps.items = maps;
	platform->met.maps.count = 2;
	platform->met.maps.known = true;
}

/* The other machine is taken for a boot of this one: with another processor no further boot would
 * be worth a try. */
static int same_processor(struct cpu *cpu)
{
	char tree[400];

	cpu_free(cpu);
	snprintf(tree, sizeof(tree), "%s/platform/microvm", test_data());
	return cpu_capture(tree, cpu);
}

int __wrap_platform_capture(const char *root, const char *log, struct platform *ret, struct why *w)
{
	char tree[400];
	int r;

	(void)root;
	sim_machine(tree, sizeof(tree));
	if (kernel.is_boot && sim->shared->outcome.boots <= sim->shared->plan.bad_sysfs)
		return -EBADMSG; /* as of a memory map that contradicts itself */
	r = __real_platform_capture(tree, log, ret, w);
	if (r == 0 && !other_machine())
		sim_memory_map_apply(kernel.map, &ret->map);
	if (r == 0 && kernel.is_boot && sim->shared->plan.huge_pages &&
	    (!kernel.huge_given || sim->shared->plan.no_room))
		ret->ram.pages.available = SIM_PAGE;
	if (r == 0 && other_machine() && !sim->shared->plan.other_processor)
		r = same_processor(&ret->cpu);
	if (r == 0)
		add_met(ret);
	if (r == 0 && sim->shared->plan.cannot_offline)
		ret->ram.pages.offlining = OFFLINING_ABSENT;
	return r;
}

/* No driver of the made-up machine refuses; those of this one are left alone. */
int __wrap_vetoers_take(struct vetoers *vetoers, const struct settings *settings, dev_t keep,
			const char *root, struct why *w)
{
	(void)vetoers, (void)settings, (void)keep, (void)root;
	kernel.released = true;
	return sim_vetoed(SIM_VETO_RELEASE) ? why(w, -EINPROGRESS, "it hangs") : 0;
}

void __wrap_vetoers_give(struct vetoers *vetoers, const char *root)
{
	(void)vetoers, (void)root;
	kernel.released = false;
}

uint64_t __wrap_kept_memory_give_huge(struct kept_memory *kept, const char *root)
{
	(void)root;
	if (!sim->shared->plan.huge_pages || kernel.huge_given)
		return 0;
	kernel.huge_given = true;
	kept->count = 1;
	return 2 << 20;
}

uint64_t __wrap_kept_memory_give_crash(const char *root)
{
	(void)root;
	return 0;
}

bool __wrap_kept_memory_take_back(struct kept_memory *kept, const char *root)
{
	(void)root;
	kernel.huge_given = kernel.huge_given && kept->count == 0;
	kept->count = 0;
	return true;
}

/* The user, who does not mistype when hibernating. */
int __wrap_passphrase_ask(const struct passphrase_places *places, const char *prompt,
			  unsigned int seconds, char *buffer, size_t *ret_length, struct why *w)
{
	(void)places;
	(void)prompt;
	(void)seconds;
	if (kernel.is_boot && sim->shared->outcome.boots <= sim->shared->plan.keyless_boots)
		return why(w, sim->shared->plan.no_phrase, "no passphrase was given");
	kernel.typed_usec += SIM_TYPING_USEC;
	*ret_length = strlen(SIM_PHRASE);
	memcpy(buffer, SIM_PHRASE, *ret_length + 1);
	if (kernel.is_boot && sim->shared->phrases++ < sim->shared->plan.wrong_phrases)
		buffer[0] = 'A';
	return 0;
}

bool __wrap_passphrase_typed(const struct passphrase_places *places)
{
	(void)places;
	return true;
}
