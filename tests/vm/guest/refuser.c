// SPDX-License-Identifier: GPL-2.0-or-later
/* A device that does not freeze, for the first N times, as a busy
 * sound or serial port: insmod refuser.ko times=1 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>

static int times = 1;
module_param(times, int, 0444);

static struct platform_device *device;

/* Of taking a snapshot and of restoring one alike. */
static int refuser_freeze(struct device *dev)
{
	return times-- > 0 ? -EBUSY : 0;
}

static const struct dev_pm_ops refuser_pm = {
	.freeze = refuser_freeze,
};

static struct platform_driver refuser = {
	.driver = {
		.name = "refuser",
		.pm = &refuser_pm,
	},
};

static int __init refuser_init(void)
{
	int error = platform_driver_register(&refuser);

	if (error)
		return error;
	device = platform_device_register_simple("refuser", 0, NULL, 0);
	if (IS_ERR(device))
		platform_driver_unregister(&refuser);
	return PTR_ERR_OR_ZERO(device);
}

static void __exit refuser_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&refuser);
}

module_init(refuser_init);
module_exit(refuser_exit);
MODULE_DESCRIPTION("A device that does not let itself be frozen");
MODULE_LICENSE("GPL");
