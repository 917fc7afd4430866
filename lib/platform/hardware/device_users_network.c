/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_users: by which network adapters file systems come. */
#include "platform/hardware/device_users_private.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTES_LIMIT (16u << 20)
#define DEPTH_MAX 8

void network_users_free(struct network_users *network)
{
	list_free(&network->mounts);
}

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

/* "rw,vers=4.2,addr=192.0.2.1,…": NFS and CIFS say so. */
static void find_address(const char *options, char *address, size_t size)
{
	static const char key[] = "addr=";

	for (const char *at = options; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!text_starts(at, key))
			continue;
		snprintf(address, size, "%.*s", (int)strcspn(at + strlen(key), ", "),
			 at + strlen(key));
		return;
	}
}

int network_users_note(struct network_users *network, const struct mount_line *mount)
{
	static const char *const remote[] = { "nfs", "nfs4",	       "cifs",	     "smb3", "ceph",
					      "afs", "fuse.glusterfs", "fuse.sshfs", NULL };
	/* s2disk itself would wait for these directories. */
	static const char *const system[] = { "/",    "/usr",	  "/usr/local", "/etc",
					      "/var", "/var/lib", "/var/log",	NULL };
	struct network_mount found = { .system = is_one_of(mount->place, system), .id = mount->id };

	if (!is_one_of(mount->kind, remote))
		return 0;
	find_address(mount->options, found.address, sizeof(found.address));
	text_copy(found.place, sizeof(found.place), mount->place);
	return list_append(&network->mounts, found);
}

bool network_users_take(struct network_users *network, uint64_t id)
{
	bool found = false;

	for (size_t i = 0; i < network->mounts.count; i++) {
		if (network->mounts.items[i].id != id)
			continue;
		network->mounts.items[i].system = true;
		found = true;
	}
	return found;
}

bool network_users_have_system(const struct network_users *network)
{
	for (size_t i = 0; i < network->mounts.count; i++)
		/* A diskless or live system: its lower layers are mounted elsewhere. */
		if (network->mounts.items[i].system || network->layered)
			return true;
	return false;
}

/* The best one so far: of the longest prefix, then of the least metric. */
struct best {
	unsigned int length, metric;
	char name[IFNAMSIZ];
};

static void offer(struct best *best, unsigned int length, unsigned int metric, const char *name)
{
	if (*best->name &&
	    (length < best->length || (length == best->length && metric >= best->metric)))
		return;
	*best = (struct best){ .length = length, .metric = metric };
	text_copy(best->name, sizeof(best->name), name);
}

/* "eth0 0000000A 00000000 0001 0 0 100 00FFFFFF …": numbers as they lie in memory, of the
 * interface, destination, gateway, flags, …, metric, mask (fib_route_seq_show() in
 * net/ipv4/fib_trie.c). */
static void offer_ipv4(const char *line, const struct in_addr *address, struct best *best)
{
	char name[IFNAMSIZ];
	unsigned int flags, metric;
	uint32_t to, mask;

	if (sscanf(line, "%15s %" SCNx32 " %*x %x %*d %*u %u %" SCNx32, name, &to, &flags, &metric,
		   &mask) == 5 &&
	    (flags & (RTF_UP | RTF_REJECT)) == RTF_UP && (address->s_addr & mask) == to)
		offer(best, (unsigned int)__builtin_popcount(mask), metric, name);
}

static bool same_prefix(const unsigned char *a, const unsigned char *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	return memcmp(a, b, bytes) == 0 && (rest == 0 || (a[bytes] ^ b[bytes]) >> (8 - rest) == 0);
}

/* "fe80…0 40 0…0 00 0…0 00000100 00000001 00000000 00000001     eth0": destination and source with
 * their lengths, next hop, metric, two counters, flags (rt6_info_route() in net/ipv6/route.c). */
static void offer_ipv6(const char *line, const struct in6_addr *address, struct best *best)
{
	char text[33], name[IFNAMSIZ];
	unsigned char to[16];
	unsigned int length, metric, flags;

	if (sscanf(line, "%32s %x %*32s %*x %*32s %x %*x %*x %x %15s", text, &length, &metric,
		   &flags, name) != 5 ||
	    strlen(text) != 32 || length > 128 || (flags & (RTF_UP | RTF_REJECT)) != RTF_UP)
		return;
	for (size_t i = 0; i < sizeof(to); i++) {
		const char byte[] = { text[2 * i], text[2 * i + 1], '\0' };

		to[i] = (unsigned char)strtoul(byte, NULL, 16);
	}
	if (same_prefix(to, address->s6_addr, length))
		offer(best, length, metric, name);
}

static bool is_interface(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

/* By its number: so the kernel shows that of such an address (rpc_ntop6() in net/sunrpc/addr.c,
 * cifs_show_address() in fs/smb/client/cifsfs.c). */
static bool interface_of(const char *root, const char *scope, char *name, size_t size)
{
	_cleanup_names_ struct tree_names names = { 0 };
	uint64_t wanted, number;

	if (text_parse_u64(scope, &wanted) < 0)
		return is_interface(scope) && text_copy(name, size, scope);
	if (tree_list(root, "/sys/class/net", &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (tree_u64(root, &number, "/sys/class/net/%s/ifindex", names.items[i]) &&
		    number == wanted)
			return text_copy(name, size, names.items[i]);
	return false;
}

bool network_way(const char *root, const char *address, char *name, size_t size)
{
	_cleanup_free_ char *text = NULL;
	struct best best = { 0 };
	struct in_addr ipv4;
	struct in6_addr ipv6;
	const char *scope = strchr(address, '%');
	bool old = inet_pton(AF_INET, address, &ipv4) == 1;
	char *at, *line;

	/* The interface is a part of such an address. */
	if (scope)
		return interface_of(root, scope + 1, name, size);
	if (!old && inet_pton(AF_INET6, address, &ipv6) != 1)
		return false;
	/* A tunnel of a program, which leads anywhere. */
	if (old ? text_starts(address, "127.") : IN6_IS_ADDR_LOOPBACK(&ipv6))
		return false;
	if (io_read_file(root, old ? "/proc/net/route" : "/proc/net/ipv6_route", ROUTES_LIMIT,
			 &text, NULL) < 0)
		return false;
	at = text;
	while ((line = strsep(&at, "\n"))) {
		if (old)
			offer_ipv4(line, &ipv4, &best);
		else
			offer_ipv6(line, &ipv6, &best);
	}
	return is_interface(best.name) && text_copy(name, size, best.name);
}

/* Of Hyper-V's and of virtio's adapters a virtual function is only a faster way, without which they
 * work (netvsc_unregister_vf(), net_failover_slave_unregister()). */
static bool has_spare_ways(const char *root, const char *name)
{
	static const char *const drivers[] = { "hv_netvsc", "virtio_net", NULL };
	char driver[32];

	return tree_link(root, driver, sizeof(driver), "/sys/class/net/%s/device/driver", name) &&
	       is_one_of(driver, drivers);
}

static bool is_spare_way(const char *root, const char *name)
{
	char master[IFNAMSIZ];

	return tree_link(root, master, sizeof(master), "/sys/class/net/%s/master", name) &&
	       has_spare_ways(root, master);
}

static int add_interface(const char *root, const char *name, const char *what, bool waits,
			 struct device_users *users)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	return device_users_add_network(users, tree_path(root, path), what, waits);
}

/* The adapter of an interface, and those below a bond, a bridge, a VLAN: *found: there is one. */
static int add_way(const char *root, const char *name, const char *what, bool waits,
		   unsigned int depth, struct device_users *users, bool *found)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[PATH_MAX];
	int r = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	if (tree_exists(root, path)) {
		*found = true;
		r = add_interface(root, name, what, waits, users);
	}
	if (r < 0 || depth == DEPTH_MAX || has_spare_ways(root, name))
		return r;
	*strrchr(path, '/') = '\0';
	r = tree_list(root, path, &names);
	if (r < 0)
		return device_users_unread(users, path, r);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		if (text_starts(names.items[i], "lower_"))
			r = add_way(root, names.items[i] + strlen("lower_"), what, waits, depth + 1,
				    users, found);
	return r;
}

static int add_all(const char *root, struct device_users *users)
{
	_cleanup_names_ struct tree_names names = { 0 };
	int r = tree_list(root, "/sys/class/net", &names);

	if (r < 0)
		return device_users_unread(users, "/sys/class/net", r);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char what[96];

		if (is_spare_way(root, names.items[i]))
			continue;
		snprintf(what, sizeof(what),
			 "the network interface %.15s, over which a file system or a disk may come",
			 names.items[i]);
		r = add_interface(root, names.items[i], what, true, users);
	}
	return r;
}

int network_users_add(const char *root, const struct network_users *network,
		      struct device_users *users)
{
	bool known = !users->network;
	int r = 0;

	for (size_t i = 0; r == 0 && i < network->mounts.count; i++) {
		const struct network_mount *mount = &network->mounts.items[i];
		bool waits = !mount->system && !network->layered, found = false;
		char name[IFNAMSIZ], what[96];

		if (network_way(root, mount->address, name, sizeof(name))) {
			snprintf(what, sizeof(what),
				 "the network interface %.15s, over which %.39s comes", name,
				 mount->place);
			r = add_way(root, name, what, waits, 0, users, &found);
		}
		known = known && found;
	}
	return r < 0 || known ? r : add_all(root, users);
}
