/* SPDX-License-Identifier: MIT */
/*
 * A file system that behaves as hp-bioscfg, the driver of HP's firmware attributes, for tests of what a plain folder
 * cannot be: it refuses, and it forgets.
 *
 *   firmware-driver [--password=TEXT] [--mode=MODE] [--choices=LIST] --store=FILE --log=FILE FOLDER
 *
 * FOLDER gets attributes/ and authentication/; it is unmounted with fusermount3 -u. The value is in the file STORE, as in
 * the firmware: the driver reads it once, when it starts, and remembers what it wrote. Each write is a line of LOG: "value
 * TEXT: ok", "password: taken" (never the password itself).
 *
 * What the driver does, from its source (drivers/platform/x86/hp/hp-bioscfg): one line a write; a value that is not one of
 * the choices is EINVAL; a password counts for one write of a value, whatever comes of that; a wrong one is EINVAL.
 * --mode: read-only (EIO, and the file is 0444), wmi-error (EIO), refused (EACCES), not-provisioned (EPERM), unsupported
 * (EOPNOTSUPP), sure-admin (EPERM, and SPM is enabled), deaf (takes the write, keeps the value), no-object (no "Setup
 * Password": EINVAL).
 */
#define FUSE_USE_VERSION 32
#include <errno.h>
#include <fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct driver {
	char *password, *mode, *choices, *store, *log;
	char value[300], credential[300];
} driver;

static const struct fuse_opt options[] = {
	{ "--password=%s", offsetof(struct driver, password), 0 },
	{ "--mode=%s", offsetof(struct driver, mode), 0 },
	{ "--choices=%s", offsetof(struct driver, choices), 0 },
	{ "--store=%s", offsetof(struct driver, store), 0 },
	{ "--log=%s", offsetof(struct driver, log), 0 },
	FUSE_OPT_END,
};

static bool mode_is(const char *mode)
{
	return driver.mode && strcmp(driver.mode, mode) == 0;
}

#define VALUE "/attributes/Dedicated Graphics Memory"
#define SETUP "/authentication/Setup Password"
#define SPM "/authentication/SPM"

static const char *yes_no(bool yes)
{
	return yes ? "1" : "0";
}

/* The text of a file; NULL: there is no such file, or it cannot be read. */
static const char *text_of(const char *path)
{
	const struct {
		const char *path, *text;
	} files[] = {
		{ VALUE "/current_value", driver.value },
		{ VALUE "/possible_values", driver.choices },
		{ VALUE "/display_name", "Dedicated Graphics Memory" },
		{ VALUE "/type", "enumeration" },
		{ "/attributes/pending_reboot", "0" },
		{ "/attributes/Asset Tag/current_value", "nobody's business" },
		{ SETUP "/is_enabled", yes_no(driver.password) },
		{ SETUP "/role", "bios-admin" },
		{ SETUP "/mechanism", "password" },
		{ SPM "/is_enabled", yes_no(mode_is("sure-admin")) },
		{ SPM "/role", "enhanced-bios-auth" },
	};

	if (mode_is("no-object") && strncmp(path, SETUP, strlen(SETUP)) == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].path, path) == 0)
			return files[i].text;
	return NULL;
}

static const char *const names[] = {
	"/", "/attributes", VALUE, VALUE "/current_value", VALUE "/possible_values", VALUE "/display_name", VALUE "/type",
	"/attributes/pending_reboot", "/attributes/Asset Tag", "/attributes/Asset Tag/current_value", "/authentication", SETUP,
	SETUP "/is_enabled", SETUP "/role", SETUP "/mechanism", SETUP "/current_password", SPM, SPM "/is_enabled", SPM "/role",
};

static bool exists(const char *path)
{
	if (mode_is("no-object") && strncmp(path, SETUP, strlen(SETUP)) == 0)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], path) == 0)
			return true;
	return false;
}

static bool is_password(const char *path)
{
	return strcmp(path, SETUP "/current_password") == 0;
}

static int do_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	const char *text = text_of(path);
	const bool value = strcmp(path, VALUE "/current_value") == 0;

	(void) fi;
	memset(st, 0, sizeof(*st));
	if (!exists(path))
		return -ENOENT;
	st->st_nlink = 1;
	st->st_uid = fuse_get_context()->uid;
	st->st_mode = is_password(path) ? S_IFREG | 0200 : !text ? S_IFDIR | 0755 : S_IFREG | 0444;
	if (value && !mode_is("read-only"))
		st->st_mode = S_IFREG | 0644;
	st->st_size = S_ISREG(st->st_mode) ? 4096 : 0; /* as sysfs says */
	return 0;
}

static int do_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *fi,
		      enum fuse_readdir_flags flags)
{
	const size_t n = strcmp(path, "/") == 0 ? 0 : strlen(path);

	(void) offset;
	(void) fi;
	(void) flags;
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (exists(names[i]) && strncmp(names[i], path, n) == 0 && names[i][n] == '/' && !strchr(names[i] + n + 1, '/'))
			(void) fill(buf, names[i] + n + 1, NULL, 0, 0);
	return 0;
}

static int do_open(const char *path, struct fuse_file_info *fi)
{
	if (is_password(path) && (fi->flags & O_ACCMODE) != O_WRONLY)
		return -EACCES;
	fi->direct_io = 1;
	return 0;
}

static int do_read(const char *path, char *buf, size_t size, off_t offset, struct fuse_file_info *fi)
{
	const char *text = text_of(path);
	char line[600];

	(void) fi;
	if (!text)
		return -EIO;
	const int n = snprintf(line, sizeof(line), "%s\n", text);
	if (offset >= n)
		return 0;
	const size_t rest = (size_t) (n - offset) < size ? (size_t) (n - offset) : size;
	memcpy(buf, line + offset, rest);
	return (int) rest;
}

static int note(const char *what, int result)
{
	FILE *f = fopen(driver.log, "a");

	if (f) {
		(void) fprintf(f, "%s: %s\n", what, result < 0 ? strerror(-result) : "ok");
		(void) fclose(f);
	}
	return result;
}

static bool is_choice(const char *text)
{
	char list[300];
	char *save = NULL;

	(void) snprintf(list, sizeof(list), "%s", driver.choices);
	for (char *word = strtok_r(list, ";", &save); word; word = strtok_r(NULL, ";", &save))
		if (strcmp(word, text) == 0)
			return true;
	return false;
}

static int keep(const char *text)
{
	FILE *f = fopen(driver.store, "w");

	if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0)
		return -EIO;
	(void) snprintf(driver.value, sizeof(driver.value), "%s", text);
	return 0;
}

/* What the firmware says; the credential is gone afterwards. */
static int set_value(const char *text)
{
	static const struct {
		const char *mode;
		int error;
	} refusals[] = {
		{ "read-only", -EIO }, { "wmi-error", -EIO },	  { "refused", -EACCES },    { "not-provisioned", -EPERM },
		{ "unsupported", -EOPNOTSUPP }, { "sure-admin", -EPERM }, { "no-object", -EINVAL },
	};
	const bool good = !driver.password || strcmp(driver.password, driver.credential) == 0;

	memset(driver.credential, 0, sizeof(driver.credential));
	if (!is_choice(text) || !good)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (mode_is(refusals[i].mode))
			return refusals[i].error;
	return mode_is("deaf") ? 0 : keep(text);
}

static int do_write(const char *path, const char *buf, size_t size, off_t offset, struct fuse_file_info *fi)
{
	char line[300], what[400];
	size_t n = size;

	(void) offset;
	(void) fi;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n >= sizeof(line) || memchr(buf, '\n', n))
		return note("a line", -EINVAL);
	memcpy(line, buf, n);
	line[n] = '\0';
	int r = -EACCES;
	if (is_password(path)) {
		r = n >= 64 ? -EINVAL : 0;
		(void) snprintf(driver.credential, sizeof(driver.credential), "%s", r < 0 ? "" : line);
		(void) note("password", r);
	} else if (strcmp(path, VALUE "/current_value") == 0) {
		(void) snprintf(what, sizeof(what), "value %s", line);
		r = note(what, set_value(line));
	}
	memset(line, 0, sizeof(line));
	return r < 0 ? r : (int) size;
}

static int do_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	(void) path;
	(void) size;
	(void) fi;
	return 0; /* as sysfs: it is not heard */
}

int main(int argc, char **argv)
{
	static const struct fuse_operations operations = {
		.getattr = do_getattr, .readdir = do_readdir, .open = do_open,
		.read = do_read,       .write = do_write,     .truncate = do_truncate,
	};
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);

	if (fuse_opt_parse(&args, &driver, options, NULL) < 0 || !driver.store || !driver.log)
		return 2;
	if (!driver.choices)
		driver.choices = strdup("512 MB;4 GB;8 GB;16 GB;32 GB;48 GB");
	FILE *f = fopen(driver.store, "r");
	if (!f || !fgets(driver.value, sizeof(driver.value), f) || fclose(f) != 0)
		return 2;
	driver.value[strcspn(driver.value, "\n")] = '\0';
	int r = fuse_main(args.argc, args.argv, &operations, NULL);
	fuse_opt_free_args(&args);
	return r;
}
