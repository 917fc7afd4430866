/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drop-ins: files that add to a configuration file, NAME.conf in a directory for them. They count
 * in the order of their names. Of one name, that in the first of several directories counts, even
 * where it is empty or a link to /dev/null: so it masks the others (systemd's CONFIGURATION
 * DIRECTORIES AND PRECEDENCE, systemd.conf(5)). Names that begin with a dot are no drop-ins. */
#ifndef S2DISK_CONFIG_DROP_INS_H
#define S2DISK_CONFIG_DROP_INS_H

#include "base/tree.h"

/* Adds those of a directory below root: paths below root, in the order in which they count; *paths
 * is for tree_names_free(). Directories that come first are added first. 0 also if there is no such
 * directory; a negative errno leaves *paths as it was. */
int drop_ins_add(const char *root, const char *directory, struct tree_names *paths);

/* Pure: is that the path of a drop-in in the directory? */
bool drop_in_path(const char *path, const char *directory);

#endif
