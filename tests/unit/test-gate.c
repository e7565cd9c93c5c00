/* SPDX-License-Identifier: MIT */
/* The gate's decision: every kind of firmware against everything that can be asked of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "engine/gate.h"

/* A firmware in one line: its choices with ';' between, and flags. */
struct firmware {
	const char *choices; /* NULL: it does not tell them */
	uint64_t next;	     /* 0: "Auto", or not known */
	bool none, read_only, sure_admin, no_password_object, amdgpu;
};

#define HP_CHOICES "512 MB;4 GB;8 GB;16 GB;32 GB;48 GB"
static const struct firmware hp32 = { HP_CHOICES, 32768, .amdgpu = false }, hp512 = { HP_CHOICES, 512, .amdgpu = false },
	amdgpu32 = { "512 MB;1 GB;32 GB", 32768, .amdgpu = true }, two_up = { "2 GB;4 GB;8 GB;64 GB", 65536, .amdgpu = true },
	automatic = { "Auto;512 MB;96 GB", 0, .amdgpu = false }, nothing = { NULL, 0, .none = true },
	read_only = { HP_CHOICES, 32768, .read_only = true }, sure_admin = { HP_CHOICES, 32768, .sure_admin = true },
	no_object = { HP_CHOICES, 32768, .no_password_object = true }, untold = { NULL, 32768, .amdgpu = true },
	small4 = { HP_CHOICES, 4096, .amdgpu = false };

#define GREEN SP_GATE_GREEN
#define LARGE SP_GATE_LARGE
#define UNSET SP_GATE_UNSET
#define BY_HAND SP_GATE_BY_HAND

static const struct {
	const char *name;
	const struct firmware *firmware;
	uint64_t now;
	enum sp_uma uma;
	uint64_t mib;
	bool recorded, foreign, no_platform;
	enum sp_told told;
	/* what must come out */
	enum sp_gate_state state;
	uint64_t carve_out;
	const char *write; /* NULL: nothing */
	bool shrinks;
	enum sp_exit refusal; /* SP_EXIT_OK: none */
	const char *says;     /* a part of the text, of the refusal, its hint, or a warning */
} cases[] = {
	/* nothing asked */
	{ "small", &hp512, 512, .state = GREEN, .carve_out = 512 },
	{ "4 GiB are small", &small4, 4096, .state = GREEN, .carve_out = 4096 },
	{ "32 GiB are not", &hp32, 32768, .state = LARGE, .carve_out = 32768, .says = "strix-provision apply --uma 512M" },
	{ "and accepted", &hp32, 32768, .uma = SP_UMA_KEEP, .state = GREEN, .carve_out = 32768 },
	{ "on a machine that is not ours", &hp32, 32768, .no_platform = true, .state = GREEN, .carve_out = 32768 },
	{ "the smallest on offer is proposed", &two_up, 65536, .state = LARGE, .carve_out = 65536, .says = "--uma 2G" },
	{ "which cannot be written", &read_only, 32768, .state = LARGE, .carve_out = 32768, .says = "--uma-by-hand 512M" },
	{ "Auto took 64 GiB", &automatic, 65536, .state = LARGE, .carve_out = 65536, .says = "keeps 64 GB" },
	{ "nobody tells the next", &nothing, 8192, .state = LARGE, .carve_out = 8192, .says = "or the smallest value" },
	{ "neither now nor next", &nothing, 0, .state = GREEN, .carve_out = 0 },
	{ "next alone", &hp512, 0, .state = GREEN, .carve_out = 512 },
	{ "set by somebody else since the start", &hp512, 32768, .state = GREEN, .carve_out = 512 },
	{ "made larger by somebody else", &hp32, 512, .state = LARGE, .carve_out = 32768, .says = "keeps 32 GB" },
	/* 512 MB that turns up as 4 GiB */
	{ "turned up as 4 GiB", &hp512, 4096, .state = GREEN, .carve_out = 4096, .says = "some firmware" },
	{ "unless we have just set it", &hp512, 4096, .told = SP_TOLD_NOW, .state = GREEN, .carve_out = 512 },
	{ "and it is known after a restart", &hp512, 4096, .told = SP_TOLD_BEFORE, .state = GREEN, .carve_out = 4096,
	  .says = "made 4 GB of it" },
	{ "the number differs by a little", &hp512, 500, .state = GREEN, .carve_out = 500 },
	{ "the firmware did not follow", &hp512, 32768, .told = SP_TOLD_BEFORE, .state = LARGE, .carve_out = 32768,
	  .says = "made 32 GB of it" },
	/* --uma */
	{ "written, smaller", &hp32, 32768, SP_UMA_SIZE, 512, .state = GREEN, .carve_out = 512, .write = "512 MB",
	  .shrinks = true },
	{ "written, larger", &hp512, 512, SP_UMA_SIZE, 32768, .state = GREEN, .carve_out = 32768, .write = "32 GB" },
	{ "written by index", &amdgpu32, 32768, SP_UMA_SIZE, 1024, .state = GREEN, .carve_out = 1024, .write = "1",
	  .shrinks = true },
	{ "set already", &hp512, 32768, SP_UMA_SIZE, 512, .state = GREEN, .carve_out = 512 },
	{ "in force already", &hp512, 512, SP_UMA_SIZE, 512, .state = GREEN, .carve_out = 512 },
	{ "set, and turned up as 4 GiB", &hp512, 4096, SP_UMA_SIZE, 512, .told = SP_TOLD_BEFORE, .state = GREEN,
	  .carve_out = 4096, .says = "made 4 GB of it" },
	{ "set in vain", &hp512, 32768, SP_UMA_SIZE, 512, .told = SP_TOLD_BEFORE, .state = UNSET, .carve_out = 32768,
	  .says = "did not follow" },
	{ "back to what is in force, before a restart", &hp512, 32768, SP_UMA_SIZE, 32768, .told = SP_TOLD_NOW,
	  .state = GREEN, .carve_out = 32768, .write = "32 GB" },
	{ "from Auto", &automatic, 65536, SP_UMA_SIZE, 512, .state = GREEN, .carve_out = 512, .write = "512 MB",
	  .shrinks = true },
	{ "no source", &nothing, 32768, SP_UMA_SIZE, 512, .state = UNSET, .carve_out = 32768, .says = "no way to set it" },
	{ "read-only", &read_only, 32768, SP_UMA_SIZE, 512, .state = UNSET, .carve_out = 32768, .says = "read-only" },
	{ "Sure Admin", &sure_admin, 32768, SP_UMA_SIZE, 512, .state = UNSET, .carve_out = 32768, .says = "Sure Admin" },
	{ "no password object", &no_object, 32768, SP_UMA_SIZE, 512, .state = UNSET, .carve_out = 32768,
	  .says = "Setup Password" },
	{ "choices are not told", &untold, 32768, SP_UMA_SIZE, 512, .state = UNSET, .carve_out = 32768,
	  .says = "does not tell which sizes" },
	{ "in force is not known", &hp32, 0, SP_UMA_SIZE, 512, .state = UNSET, .carve_out = 32768,
	  .says = "is amdgpu loaded?" },
	{ "not on offer", &two_up, 65536, SP_UMA_SIZE, 512, .state = GREEN, .carve_out = 65536, .refusal = SP_EXIT_FIRMWARE,
	  .says = "2 GB, 4 GB, 8 GB and 64 GB" },
	{ "the nearest is proposed", &two_up, 65536, SP_UMA_SIZE, 512, .state = GREEN, .carve_out = 65536,
	  .refusal = SP_EXIT_FIRMWARE, .says = "--uma 2G" },
	{ "the smaller of two", &hp32, 32768, SP_UMA_SIZE, 6144, .state = GREEN, .carve_out = 32768,
	  .refusal = SP_EXIT_FIRMWARE, .says = "--uma 4G" },
	{ "of a recorded machine", &hp32, 32768, SP_UMA_SIZE, 512, .foreign = true, .state = GREEN, .carve_out = 512,
	  .write = "512 MB", .shrinks = true, .refusal = SP_EXIT_USAGE, .says = "recorded machine" },
	{ "merely recorded, and it was changed", &hp32, 32768, SP_UMA_SIZE, 512, .recorded = true, .state = UNSET,
	  .carve_out = 32768, .says = "strix-provision apply --uma 512M" },
	{ "merely recorded, and it holds", &hp512, 512, SP_UMA_SIZE, 512, .recorded = true, .state = GREEN, .carve_out = 512 },
	/* --uma-by-hand */
	{ "the administrator's word", &read_only, 32768, SP_UMA_BY_HAND, 512, .state = BY_HAND, .carve_out = 512,
	  .says = "set it to 512 MB" },
	{ "nobody tells what there is", &nothing, 32768, SP_UMA_BY_HAND, 2048, .state = BY_HAND, .carve_out = 2048,
	  .says = "set it to 2 GB" },
	{ "it was done", &hp512, 512, SP_UMA_BY_HAND, 512, .state = GREEN, .carve_out = 512 },
	{ "it will be done", &hp512, 32768, SP_UMA_BY_HAND, 512, .state = GREEN, .carve_out = 512 },
	{ "repeated later", &hp32, 32768, SP_UMA_BY_HAND, 512, .recorded = true, .state = BY_HAND, .carve_out = 512,
	  .says = "Do not start" },
	{ "by hand, and not on offer", &two_up, 65536, SP_UMA_BY_HAND, 512, .state = GREEN, .carve_out = 65536,
	  .refusal = SP_EXIT_FIRMWARE, .says = "--uma-by-hand 2G" },
};

static void build(const struct firmware *f, struct sp_carveout *c, struct sp_uma_source *s)
{
	sp_autofree char *copy = sp_xstrdup(f->choices ? f->choices : "");
	char *save = NULL;

	*s = (struct sp_uma_source){ .kind = f->amdgpu ? SP_UMA_AMDGPU : SP_UMA_ATTRIBUTE, .mib = f->next };
	*c = (struct sp_carveout){ .source = f->none ? NULL : s, .sure_admin = f->sure_admin,
				   .no_password_object = f->no_password_object };
	s->read_only = f->read_only;
	for (char *word = strtok_r(copy, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		s->choices = sp_xrealloc(s->choices, s->n_choices + 1, sizeof(*s->choices));
		uint64_t number = strtoull(word, NULL, 10);
		s->choices[s->n_choices] = (struct sp_uma_choice){
			.text = f->amdgpu ? sp_xasprintf("%zu", s->n_choices) : sp_xstrdup(word),
			.name = sp_xstrdup(word), .mib = strstr(word, "GB") ? number * 1024 : number,
		};
		s->n_choices++;
	}
}

static void clear(struct sp_uma_source *s)
{
	for (size_t i = 0; i < s->n_choices; i++) {
		free(s->choices[i].text);
		free(s->choices[i].name);
	}
	free(s->choices);
}

static bool says(const struct sp_gate *g, const char *text)
{
	bool found = (g->text && strstr(g->text, text)) || (g->refusal && strstr(g->refusal->message, text)) ||
		     (g->refusal && g->refusal->hint && strstr(g->refusal->hint, text));

	for (size_t i = 0; i < g->warnings.n; i++)
		found |= strstr(g->warnings.v[i], text) != NULL;
	return found;
}

static void test_cases(void **state)
{
	static const struct sp_platform platform = { .setup_key = (char *) "F10", .setup_path = (char *) "Advanced > X" };

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		struct sp_uma_source source = { 0 };
		struct sp_carveout c = { 0 };
		struct sp_gate g = { 0 };
		build(cases[i].firmware, &c, &source);
		const struct sp_gate_input in = {
			.uma = cases[i].uma, .uma_mib = cases[i].mib, .asked = !cases[i].recorded, .foreign = cases[i].foreign,
			.now_mib = cases[i].now, .told = cases[i].told, .firmware = &c,
			.platform = cases[i].no_platform ? NULL : &platform,
		};
		sp_gate_decide(&in, &g);
		const char *text = g.write ? g.write->text : NULL;
		if (g.state != cases[i].state || g.carve_out_mib != cases[i].carve_out || g.shrinks != cases[i].shrinks ||
		    (text || cases[i].write ? !sp_streq(text, cases[i].write) : false))
			fail_msg("%s: %s, %ju MiB, writes %s", cases[i].name, sp_gate_state_name(g.state),
				 (uintmax_t) g.carve_out_mib, text ? text : "nothing");
		if ((g.refusal ? g.refusal->exit : SP_EXIT_OK) != cases[i].refusal)
			fail_msg("%s: refusal %s", cases[i].name, g.refusal ? g.refusal->message : "none");
		if (cases[i].says && !says(&g, cases[i].says))
			fail_msg("%s: '%s' is not said in '%s'", cases[i].name, cases[i].says, g.text ? g.text : "");
		if ((g.state != SP_GATE_GREEN) != (g.text != NULL))
			fail_msg("%s: what is not green must say what to do, and nothing else does", cases[i].name);
		sp_gate_clear(&g);
		clear(&source);
	}
}

/* Whatever is asked of whatever firmware: what is written is on offer, and a green gate has sizes for what comes. */
static void test_all(void **state)
{
	static const struct firmware *const all[] = { &hp32, &hp512, &amdgpu32, &two_up, &automatic, &nothing, &read_only,
						      &sure_admin, &no_object, &untold, &small4 };
	static const uint64_t sizes[] = { 0, 256, 512, 1024, 2048, 4096, 6144, 8192, 32768, 65536, 98304 };

	(void) state;
	for (size_t f = 0; f < SP_ELEMENTS(all); f++)
		for (size_t n = 0; n < SP_ELEMENTS(sizes) * SP_ELEMENTS(sizes) * 4 * 2 * 3; n++) {
			struct sp_uma_source source = { 0 };
			struct sp_carveout c = { 0 };
			struct sp_gate g = { 0 };
			build(all[f], &c, &source);
			const size_t rest = n / SP_ELEMENTS(sizes) / SP_ELEMENTS(sizes);
			const struct sp_gate_input in = {
				.now_mib = sizes[n % SP_ELEMENTS(sizes)],
				.uma_mib = sizes[n / SP_ELEMENTS(sizes) % SP_ELEMENTS(sizes)],
				.uma = (enum sp_uma) (rest % 4), .asked = rest / 4 % 2, .told = (enum sp_told) (rest / 8),
				.firmware = &c,
			};
			sp_gate_decide(&in, &g);
			if (g.write) {
				assert_true(in.uma == SP_UMA_SIZE && in.asked && in.now_mib);
				assert_int_equal(g.write->mib, in.uma_mib);
				assert_int_equal(g.carve_out_mib, in.uma_mib);
				assert_true(!source.read_only && !c.sure_admin);
			} else if (g.state == SP_GATE_GREEN && !g.refusal && g.carve_out_mib) {
				assert_true(g.carve_out_mib == in.now_mib || g.carve_out_mib == source.mib);
			}
			assert_int_equal(g.state != SP_GATE_GREEN, g.text != NULL);
			sp_gate_clear(&g);
			clear(&source);
		}
}

static void test_words(void **state)
{
	sp_autofree char *small = sp_uma_argument(512), *large = sp_uma_argument(32768), *way = sp_setup_way(NULL);

	(void) state;
	assert_string_equal(small, "512M");
	assert_string_equal(large, "32G");
	assert_non_null(strstr(way, "maker's setup key"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
