/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/image_keys.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/memory.h"
#include "crypto/secret.h"
#include "base/text.h"
#include "image/pipeline/work_pool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KDF_USEC 1000000u
#define ASK_SECONDS 90 /* the user may have left before hibernation asks */

/* One byte more than the limit, to detect files that are too large. */
#define FILE_MEMORY (KEY_FILE_MAX + 1)

bool image_keys_ask(const struct settings *settings)
{
	if (!settings->encrypt)
		return false;
	if (settings->passphrase_set)
		return settings->passphrase;
	return !settings->key_pair[0] && !settings->key_file[0];
}

enum aead_kind image_keys_cipher(const struct settings *settings)
{
	return settings->cipher ? settings->cipher : cipher_fastest();
}

static int read_secret(int fd, const char *path, void *memory, size_t size, size_t *ret_length,
		       struct why *w)
{
	size_t length = 0;
	ssize_t n = 1;

	if (fd < 0)
		return why(w, fd, "%s: %s", path, strerror(-fd));
	while (n > 0 && length < size) {
		n = read(fd, (char *)memory + length, size - length);
		if (n < 0)
			return why(w, -errno, "%s: %s", path, strerror(errno));
		length += (size_t)n;
	}
	if (n > 0)
		return why(w, -EFBIG, "%s: more than %zu bytes", path, size - 1);
	*ret_length = length;
	return 0;
}

int secret_read_file(const char *path, void *memory, size_t size, size_t *ret_length, struct why *w)
{
	_cleanup_close_ int fd = io_open_below("", path, O_RDONLY | O_NONBLOCK);

	return read_secret(fd, path, memory, size, ret_length, w);
}

bool image_keys_next_file(const char **list, char *path, size_t size)
{
	size_t length;

	while (isspace((unsigned char)**list))
		(*list)++;
	length = strcspn(*list, " \t");
	if (length == 0 || length >= size)
		return false;
	memcpy(path, *list, length);
	path[length] = '\0';
	*list += length;
	return true;
}

typedef int (*file_function)(void *context, const void *data, size_t size, struct why *w);

/* Calls function with the content of a file, then wipes it. */
static int with_file(const char *root, const char *path, file_function function, void *context,
		     struct why *w)
{
	unsigned char *memory = secret_alloc(FILE_MEMORY);
	_cleanup_close_ int fd = -1;
	char full[PATH_MAX];
	size_t length = 0;
	int r;

	if (!memory)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	snprintf(full, sizeof(full), "%s%s", root, path);
	look_note(root, path, LOOK_SECRET);
	fd = io_open_below(root, path, O_RDONLY | O_NONBLOCK);
	r = read_secret(fd, full, memory, FILE_MEMORY, &length, w);
	if (r == 0) {
		r = function(context, memory, length, w);
		if (r < 0 && r != -EKEYREJECTED)
			why_prefix(w, r, "%s", path);
	}
	secret_free(memory, FILE_MEMORY);
	return r;
}

static int digest_file(void *context, const void *data, size_t size, struct why *w)
{
	int r = crypto_sha256_text(data, size, context);

	return r < 0 ? why(w, r, "cannot compute its digest") : 0;
}

int image_keys_digest(const char *root, const char *path, char result[SHA256_TEXT_SIZE],
		      struct why *w)
{
	return with_file(root, path, digest_file, result, w);
}

static int add_file(void *context, const void *data, size_t size, struct why *w)
{
	return key_ways_add_file(context, data, size, w);
}

static int add_pair(void *context, const void *data, size_t size, struct why *w)
{
	struct key_pair *pair = secret_alloc(sizeof(*pair));
	int r;

	if (!pair)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	r = key_pair_decode(data, size, pair, w);
	if (r == 0)
		r = key_ways_add_pair(context, pair, w);
	secret_free(pair, sizeof(*pair));
	return r;
}

static int add_files(const struct settings *settings, const char *root, struct key_ways *ways,
		     struct why *w)
{
	const char *list = settings->key_file;
	char path[sizeof(settings->key_file)];
	int r = 0;

	if (settings->key_pair[0])
		r = with_file(root, settings->key_pair, add_pair, ways, w);
	while (r == 0 && image_keys_next_file(&list, path, sizeof(path)))
		r = with_file(root, path, add_file, ways, w);
	return r;
}

int kdf_choose_here(struct kdf *ret, struct why *w)
{
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * page_size();

	return kdf_choose(KDF_USEC, memory, work_pool_workers(0), ret, w);
}

/* Asks a second time; both must be equal. */
static int ask_again(const struct passphrase_places *places, const char *name, const char *first,
		     struct why *w)
{
	char *second = secret_alloc(PASSPHRASE_SIZE), prompt[300];
	size_t length;
	int r;

	if (!second)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	snprintf(prompt, sizeof(prompt), "Repeat the passphrase for %s", name);
	r = passphrase_ask(places, prompt, ASK_SECONDS, second, &length, w);
	if (r == 0 && strcmp(first, second) != 0)
		r = -EKEYREJECTED;
	secret_free(second, PASSPHRASE_SIZE);
	return r;
}

int passphrase_ask_new(const struct passphrase_places *places, const char *name, char *buffer,
		       size_t *ret_length, struct why *w)
{
	const char *before = "";
	char prompt[300];
	int r;

	for (unsigned int i = 0; i < PASSPHRASE_TRIES; i++) {
		snprintf(prompt, sizeof(prompt), "%sPassphrase for %s", before, name);
		r = passphrase_ask(places, prompt, ASK_SECONDS, buffer, ret_length, w);
		if (r < 0)
			return r;
		if (!passphrase_typed(places))
			return *ret_length ? 0 : why(w, -EINVAL, "the passphrase is empty");
		before = "The passphrase must not be empty. ";
		if (*ret_length == 0)
			continue;
		r = ask_again(places, name, buffer, w);
		if (r != -EKEYREJECTED)
			return r;
		before = "The passphrases differ. ";
	}
	return why(w, -EKEYREJECTED, "the same passphrase was not entered twice");
}

static int add_passphrase(struct key_ways *ways, const struct passphrase_places *places,
			  struct why *w)
{
	char *buffer = secret_alloc(PASSPHRASE_SIZE);
	struct kdf kdf;
	size_t length;
	int r;

	if (!buffer)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	r = passphrase_ask_new(places, "the hibernated session", buffer, &length, w);
	if (r == 0)
		r = kdf_choose_here(&kdf, w);
	if (r == 0)
		r = key_ways_add_passphrase(ways, &kdf, buffer, length, w);
	secret_free(buffer, PASSPHRASE_SIZE);
	return r;
}

int image_keys_prepare(const struct settings *settings, const struct passphrase_places *places,
		       struct key_ways **ret, struct why *w)
{
	struct key_ways *ways = key_ways_alloc();
	int r;

	if (!ways)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	r = add_files(settings, "", ways, w);
	if (r == 0 && image_keys_ask(settings))
		r = add_passphrase(ways, places, w);
	if (r == 0 && ways->count == 0)
		r = why(w, -ENOKEY,
			"nothing could unlock the image: \"passphrase = n\", and neither \"key "
			"pair\" nor \"key file\" is set");
	if (r < 0)
		key_ways_free(ways);
	else
		*ret = ways;
	return r;
}

static void check_mode(const char *root, const char *path, struct why *warning)
{
	char full[PATH_MAX];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", root, path);
	if (stat(full, &st) == 0 && st.st_mode & (S_IRWXG | S_IRWXO))
		why(warning, 0, "%s is accessible to users other than its owner", path);
}

int image_keys_check(const struct settings *settings, const char *root, struct why *warning,
		     struct why *w)
{
	struct key_ways *ways = key_ways_alloc();
	const char *list = settings->key_file;
	char path[sizeof(settings->key_file)];
	int r;

	warning->text[0] = '\0';
	if (!ways)
		return why(w, -ENOMEM, "memory for keys cannot be locked: %s", strerror(errno));
	r = add_files(settings, root, ways, w);
	if (r == 0 && !image_keys_ask(settings) && ways->count == 0)
		r = why(w, -ENOKEY,
			"nothing could unlock the image: \"passphrase = n\", and neither \"key "
			"pair\" nor \"key file\" is set");
	key_ways_free(ways);
	if (settings->key_pair[0])
		check_mode(root, settings->key_pair, warning);
	while (image_keys_next_file(&list, path, sizeof(path)))
		check_mode(root, path, warning);
	return r;
}

/* What a key file is tried on. */
struct attempt {
	const struct key_slots *slots;
	unsigned char *key;
};

static int try_file(void *context, const void *data, size_t size, struct why *w)
{
	struct attempt *attempt = context;

	return key_slots_try_file(attempt->slots, data, size, attempt->key, w);
}

/* -EKEYREJECTED if none fits, with the reason of the last one. */
static int try_files(const struct settings *settings, struct attempt *attempt, struct why *w)
{
	const char *list = settings->key_file;
	char path[sizeof(settings->key_file)];

	if (!key_slots_have(attempt->slots, KEY_FILE))
		return -EKEYREJECTED;
	if (!*list)
		why(w, 0, "the image needs a key file, and the settings name none");
	while (image_keys_next_file(&list, path, sizeof(path))) {
		int r = with_file("", path, try_file, attempt, w);

		if (r == 0)
			return 0;
		if (r == -EKEYREJECTED)
			why(w, r, "%s does not open the image", path);
	}
	return -EKEYREJECTED;
}

static void make_prompt(const struct image_unlock *unlock, const struct key_slots *slots,
			const char *before, char *prompt, size_t size)
{
	time_t created = (time_t)slots->created;
	char when[48] = "an unknown time";
	struct tm tm;

	if (gmtime_r(&created, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &tm);
	snprintf(prompt, size, "%sPassphrase for the session on %s, hibernated at %s", before,
		 unlock->name, when);
}

/* Cancelled: the user gives up this session. Too long: on a terminal that is a wrong passphrase,
 * elsewhere (noise on a serial line) no answer. */
static enum why_class no_answer(const struct passphrase_places *places, int error)
{
	if (error == -ECANCELED)
		return WHY_NOW;
	return error == -E2BIG && passphrase_typed(places) ? WHY_WRONG_KEY : WHY_LOCKED;
}

static int try_passphrases(const struct image_unlock *unlock, const struct attempt *attempt,
			   struct why *w)
{
	char *buffer = secret_alloc(PASSPHRASE_SIZE), prompt[400];
	int r = -EKEYREJECTED;
	size_t length;

	if (!buffer)
		return why_class(w, WHY_LOCKED, -ENOMEM, "memory for keys cannot be locked: %s",
				 strerror(errno));
	for (unsigned int i = 0; r == -EKEYREJECTED && i < PASSPHRASE_TRIES; i++) {
		make_prompt(unlock, attempt->slots, i ? "Wrong passphrase. " : "", prompt,
			    sizeof(prompt));
		r = passphrase_ask(unlock->places, prompt, 0, buffer, &length, w);
		if (r < 0) {
			w->class = no_answer(unlock->places, r);
			r = -EKEYREJECTED;
			break;
		}
		r = key_slots_try_passphrase(attempt->slots, buffer, length, attempt->key, w);
		if (r == -EKEYREJECTED)
			why_class(w, passphrase_typed(unlock->places) ? WHY_WRONG_KEY : WHY_LOCKED,
				  r, "none of the passphrases entered opens the image");
		else if (r < 0 && w->class == WHY_NOW)
			w->class = WHY_LOCKED; /* such as no memory: it says nothing of the image */
	}
	secret_free(buffer, PASSPHRASE_SIZE);
	return r;
}

static int unlock_image(void *context, const struct key_slots *slots,
			unsigned char key[IMAGE_KEY_SIZE], struct why *w)
{
	const struct image_unlock *unlock = context;
	struct attempt attempt = { .slots = slots, .key = key };
	int r = try_files(unlock->settings, &attempt, w);

	if (r == -EKEYREJECTED)
		w->class = WHY_LOCKED;
	if (r < 0 && (key_slots_have(slots, KEY_PASSPHRASE) || key_slots_have(slots, KEY_PAIR)))
		r = try_passphrases(unlock, &attempt, w);
	return r;
}

struct image_unlocker image_unlocker_of(struct image_unlock *unlock)
{
	return (struct image_unlocker){ .unlock = unlock_image, .context = unlock };
}
