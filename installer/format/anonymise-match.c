/* SPDX-License-Identifier: MIT */
#include "format/anonymise-match.h"

#include <ctype.h>

#define UUID_LEN 36
#define ID_LEN 32

/* The rest of the text from one place on; every byte behind it reads as NUL. */
struct view {
	const char *data;
	size_t len, at;
};

static char byte(const struct view *v, size_t i)
{
	return v->at + i < v->len ? v->data[v->at + i] : '\0';
}

static char before(const struct view *v)
{
	return v->at > 0 ? v->data[v->at - 1] : '\0';
}

static bool is_hex(char c)
{
	return isxdigit((unsigned char) c) != 0;
}

static bool is_alnum(char c)
{
	return isalnum((unsigned char) c) != 0;
}

static bool is_in_name(char c)
{
	return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

bool sp_anon_is_word(const char *data, size_t len, size_t at, size_t n, bool strict)
{
	char first = at > 0 ? data[at - 1] : '\0', last = at + n < len ? data[at + n] : '\0';

	if (strict && (first == '_' || last == '_'))
		return false;
	return !is_alnum(first) && !is_alnum(last);
}

/* --- forms ------------------------------------------------------------------------------------------------------ */

/* Does a text of this form stand here: 'x' is a hexadecimal digit, all else itself. And is that a whole word? */
static size_t match_form(const struct view *v, const char *form)
{
	size_t n = strlen(form);

	for (size_t i = 0; i < n; i++)
		if (form[i] == 'x' ? !is_hex(byte(v, i)) : byte(v, i) != form[i])
			return 0;
	return sp_anon_is_word(v->data, v->len, v->at, n, false) ? n : 0;
}

/* The same on every machine: EFI variables, types of partitions, what an image has in the place of an id. */
static bool is_public(const struct view *v, size_t n)
{
	static const char *const public[] = {
		"8be4df61-93ca-11d2-aa0d-00e098032b8c", /* EFI global variables */
		"d719b2cb-3d3a-4596-a3bc-dad00e67656f", /* image security database */
		"4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", /* boot loader interface */
		"605dab50-e046-4300-abb6-3dd810dd8b23", /* shim */
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", /* EFI system partition */
		"bc13c2ff-59e6-4262-a352-b275fd6f7172", /* extended boot partition */
		"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", /* root, x86-64 */
		"0fc63daf-8483-4772-8e79-3d69d8477de4", /* Linux data */
		"e6d6d379-f507-44c2-a23c-238f2a3df928", /* LVM */
		"ffffffffffffffffffffffffffffffff",	"00000000000000000000000000000000",
	};

	for (size_t i = 0; i < SP_ELEMENTS(public); i++)
		if (strlen(public[i]) == n && strncasecmp(public[i], v -> data + v -> at, n) == 0)
			return true;
	return false;
}

static size_t match_id(const struct view *v)
{
	static const char *const forms[] = {
		"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"xxxxxxxx:xxxxxxxx:xxxxxxxx:xxxxxxxx", /* mdadm */
	};

	for (size_t i = 0; i < SP_ELEMENTS(forms); i++) {
		size_t n = match_form(v, forms[i]);
		if (n)
			return is_public(v, n) ? 0 : n;
	}
	return 0;
}

/* Six pairs of digits or more with ':' between (Ethernet, Bluetooth, fibre channel), or six with '-'. */
static size_t match_address(const struct view *v)
{
	size_t n = 0, pairs = 0;
	char between = byte(v, 2);

	if (between != ':' && between != '-')
		return 0;
	while (is_hex(byte(v, n)) && is_hex(byte(v, n + 1))) {
		n += 2;
		pairs++;
		if (byte(v, n) != between)
			break;
		n++;
	}
	if (pairs < 6 || (between == '-' && pairs != 6))
		return 0;
	return sp_anon_is_word(v->data, v->len, v->at, n, false) ? n : 0;
}

/* --- what stands before it --------------------------------------------------------------------------------------- */

static bool follows(const struct view *v, const char *text)
{
	size_t n = strlen(text), at = v->at;

	if (at > 0 && (v->data[at - 1] == '"' || v->data[at - 1] == '\''))
		at--;
	return at >= n && memcmp(v->data + at - n, text, n) == 0;
}

static size_t name_length(const struct view *v)
{
	size_t n = 0;

	while (is_in_name(byte(v, n)))
		n++;
	return n;
}

/* FAT 1A2B-3C4D, NTFS 16 digits, a partition of an MBR 1a2b3c4d-01. */
static bool is_volume(const struct view *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_hex(byte(v, i)) && byte(v, i) != '-')
			return false;
	return n >= 8;
}

/* What stands for a secret names nobody: "/home/removed" was rewritten already. */
static bool is_removed(const struct view *v, size_t n)
{
	static const char word[] = "removed";

	return n == strlen(word) && memcmp(v->data + v->at, word, n) == 0;
}

static size_t match_context(const struct view *v, enum sp_anon_kind *kind)
{
	static const struct {
		const char *text;
		enum sp_anon_kind kind;
	} contexts[] = {
		{ "UUID=", SP_ANON_VOLUME },
		{ "/by-uuid/", SP_ANON_VOLUME },
		{ "/by-partuuid/", SP_ANON_VOLUME },
		{ "/by-id/", SP_ANON_DISK },
		{ "/home/", SP_ANON_USER },
		{ "/media/", SP_ANON_USER },
		{ "systemd.hostname=", SP_ANON_HOST },
	};

	size_t n = is_in_name(before(v)) ? 0 : name_length(v);

	if (is_removed(v, n))
		return 0;
	for (size_t i = 0; n && i < SP_ELEMENTS(contexts); i++)
		if (follows(v, contexts[i].text)) {
			*kind = contexts[i].kind;
			return *kind != SP_ANON_VOLUME || is_volume(v, n) ? n : 0;
		}
	return 0;
}

/* GRUB: "search --no-floppy --fs-uuid --set=root 1A2B-3C4D": the last word of such a line. */
static size_t match_search(const struct view *v)
{
	static const char option[] = "--fs-uuid";
	size_t n = name_length(v), line = v->at;

	if (n == 0 || before(v) != ' ' || (byte(v, n) != '\n' && byte(v, n) != '\0'))
		return 0;
	while (line > 0 && v->data[line - 1] != '\n')
		line--;
	return is_volume(v, n) && memmem(v->data + line, v->at - line, option, strlen(option)) ? n : 0;
}

/* --- secrets ---------------------------------------------------------------------------------------------------- */

static bool is_secret_key(const char *key, size_t len)
{
	static const char *const ends[] = { "password",	   "passwd",
					    "passphrase",  "_pass",
					    "secret",	   "token",
					    "credential",  "credentials",
					    "api_key",	   "apikey",
					    "access_key",  "secret_key",
					    "private_key", "set_credential_binary" };

	for (size_t i = 0; i < SP_ELEMENTS(ends); i++) {
		size_t n = strlen(ends[i]);
		if (len >= n && strncasecmp(key + len - n, ends[i], n) == 0)
			return true;
	}
	return false;
}

static size_t value_length(const struct view *v, const char *ends)
{
	size_t n = 0;

	while (byte(v, n) && !strchr(ends, byte(v, n)))
		n++;
	return n;
}

static size_t match_secret(const struct view *v)
{
	static const char hash[] = "grub.pbkdf2.";
	size_t equals = v->at;
	char quote = '\0';

	if (v->len - v->at > strlen(hash) && memcmp(v->data + v->at, hash, strlen(hash)) == 0)
		return value_length(v, " \t\n\"'");
	if (before(v) == '"' || before(v) == '\'') {
		quote = before(v);
		equals--;
	}
	if (equals == 0 || v->data[equals - 1] != '=')
		return 0;
	size_t end = equals - 1, from = end;
	while (from > 0 && is_in_name(v->data[from - 1]))
		from--;
	if (!is_secret_key(v->data + from, end - from))
		return 0;
	return value_length(v, quote ? (char[]){ quote, '\n', '\0' } : " \t\n\"'");
}

size_t sp_anon_match(const char *data, size_t len, size_t at, enum sp_anon_kind *kind)
{
	const struct view v = { data, len, at };
	size_t n;

	*kind = SP_ANON_SECRET;
	if ((n = match_secret(&v)))
		return n;
	*kind = SP_ANON_ID;
	if ((n = match_id(&v)))
		return n;
	*kind = SP_ANON_ADDRESS;
	if ((n = match_address(&v)))
		return n;
	if ((n = match_context(&v, kind)))
		return n;
	*kind = SP_ANON_VOLUME;
	return match_search(&v);
}

/* --- names that name nobody --------------------------------------------------------------------------------------- */

/* Machines of installers and images, and words that stand in names of parameters and files. */
bool sp_anon_names_somebody(const char *name)
{
	static const char *const common[] = {
		"admin",       "alpine",
		"amd",	       "amdgpu",
		"amdttm",      "amdxdna",
		"arch",	       "archiso",
		"archlinux",   "boot",
		"cachyos",     "centos",
		"computer",    "debian",
		"debug",       "default",
		"desktop",     "dev",
		"endeavouros", "fedora",
		"framework",   "gpu",
		"grub",	       "guest",
		"halo",	       "home",
		"intel",       "iommu",
		"kernel",      "laptop",
		"linux",       "localdomain",
		"localhost",   "localhost-live",
		"machine",     "manjaro",
		"mem",	       "mint",
		"net",	       "nixos",
		"none",	       "opensuse",
		"pci",	       "quiet",
		"radeon",      "rhgb",
		"root",	       "server",
		"splash",      "strix",
		"strix-halo",  "system",
		"systemd",     "test",
		"ttm",	       "tumbleweed",
		"ubuntu",      "usb",
		"user",	       "workstation",
		"zbook",
	};

	if (strlen(name) < 3)
		return false;
	for (size_t i = 0; i < SP_ELEMENTS(common); i++)
		if (strcasecmp(name, common[i]) == 0)
			return false;
	return true;
}
