/* SPDX-License-Identifier: MIT */
#include "base/secret.h"

#include <errno.h>
#include <string.h>

void sp_secret_wipe(struct sp_secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

/* Straight into its place: a stream would keep a copy in its buffer. */
static int read_line(int fd, struct sp_secret *s)
{
	for (;;) {
		if (s->len == sizeof(s->text))
			return -EMSGSIZE;
		ssize_t n = read(fd, s->text + s->len, 1); /* a terminal's or a pipe's next line is not ours */
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 || s->text[s->len] == '\n')
			break;
		s->len++;
	}
	s->text[s->len] = '\0';
	return s->len && !memchr(s->text, '\0', s->len) ? 0 : -ENODATA;
}

int sp_secret_read(int fd, struct sp_secret *ret, struct sp_error **err)
{
	int r;

	sp_secret_wipe(ret);
	r = read_line(fd, ret);
	if (r == 0)
		return 0;
	sp_secret_wipe(ret);
	if (r == -ENODATA)
		(void) sp_error_set(err, r, "no password was given");
	else if (r == -EMSGSIZE)
		(void) sp_error_set(err, r, "the password is longer than %d bytes", SP_SECRET_MAX);
	else
		(void) sp_error_errno(err, r, "cannot read the password");
	return sp_error_exit(err, SP_EXIT_USAGE);
}
