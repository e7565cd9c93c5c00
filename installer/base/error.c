/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/str.h"

static struct sp_error *error_reset(struct sp_error **err, int code)
{
	sp_error_free(*err);
	*err = sp_xcalloc(1, sizeof(**err));
	(*err)->code = code;
	(*err)->exit = SP_EXIT_FAILED;
	return *err;
}

int sp_error_set(struct sp_error **err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	char *message = sp_xvasprintf(fmt, ap);
	va_end(ap);
	error_reset(err, code)->message = message;
	return code;
}

int sp_error_errno(struct sp_error **err, int code, const char *fmt, ...)
{
	sp_autofree char *text = NULL;
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	struct sp_error *e = error_reset(err, code);
	e->message = sp_xasprintf("%s: %s", text, strerror(-code));
	if (code == -EACCES || code == -EPERM)
		e->hint = sp_xstrdup("run it as root, for example with sudo");
	return code;
}

int sp_error_wrap(struct sp_error **err, const char *fmt, ...)
{
	sp_autofree char *text = NULL, *old = NULL;
	va_list ap;

	if (!err || !*err)
		return -EIO;
	va_start(ap, fmt);
	text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	old = (*err)->message;
	(*err)->message = sp_xasprintf("%s: %s", text, old);
	return (*err)->code;
}

int sp_error_hint(struct sp_error **err, const char *fmt, ...)
{
	va_list ap;

	if (!err || !*err)
		return -EIO;
	va_start(ap, fmt);
	char *hint = sp_xvasprintf(fmt, ap);
	va_end(ap);
	free((*err)->hint);
	(*err)->hint = hint;
	return (*err)->code;
}

int sp_error_path(struct sp_error **err, const char *path)
{
	if (!err || !*err)
		return -EIO;
	free((*err)->path);
	(*err)->path = sp_xstrdup(path);
	return (*err)->code;
}

int sp_error_exit(struct sp_error **err, enum sp_exit status)
{
	if (!err || !*err)
		return -EIO;
	(*err)->exit = status;
	return (*err)->code;
}

void sp_error_free(struct sp_error *err)
{
	if (!err)
		return;
	free(err->message);
	free(err->hint);
	free(err->path);
	free(err);
}
