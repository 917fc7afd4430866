/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user wants to have released: the value of "release devices". */
#ifndef S2DISK_RELEASE_RULES_H
#define S2DISK_RELEASE_RULES_H

#include "base/why.h"

#include <stddef.h>
#include <stdint.h>

enum release_by {
	RELEASE_BY_ADDRESS, /* 0000:01:00.0, a PCI function */
	RELEASE_BY_ID,	    /* 8086:10d3, all PCI functions with it */
	RELEASE_BY_CLASS,   /* class:02, class:0200: all PCI functions of it */
	RELEASE_BY_DRIVER,  /* e1000e: all devices that it drives, on any bus */
	RELEASE_BY_DEVICE,  /* usb/1-2: the device of that bus */
	RELEASE_BY_MODULE,  /* module:nvidia_uvm */
};

struct release_rule {
	enum release_by by;
	char word[80];	      /* as it was written */
	char text[64];	      /* BY_ADDRESS, BY_ID: as sysfs has it; BY_DRIVER, BY_MODULE */
	char bus[16];	      /* BY_DEVICE: of the device that text names */
	uint32_t class;	      /* BY_CLASS */
	unsigned int shifted; /* … by this many bits of the class of 24 bits */
};

#define RELEASE_RULES_MAX 32

struct release_rules {
	struct release_rule items[RELEASE_RULES_MAX];
	size_t count;
};

/* Pure: words with blanks or commas between; "" has none. -EINVAL: w says which word is none, and
 * what is valid. */
int release_rules_parse(const char *text, struct release_rules *ret, struct why *w);

#endif
