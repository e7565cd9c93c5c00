/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cmd/cmd.h"

static int open_tree(const char *dir, const char *option, struct sp_root **ret, struct sp_error **err)
{
	if (sp_root_open(dir, 0, ret, err) == 0)
		return 0;
	(void) sp_error_wrap(err, "%s", option);
	return sp_error_exit(err, SP_EXIT_USAGE);
}

/* Only a fact that says so makes it a chroot: without root rights it may be unknown, and then nothing is written. */
static bool in_chroot(const struct sp_session *s)
{
	sp_autofacts struct sp_facts *facts = NULL;
	sp_autoerror struct sp_error *ignored = NULL;

	if (sp_facts_read(s->root, s->machine, &facts, &ignored) < 0)
		return true;
	return sp_fact_known(facts, SP_FACT_CHROOT) && sp_fact_num(facts, SP_FACT_CHROOT) != 0;
}

int sp_session_open(const struct sp_cli *cli, struct sp_session *ret, struct sp_error **err)
{
	int rc = open_tree(cli->root ? cli->root : "/", "--root", &ret->root, err);

	if (rc == 0)
		rc = open_tree(cli->machine ? cli->machine : "/", "--machine", &ret->machine, err);
	if (rc < 0)
		return rc;
	if (cli->cmd->flags & SP_CMD_LOOKS) {
		(void) sp_root_remember(ret->root);
		(void) sp_root_remember(ret->machine);
	}
	bool root_host = sp_root_is_host(ret->root), machine_host = sp_root_is_host(ret->machine);
	if (cli->cmd->flags & SP_CMD_WRITES && root_host && !machine_host) {
		(void) sp_error_set(err, -EINVAL,
				    "--machine names a recorded machine, and --root is the running system");
		(void) sp_error_hint(err, "name the tree that is to be changed with --root");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	ret->config_path = cli->config;
	ret->boot_name = cli->boot;
	sp_selection_copy(&ret->selection, &cli->selection);
	ret->live = root_host && machine_host && !in_chroot(ret);
	return 0;
}

void sp_session_close(struct sp_session *s)
{
	sp_root_close(s->root);
	sp_root_close(s->machine);
	sp_selection_clear(&s->selection);
}
