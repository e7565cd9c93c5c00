/* SPDX-License-Identifier: MIT */
/* A value outside of the tree that belongs to a transaction: set, set back, left, and whatever a crash leaves of it. */
#include "txn-tree.h"

#define VALUE "/sys/bus/pci/devices/0000:c5:00.0/uma/carveout"
#define PASSWORD "/sys/class/password"

static void make_machine(const struct tree *t, const char *value)
{
	static const char *const folders[] = { "/sys", "/sys/bus", "/sys/bus/pci", "/sys/bus/pci/devices",
					       "/sys/bus/pci/devices/0000:c5:00.0", "/sys/bus/pci/devices/0000:c5:00.0/uma",
					       "/sys/class" };

	for (size_t i = 0; i < SP_ELEMENTS(folders); i++) {
		sp_autofree char *full = sp_xasprintf("%s%s", t->dir, folders[i]);
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
	}
	put(t, VALUE, value, 0644);
	put(t, PASSWORD, "", 0600);
}

static const struct sp_secret secret = { "geheim", 6 };

enum death { NONE, BEFORE_WRITE, AFTER_WRITE, AFTER_FILES, COMMITTED };

static const struct {
	const char *name;
	bool last;
	bool wants_password, has_password, unreachable;
	enum death death;
	const char *others; /* somebody else sets it after the death; NULL: nobody does */
	/* what the undo makes of it */
	int undo;
	bool left;
	const char *value;
	bool new_files;
} cases[] = {
	{ "set first, undone", .death = AFTER_WRITE, .value = "5" },
	{ "set first, undone behind the files", .death = AFTER_FILES, .value = "5" },
	{ "died before the write", .death = BEFORE_WRITE, .value = "5" },
	{ "set last, undone", .last = true, .death = AFTER_WRITE, .value = "5" },
	{ "set last, died before the write", .last = true, .death = BEFORE_WRITE, .value = "5" },
	{ "wants a password, has it", .wants_password = true, .has_password = true, .death = AFTER_FILES, .value = "5" },
	{ "first, wants a password: the files go back without it", .wants_password = true, .death = AFTER_FILES, .left = true,
	  .value = "0" },
	{ "last, wants a password: the files stay with it", .last = true, .wants_password = true, .death = AFTER_WRITE,
	  .undo = -EKEYREJECTED, .left = true, .value = "0", .new_files = true },
	{ "first, cannot be reached", .unreachable = true, .death = AFTER_FILES, .left = true, .value = "0" },
	{ "last, cannot be reached", .last = true, .unreachable = true, .death = AFTER_WRITE, .undo = -ENOENT, .left = true,
	  .value = "0", .new_files = true },
	{ "first, and somebody else has set it since", .death = AFTER_FILES, .others = "3", .left = true, .value = "3" },
	{ "last, and somebody else has set it since", .last = true, .death = AFTER_WRITE, .others = "3", .undo = -ESTALE,
	  .left = true, .value = "3", .new_files = true },
	{ "somebody else has set it back", .last = true, .wants_password = true, .death = AFTER_WRITE, .others = "5",
	  .value = "5" },
	{ "committed: nothing is undone", .death = COMMITTED, .value = "0", .new_files = true },
};

static struct sp_txn *run_to(struct sp_store *store, const struct tree *t, size_t i,
			     const struct sp_attribute_access *access)
{
	const struct sp_attribute a = { (char *) VALUE, (char *) "5", (char *) "0", cases[i].last };
	struct sp_txn *txn = run_until(store, t, STAGE);
	enum sp_attribute_step step;

	sp_txn_reach(txn, access);
	if (a.last)
		assert_int_equal(sp_txn_publish(txn, NULL), 0);
	assert_int_equal(sp_txn_set(txn, &a, &step, NULL), 0);
	assert_text(t, VALUE, "0");
	if (cases[i].death == BEFORE_WRITE)
		put(t, VALUE, "5\n", 0644);
	if (!a.last && cases[i].death >= AFTER_FILES)
		assert_int_equal(sp_txn_publish(txn, NULL), 0);
	if (cases[i].death == COMMITTED)
		assert_int_equal(sp_txn_commit(txn, NULL), 0);
	if (cases[i].others)
		put(t, VALUE, cases[i].others, 0644);
	return txn;
}

/* The same for who did it, and for who finds it after a crash. */
static void run_case(struct tree *t, size_t i, bool crash)
{
	const char *credential = cases[i].wants_password ? PASSWORD : NULL;
	const struct sp_attribute_access with = { .machine = t->root, .credential = credential, .secret = &secret },
		access = { .machine = t->root, .credential = credential, .secret = cases[i].has_password ? &secret : NULL };
	sp_autoerror struct sp_error *err = NULL;
	struct sp_store *store = NULL;

	make_machine(t, "5\n");
	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	struct sp_txn *txn = run_to(store, t, i, &with);
	assert_text(t, PASSWORD, cases[i].wants_password ? "geheim" : "");
	if (crash) {
		sp_txn_free(txn);
		assert_int_equal(sp_txn_reopen(store, &txn, NULL), 0);
	}
	sp_txn_reach(txn, cases[i].unreachable ? NULL : &access);
	assert_string_equal(sp_txn_attribute(txn)->before, "5");
	assert_int_equal(sp_txn_attribute(txn)->last, cases[i].last);
	if (sp_txn_state(txn) == SP_TXN_COMMITTED)
		assert_int_equal(sp_txn_finish(txn, NULL), 0);
	else
		assert_int_equal(sp_txn_undo(txn, &err), cases[i].undo);
	assert_int_equal(sp_txn_attribute_left(txn), cases[i].left);
	assert_int_equal(sp_store_interrupted(store), cases[i].undo < 0);
	sp_txn_free(txn);
	sp_autofree char *line = NULL;
	assert_int_equal(sp_root_read_line(t->root, VALUE, &line), 0);
	assert_string_equal(line, cases[i].value);
	assert_text(t, "/etc/a", cases[i].new_files ? "a new, and longer\n" : "a old\n");
	sp_store_close(store);
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++)
		for (int crash = 0; crash < 2; crash++) {
			print_message("# %s%s\n", cases[i].name, crash ? ", after a crash" : "");
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
			run_case(*state, i, crash);
		}
}

/* --- what is refused ------------------------------------------------------------------------------------------------ */

static void test_changed(void **state)
{
	const struct sp_attribute a = { (char *) VALUE, (char *) "4", (char *) "0", false };
	struct tree *t = *state;
	const struct sp_attribute_access access = { .machine = t->root };
	sp_autoerror struct sp_error *err = NULL;
	struct sp_store *store = NULL;
	enum sp_attribute_step step;

	make_machine(t, "5\n");
	assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
	struct sp_txn *txn = run_until(store, t, STAGE);
	sp_txn_reach(txn, &access);
	assert_int_equal(sp_txn_set(txn, &a, &step, &err), -ESTALE);
	assert_int_equal(err->exit, SP_EXIT_CONFLICT);
	assert_null(sp_txn_attribute(txn));
	assert_int_equal(sp_txn_undo(txn, NULL), 0);
	sp_txn_free(txn);
	assert_text(t, VALUE, "5\n");
	assert_old(t);
	sp_store_close(store);
}

/* Each step that fails says which it was, and nothing behind it is done. */
static void test_steps(void **state)
{
	static const struct {
		const char *path, *credential;
		bool has_password;
		int error;
		enum sp_attribute_step step;
	} steps[] = {
		{ "/sys/bus/pci/devices/none/uma/carveout", NULL, false, -ENOENT, SP_ATTRIBUTE_READ },
		{ "/etc/a", NULL, false, -EBADMSG, SP_ATTRIBUTE_JOURNAL },
		{ VALUE, PASSWORD, false, -EKEYREJECTED, SP_ATTRIBUTE_PASSWORD },
		{ VALUE, "/sys/none", true, -ENOENT, SP_ATTRIBUTE_PASSWORD },
	};
	struct tree *t = *state;

	for (size_t i = 0; i < SP_ELEMENTS(steps); i++) {
		const bool file = sp_streq(steps[i].path, "/etc/a");
		const struct sp_attribute a = { (char *) steps[i].path, (char *) (file ? "a old" : "5"), (char *) "0", false };
		const struct sp_attribute_access access = { .machine = t->root, .credential = steps[i].credential,
							    .secret = steps[i].has_password ? &secret : NULL };
		struct sp_store *store = NULL;
		enum sp_attribute_step step = SP_ATTRIBUTE_READ_BACK;
		make_machine(t, "5\n");
		assert_int_equal(sp_store_open(t->root, true, &store, NULL), 0);
		struct sp_txn *txn = run_until(store, t, STAGE);
		sp_txn_reach(txn, &access);
		assert_int_equal(sp_txn_set(txn, &a, &step, NULL), steps[i].error);
		assert_int_equal(step, steps[i].step);
		assert_int_equal(sp_txn_undo(txn, NULL), 0);
		assert_false(sp_txn_attribute_left(txn));
		sp_txn_free(txn);
		assert_text(t, "/etc/a", "a old\n");
		sp_store_close(store);
	}
}

/* A journal that somebody has put there must not make recovery write to whatever it names. */
static void test_forged(void **state)
{
	static const char *const forged[] = {
		"{\"type\":\"attribute\",\"path\":\"/proc/sys/kernel/core_pattern\",\"before\":\"|x\",\"after\":\"core\","
		"\"last\":false}",
		"{\"type\":\"attribute\",\"path\":\"/sys/class/firmware-attributes/../../x/attributes/a/current_value\","
		"\"before\":\"a\",\"after\":\"b\",\"last\":false}",
		"{\"type\":\"attribute\",\"path\":\"" VALUE "\",\"before\":\"a\\nb\",\"after\":\"c\",\"last\":false}",
		"{\"type\":\"attribute\",\"path\":\"" VALUE "\",\"before\":\"\",\"after\":\"c\",\"last\":false}",
		"{\"type\":\"attribute\",\"path\":\"" VALUE "\",\"after\":\"c\",\"last\":false}",
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(forged); i++) {
		struct sp_attribute a = { 0 };
		json_t *json = json_loads(forged[i], 0, NULL);
		assert_non_null(json);
		assert_int_equal(sp_record_to_attribute(json, &a), -EBADMSG);
		json_decref(json);
		sp_attribute_clear(&a);
	}
}

/* --- the password --------------------------------------------------------------------------------------------------- */

static void test_secret(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		int error;
		const char *expected;
	} lines[] = {
		{ "geheim\nmore", 11, 0, "geheim" }, { "geheim", 6, 0, "geheim" }, { " with blanks \n", 14, 0, " with blanks " },
		{ "\n", 1, -ENODATA, NULL },	     { "", 0, -ENODATA, NULL },	   { "a\0b\n", 4, -ENODATA, NULL },
		{ "b\xc3\xbc\r\n", 5, 0, "b\xc3\xbc\r" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(lines); i++) {
		struct sp_secret s = { "left over", 9 };
		int p[2];
		assert_int_equal(pipe(p), 0);
		assert_int_equal(write(p[1], lines[i].text, lines[i].len), lines[i].len);
		assert_int_equal(close(p[1]), 0);
		sp_autoerror struct sp_error *err = NULL;
		assert_int_equal(sp_secret_read(p[0], &s, &err), lines[i].error);
		assert_string_equal(s.text, lines[i].expected ? lines[i].expected : "");
		sp_secret_wipe(&s);
		for (size_t k = 0; k < sizeof(s); k++)
			assert_int_equal(((const char *) &s)[k], 0);
		assert_int_equal(close(p[0]), 0);
	}
}

static void test_long_secret(void **state)
{
	char line[SP_SECRET_MAX + 2];
	struct sp_secret s = { 0 };

	(void) state;
	for (size_t more = 0; more < 2; more++) {
		int p[2];
		memset(line, 'x', sizeof(line));
		line[SP_SECRET_MAX + more] = '\n';
		assert_int_equal(pipe(p), 0);
		assert_int_equal(write(p[1], line, SP_SECRET_MAX + 1 + more), SP_SECRET_MAX + 1 + more);
		assert_int_equal(close(p[1]), 0);
		sp_autoerror struct sp_error *err = NULL;
		assert_int_equal(sp_secret_read(p[0], &s, &err), more ? -EMSGSIZE : 0);
		assert_int_equal(s.len, more ? 0 : SP_SECRET_MAX);
		assert_int_equal(close(p[0]), 0);
	}
	sp_autoerror struct sp_error *bad = NULL;
	assert_int_equal(sp_secret_read(-1, &s, &bad), -EBADF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	(void) umask(022);
	const struct CMUnitTest tests[] = {
		TEST(test_cases), TEST(test_changed), TEST(test_steps), TEST(test_forged),
		cmocka_unit_test(test_secret), cmocka_unit_test(test_long_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
