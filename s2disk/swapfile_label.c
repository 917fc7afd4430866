/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_label.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define ATTRIBUTE "security.selinux"

bool swapfile_label_text(const char *old, char *ret, size_t size)
{
	const char *role, *type, *range;

	if (!old[0])
		old = "system_u:object_r:unlabeled_t:s0";
	role = strchr(old, ':');
	type = role ? strchr(role + 1, ':') : NULL;
	if (!type || type[1] == '\0')
		return false;
	range = strchrnul(type + 1, ':');
	return snprintf(ret, size, "%.*s:swapfile_t%s", (int)(type - old), old, range) < (int)size;
}

int swapfile_label_set(const struct swapfile_system *system, int fd, struct why *w)
{
	char old[256], label[256];
	ssize_t length;

	if (!system_has(system, "/sys/fs/selinux/enforce"))
		return 0;
	length = fgetxattr(fd, ATTRIBUTE, old, sizeof(old) - 1);
	if (length < 0 && errno != ENODATA)
		return errno == EOPNOTSUPP ? 0
					   : why(w, -errno, "its SELinux label cannot be read: %s",
						 strerror(errno));
	old[length < 0 ? 0 : length] = '\0';
	if (!swapfile_label_text(old, label, sizeof(label)))
		return why(w, -EINVAL, "its SELinux label makes no sense");
	if (fsetxattr(fd, ATTRIBUTE, label, strlen(label) + 1, 0) < 0 && errno != EOPNOTSUPP &&
	    errno != EINVAL)
		return why(w, -errno, "the SELinux label %s cannot be set: %s", label,
			   strerror(errno));
	return 0;
}
