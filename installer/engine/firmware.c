/* SPDX-License-Identifier: MIT */
/*
 * The carve-out in a plan, and by itself. Nothing here writes.
 *
 * The firmware of a recorded machine is not written. The tests write to
 * machines of their own, and say so with a file in the root of sysfs, where
 * no system can have one: /sys/strix-provision-test-firmware.
 */
#include <errno.h>
#include <inttypes.h>

#include "engine/internal.h"

#define TEST_MACHINE "/sys/strix-provision-test-firmware"

bool sp_machine_is_foreign(const struct sp_root *machine)
{
	return !sp_root_is_host(machine) && !sp_root_exists(machine, TEST_MACHINE);
}

static const char *member(const json_t *told, const char *key)
{
	return json_string_value(json_object_get(told, key));
}

enum sp_told sp_told(const json_t *told, const struct sp_carveout *c, const struct sp_facts *f)
{
	const char *boot_id = sp_fact_text(f, SP_FACT_BOOT_ID), *then = member(told, "boot_id");

	if (!c->source || !sp_streq(member(told, "path"), c->source->path) ||
	    !sp_streq(member(told, "after"), c->source->value) || !boot_id || !then)
		return SP_TOLD_NOTHING;
	return sp_streq(boot_id, then) ? SP_TOLD_NOW : SP_TOLD_BEFORE;
}

static struct sp_gate_input gate_input(const struct sp_session *s, const struct sp_facts *f, const struct sp_carveout *c,
				       const struct sp_platform *platform, const json_t *told)
{
	return (struct sp_gate_input){
		.foreign = sp_machine_is_foreign(s->machine),
		.now_mib = sp_fact_num(f, SP_FACT_VRAM_BYTES) >> 20,
		.told = sp_told(told, c, f),
		.firmware = c,
		.platform = platform,
	};
}

static bool same_uma(const struct sp_selection *a, const struct sp_selection *b)
{
	return a->uma == b->uma && a->uma_mib == b->uma_mib;
}

/* --- in a plan ------------------------------------------------------------------------------------------------------ */

void sp_plan_firmware(const struct sp_session *s, struct sp_plan *p, const struct sp_selection *config, const json_t *told)
{
	sp_carveout_read(s->machine, sp_fact_text(p->facts, SP_FACT_GPU_ADDRESS), &p->carveout);
	struct sp_gate_input in = gate_input(s, p->facts, &p->carveout, p->platform, told);
	in.uma = p->selection.uma;
	in.uma_mib = p->selection.uma_mib;
	/* What an earlier apply recorded is not asked for again: a plain apply never writes firmware. */
	in.asked = (s->selection.given && same_uma(&s->selection, &p->selection)) || same_uma(config, &p->selection);
	sp_gate_decide(&in, &p->gate);
	p->firmware_gate = p->gate.state != SP_GATE_GREEN;
	p->next.carve_out_mib = p->gate.carve_out_mib;
	sp_strv_copy(&p->warnings, &p->gate.warnings);
}

/* What the sizes say about it is known later. */
void sp_plan_firmware_actions(struct sp_plan *p)
{
	const struct sp_uma_source *source = p->carveout.source;

	if (p->gate.write) {
		sp_autofree char *from = sp_uma_shown(source, source->value), *to = sp_uma_shown(source, p->gate.write->text);
		p->pending = p->reboot_required = true;
		sp_strv_addf(&p->actions, "set the firmware's carve-out from '%s' to '%s' (%s), %s the files; rollback puts it "
			     "back, and each takes a restart", from, to, source->name,
			     p->gate.shrinks ? "before" : "after");
	}
	if (p->gate.state == SP_GATE_LARGE && p->sizes.gain_mib)
		p->firmware_text = sp_xasprintf("%s The smallest on offer would let the GPU use %" PRIu64 " MiB more.", p->gate.text,
						p->sizes.gain_mib);
	else
		p->firmware_text = sp_xstrdup(p->gate.text);
}

/* --- by itself ------------------------------------------------------------------------------------------------------ */

static int read_machine(const struct sp_session *s, struct sp_firmware *fw, struct sp_error **err)
{
	sp_autofree char *why = NULL;
	int r = sp_catalog_load_parts(s->data_dir, SP_CATALOG_PLATFORMS, &fw->catalog, err);

	if (r == 0)
		r = sp_facts_read(s->root, s->machine, &fw->facts, err);
	if (r < 0)
		return r;
	fw->platform = sp_platform_match(fw->catalog, fw->facts, &why);
	sp_carveout_read(s->machine, sp_fact_text(fw->facts, SP_FACT_GPU_ADDRESS), &fw->carveout);
	return 0;
}

int sp_firmware_read(const struct sp_session *s, uint64_t uma_mib, struct sp_firmware **ret, struct sp_error **err)
{
	struct sp_firmware *fw = sp_xcalloc(1, sizeof(*fw));
	sp_autostate struct sp_state st = { 0 };
	int r = read_machine(s, fw, err);

	if (r == 0)
		r = sp_state_read(s, &st, err);
	if (r < 0) {
		sp_firmware_free(fw);
		return r;
	}
	struct sp_gate_input in = gate_input(s, fw->facts, &fw->carveout, fw->platform, st.told);
	in.uma = uma_mib ? SP_UMA_SIZE : SP_UMA_KEEP;
	in.uma_mib = uma_mib;
	in.asked = true;
	sp_gate_decide(&in, &fw->gate);
	fw->locked = sp_gate_cannot_write(&in);
	*ret = fw;
	return 0;
}

void sp_firmware_free(struct sp_firmware *fw)
{
	if (!fw)
		return;
	sp_gate_clear(&fw->gate);
	sp_carveout_clear(&fw->carveout);
	sp_facts_free(fw->facts);
	sp_catalog_free(fw->catalog);
	free(fw);
}
