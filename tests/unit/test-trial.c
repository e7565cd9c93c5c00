/* SPDX-License-Identifier: MIT */
/* The states of a trial: each edge that there is, and none that there is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "engine/trial.h"

#define NONE -EINVAL

/* Rows: the state before; columns: prepare, arm, boot, other, good, bad, promote, cancel, tidy. */
static const int expected[SP_TRIAL__COUNT][SP_TRIAL_EVENT__COUNT] = {
	[SP_TRIAL_IDLE] = { SP_TRIAL_PREPARED, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE },
	[SP_TRIAL_PREPARED] = { NONE, SP_TRIAL_ARMED, NONE, SP_TRIAL_FAILED, NONE, NONE, NONE, SP_TRIAL_FAILED, NONE },
	[SP_TRIAL_ARMED] = { NONE, NONE, SP_TRIAL_RUNNING, SP_TRIAL_FAILED, NONE, NONE, NONE, SP_TRIAL_FAILED, NONE },
	[SP_TRIAL_RUNNING] = { NONE, NONE, NONE, SP_TRIAL_FAILED, SP_TRIAL_VERIFIED, SP_TRIAL_FAILED, NONE, SP_TRIAL_FAILED, NONE },
	[SP_TRIAL_VERIFIED] = { NONE, NONE, NONE, SP_TRIAL_FAILED, NONE, SP_TRIAL_RUNNING, SP_TRIAL_PROMOTED, NONE, NONE },
	[SP_TRIAL_PROMOTED] = { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, SP_TRIAL_IDLE },
	[SP_TRIAL_FAILED] = { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, SP_TRIAL_IDLE },
};

static void edges(void **state)
{
	(void) state;
	for (int from = 0; from < SP_TRIAL__COUNT; from++)
		for (int event = 0; event < SP_TRIAL_EVENT__COUNT; event++)
			assert_int_equal(sp_trial_next((enum sp_trial_state) from, (enum sp_trial_event) event),
					 expected[from][event]);
}

/* No machine that was started in another way runs a trial, and none is promoted that never ran. */
static void signs(void **state)
{
	static const struct {
		struct sp_trial trial;
		struct sp_trial_signs signs;
		enum sp_trial_state want;
	} cases[] = {
		{ { .open = false }, { true, true, true }, SP_TRIAL_IDLE },
		{ { .open = true }, { .same_boot = true }, SP_TRIAL_PREPARED },
		{ { .open = true }, { .armed = true, .same_boot = true }, SP_TRIAL_ARMED },
		{ { .open = true }, { .armed = true }, SP_TRIAL_ARMED }, /* the loader was passed by */
		{ { .open = true }, { .running = true }, SP_TRIAL_RUNNING },
		{ { .open = true }, { .running = true, .armed = true }, SP_TRIAL_RUNNING }, /* it did not forget */
		{ { .open = true }, { 0 }, SP_TRIAL_FAILED },
		{ { .open = true, .promoted = true }, { 0 }, SP_TRIAL_PROMOTED },
		{ { .open = true, .promoted = true }, { .running = true }, SP_TRIAL_PROMOTED },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++)
		assert_int_equal(sp_trial_judge(&cases[i].trial, &cases[i].signs), cases[i].want);
}

static void round_trip(void **state)
{
	struct sp_trial t = { .txn = 7, .open = true, .entry = (char *) "E", .id = (char *) "i", .setup = (char *) "grub-bls",
			      .before = (char *) "" };
	sp_autotrial struct sp_trial back = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	json_t *json = sp_trial_to_json(&t);

	(void) state;
	assert_int_equal(sp_trial_from_json(json, &back, &err), 0);
	assert_int_equal(back.txn, 7);
	assert_true(back.open && !back.promoted);
	assert_string_equal(back.entry, "E");
	assert_string_equal(back.before, "");
	assert_null(back.boot_id);
	json_object_del(json, "id");
	sp_trial_clear(&back);
	assert_int_equal(sp_trial_from_json(json, &back, &err), -EBADMSG);
	json_decref(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges),
		cmocka_unit_test(signs),
		cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
