/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>

#include "format/shellvar-scan.h"

unsigned sp_shell_line(const char *s, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at; i++)
		line += s[i] == '\n';
	return line;
}

int sp_shell_unclosed(const struct sp_shell_lex *l, size_t at, const char *what)
{
	return sp_error_set(l->err, -EINVAL, "line %u: %s is never closed", sp_shell_line(l->s, at), what);
}

static int too_deep(const struct sp_shell_lex *l)
{
	return sp_error_set(l->err, -EOPNOTSUPP, "line %u: substitutions are nested too deeply",
			    sp_shell_line(l->s, l->pos));
}

static bool is_name(char c)
{
	return isalnum((unsigned char) c) || c == '_';
}

/* The carriage return of a line end, which the shell would take for text and nobody means as such. */
static bool at_cr(const char *p)
{
	return p[0] == '\r' && (p[1] == '\n' || p[1] == '\0');
}

static int skip_dollar(struct sp_shell_lex *l, bool quoted);

/* Each skip_ function starts at the opening byte and ends behind the closing one. */
static int skip_single(struct sp_shell_lex *l)
{
	const char *end = strchr(l->s + l->pos + 1, '\'');

	if (!end)
		return sp_shell_unclosed(l, l->pos, "a single quote");
	l->pos = (size_t) (end - l->s) + 1;
	return 0;
}

/* Text in which a backslash hides the closing byte: `...` and $'...'. */
static int skip_escaped(struct sp_shell_lex *l, char close, const char *what)
{
	size_t from = l->pos++;

	for (; l->s[l->pos]; l->pos++) {
		if (l->s[l->pos] == close) {
			l->pos++;
			return 0;
		}
		if (l->s[l->pos] == '\\' && l->s[l->pos + 1])
			l->pos++;
	}
	return sp_shell_unclosed(l, from, what);
}

/* One step inside double quotes or ${}: an escape, a substitution, or a plain byte. */
static int skip_quoted_byte(struct sp_shell_lex *l)
{
	switch (l->s[l->pos]) {
	case '$':
		return skip_dollar(l, true);
	case '`':
		return skip_escaped(l, '`', "a backquote");
	case '\\':
		if (l->s[l->pos + 1] == '\n' || l->s[l->pos + 1] == '\0')
			l->joined = l->pos + 1;
		l->pos += l->s[l->pos + 1] ? 2 : 1;
		return 0;
	default:
		l->pos++;
		return 0;
	}
}

static int skip_double(struct sp_shell_lex *l)
{
	size_t from = l->pos++;

	while (l->s[l->pos] && l->s[l->pos] != '"') {
		int r = skip_quoted_byte(l);

		if (r < 0)
			return r;
	}
	if (!l->s[l->pos])
		return sp_shell_unclosed(l, from, "a double quote");
	l->pos++;
	return 0;
}

/* ${name}, ${#name}, ${name:-word}, ...; ${name=word} and ${name:=word} assign. */
static int skip_brace(struct sp_shell_lex *l, bool quoted)
{
	size_t from = l->pos, name = from + 2, end = name;

	while (is_name(l->s[end]))
		end++;
	const char *op = l->s + end + (l->s[end] == ':');
	if (*op == '=' && end - name == strlen(l->var) && memcmp(l->s + name, l->var, end - name) == 0)
		l->sets = "may be set by an expansion";
	/* inside double quotes a ' is text, but not in the patterns of # and % */
	bool singles = !quoted || *op == '#' || *op == '%' || *op == '/';
	l->pos = end > name ? end : name;
	while (l->s[l->pos] && l->s[l->pos] != '}') {
		char c = l->s[l->pos];
		int r = c == '"'		? skip_double(l)
			: c == '\'' && singles	? skip_single(l)
						: skip_quoted_byte(l);
		if (r < 0)
			return r;
	}
	if (!l->s[l->pos])
		return sp_shell_unclosed(l, from, "'${'");
	l->pos++;
	return 0;
}

/* "((" up to "))"; false, and nothing moved, when these are two nested parentheses instead. */
static bool skip_arithmetic(struct sp_shell_lex *l)
{
	size_t i = l->pos + 2, depth = 2;

	for (; l->s[i] && depth > 0; i++) {
		if (l->s[i] == '(')
			depth++;
		else if ((l->s[i] == ')' && --depth == 1 && l->s[i + 1] != ')') || strchr("'\"`\\", l->s[i]))
			return false;
	}
	if (depth > 0)
		return false;
	if (memmem(l->s + l->pos, i - l->pos, l->var, strlen(l->var)))
		l->sets = "may be set by arithmetic";
	l->pos = i;
	return true;
}

static int skip_substitution(struct sp_shell_lex *l)
{
	size_t from = l->pos;

	l->pos++;
	if (l->s[l->pos + 1] == '(' && skip_arithmetic(l))
		return 0;
	/* what happens in there is a subshell's own business */
	const char *sets = l->sets;
	l->pos++;
	int r = sp_shell_skip_parens(l);
	if (r == -ENOENT)
		return sp_shell_unclosed(l, from, "'$('");
	l->sets = sets;
	return r;
}

static int skip_dollar(struct sp_shell_lex *l, bool quoted)
{
	int r = 0;

	if (++l->depth > SP_SHELL_DEPTH)
		return too_deep(l);
	switch (l->s[l->pos + 1]) {
	case '(':
		r = skip_substitution(l);
		break;
	case '{':
		r = skip_brace(l, quoted);
		break;
	case '\'':
		l->pos++;
		r = quoted ? 0 : skip_escaped(l, '\'', "a single quote");
		break;
	default:
		l->pos++;
	}
	l->depth--;
	return r;
}

static int skip_word(struct sp_shell_lex *l)
{
	int r = 0;

	while (r == 0 && l->s[l->pos] && !strchr(" \t\n;&|()<>", l->s[l->pos]) && !at_cr(l->s + l->pos))
		switch (l->s[l->pos]) {
		case '\'':
			r = skip_single(l);
			break;
		case '"':
			r = skip_double(l);
			break;
		case '$':
			r = skip_dollar(l, false);
			break;
		default:
			r = skip_quoted_byte(l);
		}
	return r;
}

static void skip_blanks(struct sp_shell_lex *l)
{
	for (;;) {
		const char *p = l->s + l->pos;

		if (*p == '#') {
			l->pos += strcspn(p, "\n");
		} else if (p[0] == '\\' && p[1] == '\n') {
			l->joined = l->pos + 1;
			l->pos += 2;
		} else if (*p == ' ' || *p == '\t' || at_cr(p)) {
			l->pos++;
		} else {
			return;
		}
	}
}

char *sp_shell_unquote(const char *s, size_t start, size_t end)
{
	struct sp_buf b = { 0 };
	char quote = 0;

	for (size_t i = start; i < end; i++) {
		if (s[i] == quote || (!quote && (s[i] == '\'' || s[i] == '"')))
			quote = quote ? 0 : s[i];
		else if (s[i] == '\\' && quote != '\'' && i + 1 < end && s[++i] == '\n')
			continue;
		else
			sp_buf_add(&b, s + i, 1);
	}
	return sp_buf_steal(&b);
}

/* The word behind a redirection operator belongs to it. */
static int redirection(struct sp_shell_lex *l, bool here, bool tabs)
{
	skip_blanks(l);
	size_t start = l->pos;
	int r = skip_word(l);
	if (r < 0 || !here)
		return r;
	if (l->n_here == SP_ELEMENTS(l->here))
		return sp_error_set(l->err, -EOPNOTSUPP, "line %u: too many here-documents",
				    sp_shell_line(l->s, start));
	l->here[l->n_here].start = start;
	l->here[l->n_here].end = l->pos;
	l->here[l->n_here++].tabs = tabs;
	return 0;
}

/* Longest first; '<' is any redirection, 'h' and 'H' are here-documents. */
static const struct {
	const char *text;
	char op;
} operators[] = {
	{ "<<<", '<' }, { "<<-", 'H' }, { "&>>", '<' }, { ";;&", 'D' }, { "<<", 'h' }, { ">>", '<' }, { "<&", '<' },
	{ ">&", '<' },	{ "<>", '<' },	{ ">|", '<' },	{ "&>", '<' },	{ ";;", 'D' }, { ";&", 'D' }, { "&&", 'A' },
	{ "||", 'O' },	{ "|&", '|' },	{ "<", '<' },	{ ">", '<' },	{ ";", ';' },  { "&", '&' },  { "|", '|' },
	{ "(", '(' },	{ ")", ')' },
};

static bool is_redirection(const char *p)
{
	size_t digits = strspn(p, "0123456789");

	return p[digits] == '<' || p[digits] == '>';
}

static int operator(struct sp_shell_lex *l, struct sp_shell_token *ret)
{
	size_t i = 0;

	l->pos += strspn(l->s + l->pos, "0123456789"); /* the descriptor of a redirection */
	while (!sp_startswith(l->s + l->pos, operators[i].text))
		i++;
	l->pos += strlen(operators[i].text);
	*ret = (struct sp_shell_token){ .kind = SP_SHELL_OP, .op = operators[i].op, .start = ret->start };
	if (!strchr("<hH", ret->op))
		return 0;
	bool here = ret->op != '<', tabs = ret->op == 'H';
	ret->op = '<';
	return redirection(l, here, tabs);
}

static int line_end(struct sp_shell_lex *l, struct sp_shell_token *ret)
{
	int r = 0;

	ret->kind = SP_SHELL_OP;
	ret->op = '\n';
	l->pos++;
	for (size_t i = 0; r == 0 && i < l->n_here; i++)
		r = sp_shell_skip_here(l, i);
	l->n_here = 0;
	return r;
}

int sp_shell_next(struct sp_shell_lex *l, struct sp_shell_token *ret)
{
	int r = 0;

	skip_blanks(l);
	const char *p = l->s + l->pos;
	*ret = (struct sp_shell_token){ .start = l->pos };
	if (*p == '\n') {
		r = line_end(l, ret);
	} else if (p[0] == '(' && p[1] == '(' && skip_arithmetic(l)) {
		ret->kind = SP_SHELL_WORD;
	} else if ((*p && strchr(";&|()<>", *p)) || is_redirection(p)) {
		r = operator(l, ret);
	} else if (*p) {
		ret->kind = SP_SHELL_WORD;
		r = skip_word(l);
	} else if (l->n_here > 0) {
		r = sp_shell_unclosed(l, l->here[0].start, "a here-document");
	}
	ret->end = l->pos;
	return r;
}

/* Words behind which a command begins, as far as a `case` can stand there. */
static bool begins_command(const char *s, const struct sp_shell_token *t)
{
	static const char *const words[] = { "if", "then", "elif", "else", "while", "until", "do", "{", "!" };

	for (size_t i = 0; i < SP_ELEMENTS(words); i++)
		if (strlen(words[i]) == t->end - t->start && sp_startswith(s + t->start, words[i]))
			return true;
	return false;
}

int sp_shell_skip_parens(struct sp_shell_lex *l)
{
	size_t level[SP_SHELL_DEPTH], cases = 0, depth = 0; /* level: how deep each open `case` stands */
	bool first = true;

	for (;;) {
		struct sp_shell_token t;
		int r = sp_shell_next(l, &t);

		if (r < 0)
			return r;
		if (t.kind == SP_SHELL_END)
			return -ENOENT;
		size_t len = t.end - t.start;
		const char *s = l->s + t.start;
		if (t.kind == SP_SHELL_WORD) {
			if (first && len == 4 && memcmp(s, "case", 4) == 0 && cases < SP_ELEMENTS(level))
				level[cases++] = depth;
			else if (first && len == 4 && memcmp(s, "esac", 4) == 0 && cases > 0)
				cases--;
			/* "case x in" newline "esac" or a pattern: the first word behind `in` counts as first, too */
			first = (first && begins_command(l->s, &t)) || (cases > 0 && len == 2 && memcmp(s, "in", 2) == 0);
			continue;
		}
		first = t.op != '<';
		if (t.op == '(' && ++depth > SP_SHELL_DEPTH)
			return too_deep(l);
		if (t.op != ')' || (cases > 0 && level[cases - 1] == depth))
			continue; /* a ')' that ends a pattern */
		if (depth-- == 0)
			return 0;
	}
}
