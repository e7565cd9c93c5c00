/* SPDX-License-Identifier: MIT */
/* firmware uma | uma SIZE | setup: read the carve-out, set it, restart into the setup screen. */
#include <errno.h>

#include "cmd/cmd.h"

static int usage(struct sp_error **err, const char *what, const char *word)
{
	(void) sp_error_set(err, -EINVAL, "%s '%s'", what, word);
	(void) sp_error_hint(err, "strix-provision firmware uma; strix-provision firmware uma 512M; strix-provision firmware "
			     "setup");
	return sp_error_exit(err, SP_EXIT_USAGE);
}

static int check_writing(const struct sp_call *call, struct sp_error **err)
{
	const struct sp_session *s = call->session;

	if (sp_root_is_host(s->root) && !sp_root_is_host(s->machine)) {
		(void) sp_error_set(err, -EINVAL, "--machine names a recorded machine, and --root is the running system");
		(void) sp_error_hint(err, "leave --machine out, or name a tree for it with --root");
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	return sp_check_reboot_option(call, err);
}

/* --- uma ------------------------------------------------------------------------------------------------------------ */

static int refuse(const struct sp_firmware *fw, struct sp_error **err)
{
	const struct sp_error *e = fw->gate.refusal;

	if (!fw->platform) {
		(void) sp_error_set(err, -ENOTSUP, "this is not a supported machine, so its firmware is not written");
		return sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	}
	if (e) {
		(void) sp_error_set(err, e->code, "%s", e->message);
		if (e->hint)
			(void) sp_error_hint(err, "%s", e->hint);
		return sp_error_exit(err, e->exit);
	}
	if (fw->gate.state == SP_GATE_GREEN)
		return 0;
	(void) sp_error_set(err, -EOPNOTSUPP, "the carve-out cannot be set from here: %s", fw->locked);
	(void) sp_error_hint(err, "'strix-provision firmware setup' leads to the setup screen; 'strix-provision apply "
			     "--uma-by-hand SIZE' writes the sizes for what you set there");
	return sp_error_exit(err, SP_EXIT_FIRMWARE);
}

/* What is nearest is proposed to who can be asked, and chosen by nobody else. */
static int read_size(const struct sp_call *call, const char *text, struct sp_firmware **fw, struct sp_error **err)
{
	uint64_t mib = 0;
	int rc = sp_size_parse(text, &mib, err);

	if (rc < 0)
		return sp_error_exit(err, SP_EXIT_USAGE);
	rc = sp_firmware_read(call->session, mib, fw, err);
	if (rc == 0 && sp_consent_propose(call, &(*fw)->gate, &mib)) {
		sp_firmware_free(sp_steal(*fw));
		rc = sp_firmware_read(call->session, mib, fw, err);
	}
	return rc;
}

static int set_size(const struct sp_call *call, const struct sp_firmware *fw, struct sp_result *res, struct sp_error **err)
{
	int rc = refuse(fw, err);

	if (rc < 0 || !fw->gate.write)
		return rc;
	sp_autofree char *size = sp_uma_shown(fw->carveout.source, fw->gate.write->text);
	sp_autofree char *question = sp_xasprintf("Set the firmware's carve-out to %s from the next start on?", size);
	rc = sp_consent_ask(call, question, err);
	return rc < 0 ? rc : sp_firmware_set(call->session, fw, res, err);
}

static int uma_set(const struct sp_call *call, struct sp_error **err)
{
	sp_autoresult struct sp_result res = { 0 };
	struct sp_firmware *fw = NULL;
	int rc = check_writing(call, err), said;

	if (rc == 0)
		rc = sp_consent_settle(call, &res, err);
	if (rc == 0)
		rc = read_size(call, call->cli->args[1], &fw, err);
	if (rc == 0)
		rc = set_size(call, fw, &res, err);
	enum sp_exit status = rc == 0 && res.unfinished ? SP_EXIT_RECOVER : sp_cmd_exit(rc, *err);
	if (rc == 0)
		status = sp_restart(call, &res, NULL, status);
	said = sp_report_firmware_set(call->report, fw, &res, status, rc < 0 ? *err : NULL);
	sp_firmware_free(fw);
	if (rc < 0)
		return rc;
	return said < 0 ? said : (int) status;
}

static int uma_show(const struct sp_call *call, struct sp_error **err)
{
	struct sp_firmware *fw = NULL;
	int rc = sp_firmware_read(call->session, 0, &fw, err);

	if (rc == 0)
		rc = sp_report_uma(call->report, fw);
	sp_firmware_free(fw);
	return rc;
}

/* --- setup ---------------------------------------------------------------------------------------------------------- */

static int setup(const struct sp_call *call, struct sp_error **err)
{
	sp_autoresult struct sp_result res = { .reboot_required = true };
	struct sp_firmware *fw = NULL;
	int rc = check_writing(call, err);

	if (rc == 0)
		rc = sp_consent_ask(call, "Stop in the firmware's setup screen at the next start?", err);
	if (rc == 0)
		rc = sp_firmware_setup(call->session, &fw, err);
	enum sp_exit status = sp_cmd_exit(rc, *err);
	if (rc == 0)
		status = sp_restart(call, &res, NULL, status);
	if (rc == 0)
		rc = sp_report_setup_screen(call->report, fw, &res, status);
	sp_firmware_free(fw);
	return rc < 0 ? rc : (int) status;
}

int sp_cmd_firmware(const struct sp_call *call, struct sp_error **err)
{
	const struct sp_cli *cli = call->cli;
	struct sp_asker asker = { .call = call };

	if (cli->n_args == 0)
		return usage(err, "a word is missing behind", "firmware");
	sp_password_offer(&asker);
	if (sp_streq(cli->args[0], "uma"))
		return cli->n_args == 2 ? uma_set(call, err) : uma_show(call, err);
	if (!sp_streq(cli->args[0], "setup"))
		return usage(err, "unknown part of the firmware", cli->args[0]);
	return cli->n_args == 2 ? usage(err, "unexpected argument", cli->args[1]) : setup(call, err);
}
