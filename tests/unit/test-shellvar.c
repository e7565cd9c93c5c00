/* SPDX-License-Identifier: MIT */
/* The oracle of what we read and write is the shell itself: /bin/sh, and bash for what only bash has. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/shellvar.h"
#define VAR "GRUB_CMDLINE_LINUX"
#include "shell-oracle.h"

#define MARK "# Added by strix-provision, taken out again by 'strix-provision rollback'\n"


static const struct {
	const char *file, *value;
	enum who who; /* understands it as we do */
} values[] = {
	{ VAR "=\"quiet splash\"\n", "quiet splash", EVERY_SHELL },
	{ VAR "='quiet splash'\n", "quiet splash", EVERY_SHELL },
	{ VAR "=quiet\n", "quiet", EVERY_SHELL },
	{ VAR "=\n", "", EVERY_SHELL },
	{ VAR "=\"\"\n", "", EVERY_SHELL },
	{ VAR "= \n", "", EVERY_SHELL },
	{ VAR "=quiet", "quiet", EVERY_SHELL },
	{ "  " VAR "=\"a b\"  # c \"d\n", "a b", EVERY_SHELL },
	{ VAR "=\"a\"'b'c\\ d\"\"\n", "abc d", EVERY_SHELL },
	{ VAR "=a#b\n", "a#b", EVERY_SHELL },
	{ VAR "=\"a\\\"b\\\\c\\$d\\`e\\f'g\"\n", "a\"b\\c$d`e\\f'g", EVERY_SHELL },
	{ VAR "='a\\b$c`d\"e'\n", "a\\b$c`d\"e", EVERY_SHELL },
	{ VAR "=\"a \\\n b \\\nc\"\n", "a  b c", EVERY_SHELL },
	{ VAR "=a\\\nb\nX=1\n", "ab", EVERY_SHELL },
	{ VAR "=\"a\nb\"\n", "a\nb", EVERY_SHELL },
	{ VAR "='a\n\\\nb'\n", "a\n\\\nb", EVERY_SHELL },
	{ "export " VAR "=\"a b\"\n", "a b", EVERY_SHELL },
	{ VAR "=a; export " VAR "\n", "a", EVERY_SHELL },
	{ VAR "=a;\n", "a", EVERY_SHELL },
	{ VAR "=\"a\"\n" VAR "+=\" b\"\nexport " VAR "+=\" c\"\n", "a b c", ONLY_BASH },
	{ VAR "+=b\n", "b", ONLY_BASH },
	{ VAR "=a\nX=2\n" VAR "='b'\n", "b", EVERY_SHELL },
	{ VAR "=a\n" VAR "_DEFAULT=b\nX" VAR "=c\n", "a", EVERY_SHELL },
	{ "#" VAR "=b \\\n" VAR "=a\n", "a", EVERY_SHELL },
	{ VAR "=\"a b\"\r\nX=1\r\n", "a b", NO_SHELL },
	{ VAR "=a\r\n", "a", NO_SHELL },
	{ VAR "=a\r", "a", NO_SHELL },
	/* whatever else the file does */
	{ "X=$(echo ')' \"`echo \\)`\" # )\n)\n" VAR "=a\n", "a", EVERY_SHELL },
	{ "X=\"$(case a in b) echo c;; (a) echo \")\";; esac)\"\n" VAR "=a\n", "a", EVERY_SHELL },
	{ "X=\"$(cat <<E\n'\"(\nE\n)\"\n" VAR "=a\n", "a", EVERY_SHELL },
	{ "X=\"${Y:-\"'\"}${#Y}${Y#\\}}$((1+(2)))$$\"\n" VAR "=a\n", "a", EVERY_SHELL },
	{ "X=\"${Y:-it's}\"\n" VAR "=a\n", "a", EVERY_SHELL },
	{ VAR "=a\nX=$(: ${" VAR ":=b})\n", "a", EVERY_SHELL },
	{ "X=$((1 << 2))\nY=`echo \"\\`echo x\\`\"`\n" VAR "=a\n", "a", EVERY_SHELL },
	{ "X=\"$(awk -F'\"' '/A/ && B \\\n!= \"c\" {print $2}' \\\n/dev/null)\"\n" VAR "=a\n", "a", EVERY_SHELL },
	{ "if [ -n \"$X\" ]; then\n  Y=1\nelif :; then Z=2; else { :; }\nfi\n" VAR "=a\n", "a", EVERY_SHELL },
	{ VAR "=a\nfor i in 1 2; do\n case $i in\n 1|2) X=i ;;\n (*) :\n esac\ndone | cat > /dev/null\n", "a", EVERY_SHELL },
	{ VAR "=a\nf() {\n X=1\n return 0\n}\nf\nwhile false; do :; done\n(X=2)\n", "a", EVERY_SHELL },
	{ VAR "=a\ncat <<E >/dev/null\nif \" ' (\nE\n", "a", EVERY_SHELL },
	{ VAR "=a\ncat <<-'E' >/dev/null\n\tif \" ' (\n\tE\n", "a", EVERY_SHELL },
	{ VAR "=a\nX=(1 2 ')'\n 3)\n", "a", ONLY_BASH },
	{ VAR "=a\n[[ ( -n $X && a < b ) || c =~ ^(d|e)$ ]] || ((X=1<<2))\n"
	  "for ((i=0;i<2;i++)); do :; done\n", "a", ONLY_BASH },
	{ VAR "=a\nfunction f { X=1; }\nfunction g() { :; }\n", "a", ONLY_BASH },
	{ "[ -n \"$" VAR "\" ] && X=\"$" VAR "\"\n" VAR "=a\necho \"$" VAR "\" > /dev/null\n", "a", EVERY_SHELL },
	{ VAR "=a\nX=$(" VAR "=b)\n: $(read " VAR ")\nexport X=$Y\n", "a", EVERY_SHELL },
	/* a plain assignment settles what was in doubt before */
	{ "if true; then " VAR "=b; fi\n. /dev/null\neval " VAR "=c\n: ${" VAR ":=d}\n" VAR "=$(echo e)\n" VAR "=a\n", "a",
	  EVERY_SHELL },
	{ "unset " VAR "\nread " VAR " < /dev/null || " VAR "=x\n" VAR "=a\n", "a", EVERY_SHELL },
};

static void test_values(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(values); i++) {
		sp_autobuf struct sp_buf file = bytes(values[i].file), same = { 0 };
		sp_autofree char *value = NULL;
		sp_autoerror struct sp_error *err = NULL;

		if (sp_shellvar_get(&file, VAR, &value, &err) < 0)
			fail_msg("%s\n%s", err->message, values[i].file);
		assert_string_equal(value, values[i].value);
		check_shells(values[i].who, values[i].file, value);
		assert_int_equal(sp_shellvar_put(&file, VAR, value, &same, NULL), 0);
		assert_true(sp_buf_eq(&file, &same));
	}
}

static const struct {
	const char *file;
	int code;
	const char *message; /* what it begins with */
} refusals[] = {
	{ "", -ENOENT, "'" VAR "' is not assigned" },
	{ "# " VAR "=a\n", -ENOENT, "'" VAR "'" },
	{ VAR "_DEFAULT=a\n", -ENOENT, "'" VAR "'" },
	/* the value */
	{ VAR "=$BAR\n", -EOPNOTSUPP, "line 1: the value is computed" },
	{ "X=1\n\n" VAR "=\"a $BAR x\"\n", -EOPNOTSUPP, "line 3: the value is computed by the shell ('$')" },
	{ VAR "=\"a \\\n$" VAR " foo\"\n", -EOPNOTSUPP, "line 2: the value" },
	{ VAR "=\"$(cmd)\"\n", -EOPNOTSUPP, "line 1: the value" },
	{ VAR "=`cmd`\n", -EOPNOTSUPP, "line 1: the value is computed by the shell ('`')" },
	{ VAR "=a$'b'\n", -EOPNOTSUPP, "line 1: the value" },
	{ VAR "=~/x\n", -EOPNOTSUPP, "line 1: the value" },
	{ VAR "=\\\n~/x\n", -EOPNOTSUPP, "line 2: the value" },
	{ VAR "=a:~/x\n", -EOPNOTSUPP, "line 1: the value" },
	{ VAR "=a\n" VAR "+=\" $X\"\n", -EOPNOTSUPP, "line 2: the value" },
	{ VAR "=\"a \\\r\nb\"\r\n", -EOPNOTSUPP, "line 1: a carriage return" },
	{ VAR "=(a b)\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in front of a command" },
	/* where it stands */
	{ "if true; then\n\t" VAR "=a\nfi\n", -EOPNOTSUPP, "line 2: '" VAR "' is assigned inside a compound command" },
	{ VAR "=a\nfor i in 1; do " VAR "=b; done\n", -EOPNOTSUPP, "line 2: '" VAR "' is assigned inside" },
	{ VAR "=a\nwhile x; do\n" VAR "+=b; done\n", -EOPNOTSUPP, "line 3: '" VAR "' is assigned inside" },
	{ VAR "=a\ncase x in\n y) " VAR "=b;;\nesac\n", -EOPNOTSUPP, "line 3: '" VAR "' is assigned inside" },
	{ "{ " VAR "=a; }\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned inside" },
	{ "(" VAR "=a)\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned inside" },
	{ "f() {\n" VAR "=b\n}\n" VAR "=a\nf\n", -EOPNOTSUPP, "line 2: '" VAR "' is assigned inside a function" },
	{ "function f\n{\n" VAR "=b\n}\n" VAR "=a\n", -EOPNOTSUPP, "line 3: '" VAR "' is assigned inside a function" },
	{ "f() " VAR "=b\n" VAR "=a\nf\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned inside a function" },
	{ "true && " VAR "=a\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in a chain" },
	{ "true &&\n\n" VAR "=a\n", -EOPNOTSUPP, "line 3: '" VAR "' is assigned in a chain" },
	{ "false || " VAR "=a\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in a chain" },
	{ "true | " VAR "=a\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in a chain" },
	{ VAR "=a || true\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in a chain" },
	{ VAR "=a &\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in a chain" },
	{ VAR "=a | cat\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in a chain" },
	{ "! " VAR "=a\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in a chain" },
	{ VAR "=a cmd x\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in front of a command" },
	{ VAR "=a cmd\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in front of a command" },
	{ "export -x " VAR "=a\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in front" },
	{ VAR "=a export X\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in front" },
	{ "command " VAR "=a\n", -EOPNOTSUPP, "line 1: '" VAR "' may be set by a command" },
	{ VAR "=a >/dev/null\n", -EOPNOTSUPP, "line 1: '" VAR "' is assigned in front" },
	{ VAR "=a X=b\n", -EOPNOTSUPP, "line 1: '" VAR "' is one of several" },
	{ "export X=b " VAR "=a\n", -EOPNOTSUPP, "line 1: '" VAR "' is one of several" },
	{ "X=b; " VAR "=a\n", -EOPNOTSUPP, "line 1: '" VAR "' is one of several" },
	{ VAR "=a \\\nX=b\n", -EOPNOTSUPP, "line 1: '" VAR "' is one of several" },
	{ "return\n" VAR "=a\n", -EOPNOTSUPP, "line 2: '" VAR "' is assigned behind a 'return'" },
	{ "[ -z x ] || exit 0\n" VAR "=a\n", -EOPNOTSUPP, "line 2: '" VAR "' is assigned behind" },
	/* other ways to set it */
	{ VAR "=a\nsource /x\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by what is read" },
	{ VAR "=a\nif true; then\n  . /x\nfi\n", -EOPNOTSUPP, "line 3: '" VAR "' may be set by what is read" },
	{ "2>/dev/null . /x\n", -EOPNOTSUPP, "line 1: '" VAR "' may be set by what is read" },
	{ "</dev/null eval x\n", -EOPNOTSUPP, "line 1: '" VAR "' may be set by what is read" },
	{ "command . /x\n", -EOPNOTSUPP, "line 1: '" VAR "' may be set by what is read" },
	{ "f() { . /x; }\n" VAR "=a\nf\n", -EOPNOTSUPP, "line 1: '" VAR "' may be set by what is read" },
	{ VAR "=a\neval \"$X\"\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by what is read or evaluated" },
	{ VAR "=a\n. /x\n" VAR "+=b\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set" },
	{ VAR "=a\nunset " VAR "\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by a command" },
	{ VAR "=a\nunset 'GRUB'_CMDLINE_LINUX\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by a command" },
	{ VAR "=a\nread -r " VAR "\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by a command" },
	{ VAR "=a\ndeclare " VAR "=b\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by a command" },
	{ VAR "=a\n" VAR "[0]=b\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by a command" },
	{ VAR "=a\nfor " VAR " in b; do :; done\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by a command" },
	{ ": ${" VAR ":=b}\n", -EOPNOTSUPP, "line 1: '" VAR "' may be set by an expansion" },
	{ VAR "=1\n: $((" VAR "=2))\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by arithmetic" },
	{ VAR "=a\n$X y\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by what is read or evaluated" },
	{ VAR "=a\nexport \"$X\"=b\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by a command" },
	{ VAR "=a\nunset $X\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by a command" },
	{ VAR "=a\ncat <<E\n${" VAR ":=b}\nE\n", -EOPNOTSUPP, "line 2: '" VAR "' may be set by an expansion" },
	{ VAR "=a\ncat <<E\nb\\\nE\n" VAR "=c\nE\n", -EOPNOTSUPP, "line 2: '" VAR "' is assigned inside a here" },
	{ VAR "=a\ncat <<E\n" VAR "=b\nE\n", -EOPNOTSUPP, "line 2: '" VAR "' is assigned inside a here-document" },
	/* damage */
	{ "\n" VAR "=\"a\n", -EINVAL, "line 2: a double quote is never closed" },
	{ "X=1\n" VAR "='a\n", -EINVAL, "line 2: a single quote is never closed" },
	{ VAR "=a\nX=$(b\n\n", -EINVAL, "line 2: '$(' is never closed" },
	{ VAR "=a\nX=${b\n", -EINVAL, "line 2: '${' is never closed" },
	{ VAR "=a\nX=`b\n", -EINVAL, "line 2: a backquote is never closed" },
	{ VAR "=a\nif x; then\n", -EINVAL, "line 2: a compound command is never closed" },
	{ VAR "=a\ncat <<E\nb\n", -EINVAL, "line 2: a here-document is never closed" },
	{ VAR "=a\nfi\n", -EINVAL, "line 2: the end of a compound command has no beginning" },
	{ VAR "=a\nthen\n", -EINVAL, "line 2: a compound command goes on" },
};

static void test_refusals(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(refusals); i++) {
		sp_autobuf struct sp_buf file = bytes(refusals[i].file), changed = { 0 };
		sp_autofree char *value = NULL;
		sp_autoerror struct sp_error *err = NULL, *err_put = NULL;

		int r = sp_shellvar_get(&file, VAR, &value, &err);
		if (r != refusals[i].code || !sp_startswith(err->message, refusals[i].message))
			fail_msg("%d, '%s' instead of '%s' for:\n%s", r, err ? err->message : value, refusals[i].message,
				 refusals[i].file);
		assert_null(value);
		if (r == -ENOENT)
			continue;
		assert_int_equal(sp_shellvar_put(&file, VAR, "new", &changed, &err_put), r);
		assert_string_equal(err_put->message, err->message);
		assert_int_equal(changed.len, 0);
	}
}

static void test_nul_byte(void **state)
{
	static const char text[] = VAR "=a\nX=\0\n";
	sp_autobuf struct sp_buf file = { 0 };
	sp_autofree char *value = NULL;
	sp_autoerror struct sp_error *err = NULL;

	(void) state;
	sp_buf_add(&file, text, sizeof(text) - 1);
	assert_int_equal(sp_shellvar_get(&file, VAR, &value, &err), -EINVAL);
	assert_string_equal(err->message, "line 2: a NUL byte");
}

/* No input makes the scanner run away: it gives up where nesting gets too deep. */
static void test_depth(void **state)
{
	static const char *const openers[] = { "$(", "${x:-", "\"${x:-", "{ ", "(", "if ", "$((" };

	(void) state;
	for (size_t i = 0; i < 2 * SP_ELEMENTS(openers); i++) {
		sp_autobuf struct sp_buf file = { 0 };
		sp_autofree char *value = NULL;

		sp_buf_adds(&file, i % 2 ? "X=$(" : "");
		for (unsigned n = 0; n < 100000; n++)
			sp_buf_adds(&file, openers[i / 2]);
		int r = sp_shellvar_get(&file, VAR, &value, NULL);
		assert_true(r == -EOPNOTSUPP || r == -EINVAL);
	}
}

static const struct {
	const char *file, *value, *result;
	bool one_way; /* putting the old value back does not give the old bytes */
} changes[] = {
	/* words are added, replaced and taken out inside the quotes that are there */
	{ "A=1\n" VAR "=\"a b\" # c\nB=2\n", "a b d=\"e f\"", "A=1\n" VAR "=\"a b d=\\\"e f\\\"\" # c\nB=2\n", false },
	{ VAR "='a b'\n", "a c", VAR "='a c'\n", false },
	{ VAR "=\"a b c\"\n", "a c", VAR "=\"a c\"\n", false },
	{ VAR "=\"a\"\n", "", VAR "=\"\"\n", false },
	{ VAR "=\"\"\n", "a b", VAR "=\"a b\"\n", false },
	{ VAR "=''\n", "a b", VAR "='a b'\n", false },
	{ VAR "=a\n", "a,b", VAR "=a,b\n", false },
	{ VAR "=\n", "a", VAR "=a\n", false },
	{ VAR "=\"a  b\t c\"\n", "a  x\t c", VAR "=\"a  x\t c\"\n", false },
	{ VAR "=\"a\"\r\nB=1\r\n", "a b", VAR "=\"a b\"\r\nB=1\r\n", false },
	{ "export " VAR "=\"a\"", "a b", "export " VAR "=\"a b\"", false },
	{ VAR "=\"a\"; export " VAR "\n", "b", VAR "=\"b\"; export " VAR "\n", false },
	/* the layout of long values stays */
	{ VAR "=\"a \\\n  b \\\n  c\"\n", "a   b   c d", VAR "=\"a \\\n  b \\\n  c d\"\n", false },
	{ VAR "=\"a \\\n  b \\\n  c\"\n", "a   x   c", VAR "=\"a \\\n  x \\\n  c\"\n", false },
	{ VAR "=\"\\\na \\\nb \\\n\"\n", "a b c ", VAR "=\"\\\na \\\nb c \\\n\"\n", false },
	{ VAR "=\"\\\na b \\\nc\"\n", "x b d c e", VAR "=\"\\\nx b d \\\nc e\"\n", false },
	{ VAR "='a\nb'\n", "a\nb c", VAR "='a\nb c'\n", false },
	{ VAR "=\"a iommu=on \\\nb\"\n", "a iommu=pt b c=1", VAR "=\"a iommu=pt \\\nb c=1\"\n", false },
	/* several quotes in one value */
	{ VAR "=\"a\"' b'\n", "a b c", VAR "=\"a\"' b c'\n", false },
	{ VAR "=a\\ \"b\"\n", "a c d b", VAR "=a\\ \"c d b\"\n", false },
	{ VAR "=a\" b\"\n", "x b", VAR "=x\" b\"\n", false },
	/* quotes that do not hold the new text */
	{ VAR "=a # b\n", "a c", VAR "=\"a c\" # b\n", true },
	{ VAR "='a b'\n", "a c='d'", VAR "=\"a c='d'\"\n", true },
	{ VAR "=a\n", "a$b\\", VAR "=\"a\\$b\\\\\"\n", true },
	{ VAR "=\"a\"\n", "a\\$`\"", VAR "=\"a\\\\\\$\\`\\\"\"\n", false },
	/* the last assignment counts, and += is part of it */
	{ VAR "=\"a\"\n" VAR "=\"b\"\n", "b c", VAR "=\"a\"\n" VAR "=\"b c\"\n", false },
	{ VAR "=\"a\"\n" VAR "+=\" b\"\n", "a b c", VAR "=\"a\"\n" VAR "+=\" b c\"\n", false },
	{ VAR "=\"a\"\n" VAR "+=\" b\"\n", "x b", VAR "=\"x\"\n" VAR "+=\" b\"\n", false },
	{ VAR "=\"a\"\n" VAR "+=\" b\"\n", "a", VAR "=\"a\"\n" VAR "+=\"\"\n", true },
	{ VAR "=\"a\"\n" VAR "+=\" b\"\n", "c", VAR "=\"\"\n" VAR "+=\"c\"\n", true },
	/* no assignment yet */
	{ "A=1\n", "a \"b\"", "A=1\n" MARK VAR "=\"a \\\"b\\\"\"\n", false },
	{ "A=1", "a", "A=1\n" MARK VAR "=\"a\"", false },
	{ "", "a", MARK VAR "=\"a\"\n", false },
	{ "# c \\\n", "a", "# c \\\n" MARK VAR "=\"a\"\n", false },
	{ "A=1 \\\n\n", "a", "A=1 \\\n\n" MARK VAR "=\"a\"\n", false },
	{ "# c", "a", "# c\n" MARK VAR "=\"a\"", false },
	{ "A=1\n", "", "A=1\n", false },
	{ "A=1\r\n", "a", "A=1\r\n" MARK VAR "=\"a\"\n", false },
};

static void test_changes(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(changes); i++) {
		sp_autobuf struct sp_buf file = bytes(changes[i].file), changed = { 0 }, back = { 0 };
		sp_autofree char *old = NULL, *value = NULL;
		bool bash = strstr(changes[i].file, "+="), cr = strchr(changes[i].file, '\r');

		int r = sp_shellvar_get(&file, VAR, &old, NULL);
		assert_true(r == 0 || r == -ENOENT);
		assert_int_equal(sp_shellvar_put(&file, VAR, changes[i].value, &changed, NULL), 0);
		assert_string_equal(changed.data, changes[i].result);
		check_shells(cr ? NO_SHELL : bash ? ONLY_BASH : EVERY_SHELL, changed.data, changes[i].value);
		assert_int_equal(sp_shellvar_put(&changed, VAR, old ? old : "", &back, NULL), 0);
		if (sp_buf_eq(&file, &back) == changes[i].one_way)
			fail_msg("%s and back:\n%s", file.data, back.data);
		/* the old value, whatever its bytes are now */
		r = sp_shellvar_get(&back, VAR, &value, NULL);
		assert_true(old ? r == 0 && sp_streq(value, old) : r == -ENOENT);
	}
}

static const struct {
	const char *file, *value;
	const char *message;
} impossible[] = {
	{ "A=1 \\\n", "a", "line 1: the last line goes on with a backslash" },
	{ "\nA=1\\\n", "a", "line 2: the last line goes on with a backslash" },
	{ "A=1 \\", "a", "line 1: the last line goes on with a backslash" },
	{ "[ -n \"$A\" ] && return\n", "a", "'" VAR "' is not assigned, and a 'return'" },
	{ VAR "=a\n", "a\rb", "'" VAR "' cannot be given this value" },
};

static void test_impossible(void **state)
{
	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(impossible); i++) {
		sp_autobuf struct sp_buf file = bytes(impossible[i].file), changed = { 0 };
		sp_autoerror struct sp_error *err = NULL;

		assert_int_equal(sp_shellvar_put(&file, VAR, impossible[i].value, &changed, &err), -EOPNOTSUPP);
		if (!sp_startswith(err->message, impossible[i].message))
			fail_msg("%s", err->message);
		assert_int_equal(changed.len, 0);
	}
}

/* The line that put() added is the user's as soon as something else stands in it or behind it. */
static void test_own_line_kept(void **state)
{
	static const struct {
		const char *file, *result;
	} cases[] = {
		{ "A=1\n" MARK VAR "=\"a\" # mine\n", "A=1\n" MARK VAR "=\"\" # mine\n" },
		{ "A=1\n" VAR "=\"a\"\n", "A=1\n" VAR "=\"\"\n" },
		{ "A=1\n" MARK VAR "=\"a\"\nB=2\n", "A=1\nB=2\n" },
		{ "A=1 " MARK VAR "=\"a\"\n", "A=1 " MARK VAR "=\"\"\n" },
	};

	(void) state;
	for (size_t i = 0; i < SP_ELEMENTS(cases); i++) {
		sp_autobuf struct sp_buf file = bytes(cases[i].file), changed = { 0 };

		assert_int_equal(sp_shellvar_put(&file, VAR, "", &changed, NULL), 0);
		assert_string_equal(changed.data, cases[i].result);
	}
}

/* xorshift: the same numbers in every run */
static unsigned next_random(unsigned *seed, unsigned below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % below;
}

/* Whatever is understood of a file of any pieces at all can be changed, reads back, and goes back to the same value. */
static void test_random(void **state)
{
	static const char *const parts[] = { VAR "=", VAR "+=", "X=", "a", "b ", " ", "\n", "\"", "'", "\\", "#", "\\\n",
					     "$", "`", ";", "\r\n", "{", "}", "(", ")", "if ", "fi\n", "export ", "~",
					     "&&", "${X:-", "$(", "<<E\n", "E\n", "case ", " in ", "esac\n" };
	unsigned seed = 20260311, understood = 0;

	(void) state;
	for (unsigned n = 0; n < 60000; n++) {
		sp_autobuf struct sp_buf file = { 0 }, changed = { 0 }, back = { 0 };
		sp_autofree char *old = NULL, *new = NULL, *again = NULL;

		/* half of the files begin well */
		sp_buf_adds(&file, n % 2 ? VAR "=\"" : "");
		for (unsigned i = next_random(&seed, 12); i > 0; i--)
			sp_buf_adds(&file, parts[next_random(&seed, SP_ELEMENTS(parts))]);
		sp_buf_adds(&file, n % 2 ? "\"\n" : "");
		if (sp_shellvar_get(&file, VAR, &old, NULL) < 0)
			continue;
		understood++;
		assert_int_equal(sp_shellvar_put(&file, VAR, old, &back, NULL), 0);
		assert_true(sp_buf_eq(&file, &back));
		sp_autofree char *value = sp_xasprintf("%s x=\"y z\" $1", old);
		assert_int_equal(sp_shellvar_put(&file, VAR, value, &changed, NULL), 0);
		assert_int_equal(sp_shellvar_get(&changed, VAR, &new, NULL), 0);
		assert_string_equal(new, value);
		assert_int_equal(sp_shellvar_put(&changed, VAR, old, &back, NULL), 0);
		assert_int_equal(sp_shellvar_get(&back, VAR, &again, NULL), 0);
		assert_string_equal(again, old);
	}
	assert_in_range(understood, 2000, 60000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	   cmocka_unit_test(test_refusals),	  cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_depth),	   cmocka_unit_test(test_changes),	  cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_own_line_kept), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
