/* SPDX-License-Identifier: MIT */
/* Build an initramfs image anew with the program that made it, into a folder of our own, and look into what came out. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/statvfs.h>

#include "base/child.h"
#include "boot/internal.h"
#include "format/shellvar.h"
#include "hw/initramfs.h"
#include "txn/scratch.h"

enum { BUILD_SECONDS = 900, SAID_MAX = 4 * 1024 * 1024, WORDS = 32 };
#define MIB ((uint64_t) 1024 * 1024)

/* The words of a command, %o, %k and %c being the output, the kernel's version, and the configuration of a preset. */
static const struct builder {
	const char *maker, *program;
	const char *words[10];
} builders[] = {
	{ "dracut", "/usr/bin/dracut", { "--force", "%o", "%k" } },
	{ "initramfs-tools", "/usr/sbin/mkinitramfs", { "-o", "%o", "%k" } },
	{ "mkinitcpio", "/usr/bin/mkinitcpio", { "-k", "%k", "%c", "-g", "%o" } },
	{ "booster", "/usr/bin/booster", { "build", "--kernel-version", "%k", "%o" } },
};

static const struct builder *find_builder(const char *maker)
{
	for (size_t i = 0; i < SP_ELEMENTS(builders); i++)
		if (sp_streq(builders[i].maker, maker))
			return &builders[i];
	return NULL;
}

/* --- what keeps us from it ---------------------------------------------------------------------------------------- */

static struct sp_error *refuse(int code, const char *hint, char *what)
{
	struct sp_error *e = NULL;

	(void) sp_error_set(&e, code, "%s", what);
	(void) sp_error_exit(&e, code == -ENOSPC ? SP_EXIT_FAILED : SP_EXIT_UNSUPPORTED);
	(void) sp_error_hint(&e, "%s", hint);
	free(what);
	return e;
}

/* Bytes that are free below a path; what cannot be asked has enough. */
static uint64_t free_bytes(const struct sp_root *root, const char *path)
{
	sp_autofree char *folder = sp_xstrndup(path, (size_t) (strrchr(path, '/') - path));
	sp_autoclose int fd = sp_root_openat(root, *folder ? folder : "/", O_RDONLY | O_DIRECTORY);
	struct statvfs st;

	return fd >= 0 && fstatvfs(fd, &st) == 0 ? (uint64_t) st.f_bavail * st.f_frsize : UINT64_MAX;
}

/* The new image stands beside the old one until it has been looked at; the journal keeps both. */
static struct sp_error *check_space(const struct sp_root *root, const char *path)
{
	static const char state[] = "/var/lib/x";
	const uint64_t boot = free_bytes(root, path), journal = free_bytes(root, state);
	struct stat st;

	if (sp_root_stat(root, path, &st) < 0)
		return refuse(-ENOENT, "is /boot mounted?", sp_xasprintf("'%s' is not there", path));
	const uint64_t size = (uint64_t) st.st_size, beside = size + size / 4 + 4 * MIB, kept = 4 * size;
	if (size > SP_IMAGE_MAX)
		return refuse(-EFBIG, "build it anew by hand, without --with initramfs",
			      sp_xasprintf("'%s' is larger than %zu MiB", path, (size_t) (SP_IMAGE_MAX / MIB)));
	if (boot < beside)
		return refuse(-ENOSPC, "remove a kernel that is not needed any more",
			      sp_xasprintf("there is no room for another '%s' beside it: %" PRIu64 " MiB are wanted, %" PRIu64
					   " MiB are free", path, beside / MIB, boot / MIB));
	if (journal < kept)
		return refuse(-ENOSPC, "make room in /var",
			      sp_xasprintf("there is no room in /var/lib for '%s' and what it was: %" PRIu64 " MiB are wanted, %"
					   PRIu64 " MiB are free", path, kept / MIB, journal / MIB));
	return NULL;
}

struct sp_error *sp_initramfs_refusal(const struct sp_root *root, const struct sp_initramfs_job *job)
{
	const struct builder *b = find_builder(job->maker);

	if (job->instead)
		return refuse(-ENOTSUP, "run it after an apply without --with initramfs",
			      sp_xasprintf("'%s' is built by '%s', with the entry that names it", job->path, job->instead));
	if (sp_endswith(job->path, ".efi"))
		return refuse(-ENOTSUP, "build it as your distribution does, for example with kernel-install(8)",
			      sp_xasprintf("'%s' is a unified kernel image: its initramfs is not built anew by itself", job->path));
	if (strstr(job->path, "/ostree/"))
		return refuse(-ENOTSUP, "'rpm-ostree initramfs --enable' builds one of this system's own",
			      sp_xasprintf("'%s' is a part of the system's image", job->path));
	if (!b)
		return refuse(-ENOTSUP, "dracut, initramfs-tools, mkinitcpio and booster are known",
			      sp_xasprintf("it is not known who made '%s'", job->path));
	if (!job->kernel)
		return refuse(-ENOTSUP, "build it as your distribution does",
			      sp_xasprintf("it is not known which kernel '%s' is for", job->path));
	if (!sp_root_exists(root, b->program))
		return refuse(-ENOTSUP, "install it again, or build the image as your distribution does now",
			      sp_xasprintf("'%s' was made by %s, and there is no '%s'", job->path, job->maker, b->program));
	return check_space(root, job->path);
}

/* --- make it ------------------------------------------------------------------------------------------------------- */

/* The preset of mkinitcpio that an image is built by may name a configuration of its own. Owned; NULL: it does not. */
static char *preset_config(const struct sp_root *root, const char *image)
{
	static const char folder[] = "/etc/mkinitcpio.d", *const keys[] = { "default_config", "ALL_config" };
	sp_autostrv struct sp_strv names = { 0 };

	if (sp_root_list(root, folder, &names) < 0)
		return NULL;
	for (size_t i = 0; i < names.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", folder, names.v[i]), *built = NULL;
		sp_autobuf struct sp_buf file = { 0 };

		if (!sp_endswith(names.v[i], ".preset") || sp_root_read(root, path, SP_FILE_MAX, &file, NULL) < 0 ||
		    sp_shellvar_get(&file, "default_image", &built, NULL) < 0 || !sp_streq(built, image))
			continue;
		for (size_t k = 0; k < SP_ELEMENTS(keys); k++) {
			sp_autofree char *config = NULL;

			if (sp_shellvar_get(&file, keys[k], &config, NULL) == 0 && *config == '/')
				return sp_steal(config);
		}
	}
	return NULL;
}

static int run(const struct sp_root *root, const struct builder *b, const struct sp_initramfs_job *job, const char *output,
	       struct sp_error **err)
{
	static const char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
					   NULL };
	sp_autofree char *program = sp_root_join(root, b->program), *config = preset_config(root, job->path);
	const char *argv[WORDS] = { program };
	sp_autobuf struct sp_buf said = { 0 };
	size_t n = 1;

	for (const char *const *w = b->words; *w; w++) {
		if (sp_streq(*w, "%c") && config) {
			argv[n++] = "-c";
			argv[n++] = config;
		} else if (!sp_streq(*w, "%c")) {
			argv[n++] = sp_streq(*w, "%o") ? output : sp_streq(*w, "%k") ? job->kernel : *w;
		}
	}
	const struct sp_child child = { .argv = argv, .env = env, .max_output = SAID_MAX, .seconds = BUILD_SECONDS };
	return sp_child_run(&child, &said, err);
}

/* It can be read, is of the same maker, says what it must, and nothing much is missing. */
static int check(const struct sp_root *root, const struct sp_initramfs_job *job, const char *made, struct sp_error **err)
{
	sp_autoinitramfs struct sp_initramfs said = { 0 };
	struct stat was, is;

	if (sp_root_stat(root, job->path, &was) < 0 || sp_root_stat(root, made, &is) < 0)
		return sp_error_set(err, -ENOENT, "there is none");
	sp_initramfs_read(root, made, job->member, &said);
	if (!said.options)
		return sp_error_set(err, -EBADMSG, "%s", said.why);
	if (is.st_size < was.st_size / 4 * 3)
		return sp_error_set(err, -EBADMSG, "it has %ju bytes where the old one has %ju", (uintmax_t) is.st_size,
				    (uintmax_t) was.st_size);
	if (!sp_streq(said.maker, job->maker))
		return sp_error_set(err, -EBADMSG, "it is not one of %s", job->maker);
	if (sp_streq(said.options, job->options))
		return 0;
	(void) sp_error_set(err, -EBADMSG, "our modprobe.d file in it says '%s' and not '%s'", said.options, job->options);
	return *said.options ? -EBADMSG
			     : sp_error_hint(err, "its maker is set up to leave /etc/modprobe.d out (dracut in other than host-only "
					     "mode, mkinitcpio without the hook modconf)");
}

int sp_initramfs_make(const struct sp_root *root, const struct sp_initramfs_job *job, struct sp_edits *products,
		      struct sp_error **err)
{
	const struct builder *b = find_builder(job->maker);
	sp_autoscratch struct sp_scratch scratch = { 0 };
	sp_autobuf struct sp_buf image = { 0 };

	if (!b)
		return sp_error_set(err, -ENOTSUP, "it is not known who made '%s'", job->path);
	int r = sp_scratch_open(root, &scratch, err);
	if (r == 0)
		r = run(root, b, job, scratch.file, err);
	if (r < 0)
		return r;
	r = check(root, job, scratch.file, err);
	if (r == 0)
		r = sp_scratch_read(&scratch, SP_IMAGE_MAX, &image, err);
	if (r < 0)
		return sp_error_wrap(err, "what %s made cannot be used", b->maker);
	products->max = SP_IMAGE_MAX;
	r = sp_edits_add(products, root, job->path, &image, NULL, err);
	products->max = 0;
	return r;
}
