/* SPDX-License-Identifier: MIT */
/*
 * What names a machine or a person goes, the same always to the same, and the rest stays byte for byte. A property on
 * random texts: no identifier that was put in is left, and what was rewritten once is rewritten to itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/anonymise.h"
#include "format/bls.h"

#define ID "3f1c2b4a-6d5e-4f70-8192-a3b4c5d6e7f8"
#define PLAIN_ID "3f1c2b4a6d5e4f708192a3b4c5d6e7f8"
#define NEW_ID "00000000-0000-4000-8000-000000000001"
#define NEW_PLAIN_ID "00000000000040008000000000000001"

static const struct {
	const char *in, *out; /* out NULL: stays as it is */
} texts[] = {
	{ "", NULL },
	{ "root=UUID=" ID " ro", "root=UUID=" NEW_ID " ro" },
	{ "rd.luks.uuid=luks-" ID, "rd.luks.uuid=luks-" NEW_ID },
	{ "3F1C2B4A-6D5E-4F70-8192-A3B4C5D6E7F8 " ID, NEW_ID " " NEW_ID },
	{ PLAIN_ID "-6.19.8.conf", NEW_PLAIN_ID "-6.19.8.conf" },
	{ PLAIN_ID "\n" ID "\n", NEW_PLAIN_ID "\n" NEW_ID "\n" },
	{ "/boot/" PLAIN_ID "/6.19/linux", "/boot/" NEW_PLAIN_ID "/6.19/linux" },
	{ "rd.md.uuid=3f1c2b4a:6d5e4f70:8192a3b4:c5d6e7f8", "rd.md.uuid=00000000:00004000:80000000:00000001" },
	{ "x" PLAIN_ID " " PLAIN_ID "0 " ID "a", NULL }, /* one digit too many: a checksum, not an id */
	{ "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", NULL },
	{ "ffffffffffffffffffffffffffffffff-6.19.conf", NULL },
	{ "UUID=1A2B-3C4D /boot/efi; 1A2B-3C4D; 1a2b-3c4d", "UUID=0000-0001 /boot/efi; 0000-0001; 0000-0001" },
	{ "UUID=\"1A2B-3C4D\" PARTUUID='1a2b3c4d-02'", "UUID=\"0000-0001\" PARTUUID='00000000-02'" },
	{ "/dev/disk/by-uuid/01D9AB00CDEF0123", "/dev/disk/by-uuid/0000000000000001" },
	{ "search --no-floppy --fs-uuid --set=root 1A2B-3C4D\n",
	  "search --no-floppy --fs-uuid --set=root 0000-0001\n" },
	{ "search --no-floppy --fs-uuid --set=root $id\n", NULL },
	{ "crashkernel=1024M-8192M isolcpus=0-31 2025-1123", NULL },
	{ "ifname=lan:52:54:00:ab:cd:ef BOOTIF=01-52-54-00-ab-cd-ef",
	  "ifname=lan:02:00:00:00:00:01 BOOTIF=01-02-00-00-00-00-01" },
	{ "wwn 50:06:01:60:3b:20:1d:ae", "wwn 02:00:00:00:00:00:00:01" },
	{ "0000:c5:00.0 12:34:56 pci=0000:00:01.1", NULL },
	{ "root=/dev/disk/by-id/nvme-Make_2TB_S64XNX0T123456-part3 ro", "root=/dev/disk/by-id/disk1 ro" },
	{ "/home/alice/model.gguf owner=alice alice-like alice_x",
	  "/home/user1/model.gguf owner=user1 user1-like alice_x" },
	{ "/run/media/bob/STICK /var/home/bob", "/run/media/user1/STICK /var/home/user1" },
	{ "/home/amd amdgpu.gttsize amd amd_iommu=off", "/home/user1 amdgpu.gttsize amd amd_iommu=off" },
	{ "rd.lvm.lv=fedora_thorsbox/root THORSBOX.lan thorsboxes",
	  "rd.lvm.lv=fedora_host1/root host1.lan thorsboxes" },
	{ "systemd.hostname=zbook zbook", "systemd.hostname=host2 zbook" },
	{ "fedora localhost strix-provision", NULL },
	{ "sn=5CG1234XYZ,", "sn=serial1," },
	{ "HF_TOKEN=hf_AbCd next", "HF_TOKEN=removed next" },
	{ "export API_KEY='a b c' next", "export API_KEY='removed' next" },
	{ "rd.iscsi.password=x\nrd.luks.options=token-timeout=10s",
	  "rd.iscsi.password=removed\nrd.luks.options=token-timeout=10s" },
	{ "password_pbkdf2 root grub.pbkdf2.sha512.10000.AB12.CD34\n", "password_pbkdf2 root removed\n" },
	{ "ttm.pages_limit=15466496 amdgpu.gttsize=60416", NULL },
};

static char *anonymise(const char *text)
{
	sp_autoanon struct sp_anon *a = sp_anon_new();
	static const struct {
		enum sp_anon_kind kind;
		const char *name;
	} names[] = { { SP_ANON_HOST, "thorsbox" }, { SP_ANON_HOST, "fedora" },	      { SP_ANON_HOST, "strix" },
		      { SP_ANON_USER, "amd" },	    { SP_ANON_SERIAL, "5CG1234XYZ" }, { SP_ANON_USER, "ab" } };

	for (size_t i = 0; i < SP_ELEMENTS(names); i++)
		sp_anon_name(a, names[i].kind, names[i].name);
	sp_anon_look(a, text, strlen(text));
	return sp_anon_text(a, text);
}

static void test_texts(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(texts); i++) {
		sp_autofree char *got = anonymise(texts[i].in);

		assert_string_equal(got, texts[i].out ? texts[i].out : texts[i].in);
	}
}

/* Bytes that are no text, and a file that ends anywhere. */
static void test_bytes(void **state)
{
	static const char data[] = "\0\xff" ID "\0UUID=";
	sp_autoanon struct sp_anon *a = sp_anon_new();
	sp_autobuf struct sp_buf out = { 0 };

	(void) state;
	sp_anon_look(a, data, sizeof(data));
	sp_anon_rewrite(a, data, sizeof(data), &out);
	assert_int_equal(out.len, sizeof(data));
	assert_memory_equal(out.data, "\0\xff" NEW_ID "\0UUID=", sizeof(data));
	for (size_t n = 0; n < sizeof(data); n++) {
		sp_autofree char *copy = sp_xmalloc(n + 1); /* the sanitizer sees a step too far */
		sp_autobuf struct sp_buf cut = { 0 };

		memcpy(copy, data, n);
		copy = sp_xrealloc(copy, n ? n : 1, 1);
		sp_anon_rewrite(a, copy, n, &cut);
		assert_int_equal(cut.len, n);
	}
}

/* A boot menu sorts what was rewritten as it sorted the originals, whichever text came first; each counts once. */
static void test_order(void **state)
{
	static const char *const ids[] = {
		"f0e1d2c3b4a5968778695a4b3c2d1e0f", "5a3b0c9d8e7f41628394a5b6c7d8e9f0",
		"10aa0c9d8e7f41628394a5b6c7d8e9f0", "9faa0c9d8e7f41628394a5b6c7d8e9f0",
		"0123456789abcdef0123456789abcdef", "5a3b0c9d8e7f41628394a5b6c7d8e9f1",
	};
	sp_autoanon struct sp_anon *a = sp_anon_new();

	(void) state;
	for (size_t i = 0; i < 2 * SP_ELEMENTS(ids); i++)
		sp_anon_look(a, ids[i / 2], 32);
	assert_int_equal(sp_anon_count(a, SP_ANON_ID), SP_ELEMENTS(ids));
	for (size_t i = 0; i < SP_ELEMENTS(ids); i++)
		for (size_t k = 0; k < SP_ELEMENTS(ids); k++) {
			sp_autofree char *x = sp_anon_text(a, ids[i]), *y = sp_anon_text(a, ids[k]);
			int then = sp_bls_compare(ids[i], ids[k]), now = sp_bls_compare(x, y);

			if ((then > 0) - (then < 0) != (now > 0) - (now < 0))
				fail_msg("%s %s: %d, %s %s: %d", ids[i], ids[k], then, x, y, now);
		}
}

/* --- the property ------------------------------------------------------------------------------------------------ */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static char *random_hex(uint32_t *seed, const char *form)
{
	char *text = sp_xstrdup(form);

	for (char *c = text; *c; c++)
		if (*c == 'x')
			*c = "0123456789abcdef"[next_random(seed) % 16];
	return text;
}

/* A text of many pieces; what must not be left in it is added to `seeded`. */
static char *random_text(uint32_t *seed, struct sp_strv *seeded)
{
	static const struct {
		const char *before, *form, *behind;
	} pieces[] = {
		{ "root=UUID=", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", " " },
		{ "luks-", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "\n" },
		{ "(", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "-6.19)" },
		{ " UUID=", "Axxx-xxx7", "\t" },
		{ " ifname=eth0:", "5x:xx:xx:xx:xx:xx", "\n" },
		{ " /dev/disk/by-id/", "nvme-Sxxxxxxxxxxxx", " " },
		{ "'/home/", "pxxxxxxxx", "/x' " },
		{ " MY_SECRET=", "sxxxxxxxxxxxxxxxxxxxx", " " },
	};
	struct sp_buf b = { 0 };

	for (size_t i = 0; i < 40; i++) {
		size_t at = next_random(seed) % (SP_ELEMENTS(pieces) + 1);
		if (at == SP_ELEMENTS(pieces)) {
			sp_buf_addf(&b, "quiet amdgpu.gttsize=%u ", next_random(seed) % 100000);
			continue;
		}
		sp_autofree char *id = random_hex(seed, pieces[at].form);
		sp_buf_addf(&b, "%s%s%s", pieces[at].before, id, pieces[at].behind);
		sp_strv_add(seeded, id);
		if (next_random(seed) % 4 == 0)
			sp_buf_addf(&b, "%s;", id); /* again, with nothing around it that tells what it is */
	}
	return sp_buf_steal(&b);
}

static void test_property(void **state)
{
	uint32_t seed = 20261122;

	(void) state;
	for (int round = 0; round < 100; round++) {
		sp_autostrv struct sp_strv seeded = { 0 };
		sp_autofree char *text = random_text(&seed, &seeded), *once = anonymise(text), *twice = anonymise(once);

		for (size_t i = 0; i < seeded.n; i++)
			if (strcasestr(once, seeded.v[i]))
				fail_msg("'%s' is left of\n%s\nin\n%s", seeded.v[i], text, once);
		assert_string_equal(twice, once);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_property),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
