/* SPDX-License-Identifier: MIT */
#include "format/shellvar-scan.h"

#include <ctype.h>
#include <errno.h>

enum verb { VERB_OTHER, VERB_EXPORT, VERB_SETS, VERB_PREFIX, VERB_READS, VERB_STOPS };

/* A simple command while it is read. */
struct command {
	size_t at;		/* where it begins */
	unsigned words, assigns; /* words that are no assignments; assignments of any variable */
	bool other;		/* a redirection or an array is part of it */
	bool ended;		/* this is what stands behind a compound command */
	enum verb verb;		/* of the first word */
	bool assigns_var;
	unsigned before;	   /* if assigns_var: words in front of that assignment */
	struct sp_shell_site site; /* if assigns_var */
	const char *sets;	/* why it may set var in another way */
};

/* Where a word is no command: between `case` and its first pattern, and in patterns. */
enum mode { COMMANDS, CASE_SUBJECT, CASE_IN, CASE_PATTERN, FUNCTION_NAME };

struct parser {
	struct sp_shell_lex lex;
	struct sp_shell_sites *sites;
	struct command cmd;
	enum mode mode;
	struct {
		char kind; /* i: if, l: loop, c: case, { and ( */
		size_t at;
	} nest[SP_SHELL_DEPTH];
	size_t depth;
	size_t function;	  /* depth at which the body of a function begins, 0: in none */
	bool function_next;	  /* the next compound command is the body of a function */
	bool chained;		  /* the command hangs on the result of the one before it */
	unsigned line_assigns;	  /* assignments on this line */
	size_t line_var;	  /* where on this line var is assigned, plus 1; 0: it is not */
	/* why the value cannot be told; a later plain assignment settles it unless it is final */
	const char *doubt;
	size_t doubt_at;
	bool doubt_final;
};

static void doubt(struct parser *p, size_t at, const char *why)
{
	if (p->doubt_final)
		return;
	p->doubt = why;
	p->doubt_at = at;
	p->doubt_final = p->function > 0 || p->function_next; /* when a function runs is not known */
}

static int refuse(struct parser *p, int code, size_t at, const char *what)
{
	return sp_error_set(p->lex.err, code, "line %u: %s", sp_shell_line(p->lex.s, at), what);
}

static int push(struct parser *p, char kind, size_t at)
{
	if (p->depth == SP_ELEMENTS(p->nest))
		return refuse(p, -EOPNOTSUPP, at, "commands are nested too deeply");
	p->nest[p->depth].kind = kind;
	p->nest[p->depth++].at = at;
	if (p->function_next && p->function == 0)
		p->function = p->depth;
	p->function_next = false;
	p->chained = false;
	p->cmd = (struct command){ 0 };
	return 0;
}

static int pop(struct parser *p, char kind, size_t at)
{
	if (p->depth == 0 || p->nest[p->depth - 1].kind != kind)
		return refuse(p, -EINVAL, at, "the end of a compound command has no beginning");
	if (p->depth-- == p->function)
		p->function = 0;
	p->cmd = (struct command){ .at = at, .other = true, .ended = true };
	return 0;
}

/* An assignment of var at the end of its command: it either settles the value or leaves a doubt. */
static void judge_assignment(struct parser *p, bool plain)
{
	const struct command *c = &p->cmd;
	struct sp_shell_sites *s = p->sites;

	p->line_var = c->at + 1;
	if (p->function > 0 || p->function_next)
		return doubt(p, c->at, "is assigned inside a function");
	if (p->depth > 0)
		return doubt(p, c->at, "is assigned inside a compound command");
	if (!plain)
		return doubt(p, c->at, "is assigned in a chain of commands");
	if (c->assigns > 1)
		return doubt(p, c->at, "is one of several assignments on one line");
	if (c->other || c->words != c->before || c->before > 1)
		return doubt(p, c->at, "is assigned in front of a command");
	if (s->stops && !p->doubt_final) {
		doubt(p, c->at, "is assigned behind a 'return' or 'exit'");
		p->doubt_final = true;
	}
	if (!c->site.append) {
		s->n = 0;
		if (!p->doubt_final)
			p->doubt = NULL;
	}
	s->v = sp_xrealloc(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = c->site;
}

/* A command has ended at the operator op. */
static void end_command(struct parser *p, char op)
{
	struct command *c = &p->cmd;
	bool empty = c->words == 0 && c->assigns == 0 && !c->other;

	if (c->assigns_var)
		judge_assignment(p, !p->chained && strchr(";\n)", op));
	if (c->sets)
		doubt(p, c->at, c->sets);
	if (c->verb == VERB_READS)
		doubt(p, c->at, "may be set by what is read or evaluated here");
	if (c->verb == VERB_STOPS && p->function == 0)
		p->sites->stops = true;
	if (!empty)
		p->function_next = false;
	if (!empty || op != '\n') /* "a &&" goes on at the next line */
		p->chained = strchr("AO|", op);
	*c = (struct command){ 0 };
	if (op != '\n')
		return;
	if (p->line_var > 0 && p->line_assigns > 1)
		doubt(p, p->line_var - 1, "is one of several assignments on one line");
	p->line_var = 0;
	p->line_assigns = 0;
}

enum role { OPENS, OPENS_WORDS, OPENS_CASE, CLOSES, GOES_ON, NEGATES, FUNCTION };

static const struct keyword {
	const char *word;
	char kind;
	enum role role;
} keywords[] = {
	{ "if", 'i', OPENS },	      { "then", 'i', GOES_ON }, { "elif", 'i', GOES_ON },    { "else", 'i', GOES_ON },
	{ "fi", 'i', CLOSES },	      { "while", 'l', OPENS },	{ "until", 'l', OPENS },     { "for", 'l', OPENS_WORDS },
	{ "select", 'l', OPENS_WORDS }, { "do", 'l', GOES_ON },	{ "done", 'l', CLOSES },     { "case", 'c', OPENS_CASE },
	{ "esac", 'c', CLOSES },      { "{", '{', OPENS },	{ "}", '{', CLOSES },	     { "!", 0, NEGATES },
	{ "function", 0, FUNCTION },
};

static const struct keyword *find_keyword(const char *s, const struct sp_shell_token *t)
{
	for (size_t i = 0; i < SP_ELEMENTS(keywords); i++)
		if (strlen(keywords[i].word) == t->end - t->start && sp_startswith(s + t->start, keywords[i].word))
			return &keywords[i];
	return NULL;
}

static int take_keyword(struct parser *p, const struct keyword *k, size_t at)
{
	int r = 0;

	switch (k->role) {
	case OPENS:
		return push(p, k->kind, at);
	case OPENS_WORDS:
		r = push(p, k->kind, at);
		p->cmd = (struct command){ .at = at, .words = 1 };
		return r;
	case OPENS_CASE:
		p->mode = CASE_SUBJECT;
		return push(p, k->kind, at);
	case CLOSES:
		return pop(p, k->kind, at);
	case NEGATES:
		p->chained = true;
		return 0;
	case FUNCTION:
		p->mode = FUNCTION_NAME;
		return 0;
	case GOES_ON:
		if (p->depth == 0 || p->nest[p->depth - 1].kind != k->kind)
			return refuse(p, -EINVAL, at, "a compound command goes on that was never begun");
		p->chained = false;
	}
	return 0;
}

/* Length of NAME in "NAME=" or "NAME+="; 0: no assignment. */
static size_t assigned_name(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char) s[n]) || s[n] == '_')
		n++;
	if (isdigit((unsigned char) s[0]) || !(s[n] == '=' || (s[n] == '+' && s[n + 1] == '=')))
		return 0;
	return n;
}

static void take_assignment(struct parser *p, const struct sp_shell_token *t, size_t name)
{
	const char *s = p->lex.s + t->start;
	size_t equals = name + (s[name] == '+');

	p->cmd.assigns++;
	p->line_assigns++;
	if (name != strlen(p->lex.var) || memcmp(s, p->lex.var, name) != 0)
		return;
	p->cmd.assigns_var = true;
	p->cmd.before = p->cmd.words;
	p->cmd.site = (struct sp_shell_site){ .word = t->start, .start = t->start + equals + 1, .end = t->end,
					      .append = s[name] == '+' };
}

static enum verb find_verb(const char *word)
{
	static const struct {
		const char *word;
		enum verb verb;
	} verbs[] = {
		{ "export", VERB_EXPORT }, { "readonly", VERB_SETS }, { "declare", VERB_SETS },	  { "typeset", VERB_SETS },
		{ "local", VERB_SETS },	   { "read", VERB_SETS },     { "unset", VERB_SETS },	  { "getopts", VERB_SETS },
		{ "mapfile", VERB_SETS },  { "let", VERB_SETS },      { "readarray", VERB_SETS }, { "command", VERB_PREFIX },
		{ "builtin", VERB_PREFIX }, { ".", VERB_READS },      { "source", VERB_READS },	  { "eval", VERB_READS },
		{ "return", VERB_STOPS },  { "exit", VERB_STOPS },
	};

	for (size_t i = 0; i < SP_ELEMENTS(verbs); i++)
		if (sp_streq(verbs[i].word, word))
			return verbs[i].verb;
	/* what an expansion gives may be any of these */
	return strpbrk(word, "$`") ? VERB_READS : VERB_OTHER;
}

/* A word of a command that is no assignment: read VAR, unset VAR, declare VAR=x, printf -v VAR, for VAR in, ... */
static void take_argument(struct parser *p, const struct sp_shell_token *t)
{
	struct command *c = &p->cmd;
	sp_autofree char *word = sp_shell_unquote(p->lex.s, t->start, t->end);
	size_t n = strlen(p->lex.var), name = strcspn(word, "=$`");

	if (c->words == 0 && !c->ended)
		c->verb = find_verb(word);
	else if ((c->verb == VERB_EXPORT || c->verb == VERB_SETS) && (word[name] == '$' || word[name] == '`'))
		c->sets = "may be set by a command";
	if (c->verb != VERB_PREFIX || c->words > 0)
		c->words++;
	if (strncmp(word, p->lex.var, n) != 0 || !strchr("=+[", word[n]) || (c->verb == VERB_EXPORT && !word[n]))
		return;
	c->sets = "may be set by a command";
}

static int take_word(struct parser *p, const struct sp_shell_token *t)
{
	struct command *c = &p->cmd;
	const struct keyword *k = find_keyword(p->lex.s, t);
	size_t name = assigned_name(p->lex.s + t->start);

	switch (p->mode) {
	case CASE_SUBJECT:
		p->mode = CASE_IN;
		return 0;
	case CASE_IN:
		p->mode = CASE_PATTERN;
		return 0;
	case CASE_PATTERN:
		if (!k || k->kind != 'c' || k->role != CLOSES)
			return 0;
		p->mode = COMMANDS;
		return pop(p, 'c', t->start);
	case FUNCTION_NAME:
		p->mode = COMMANDS;
		p->function_next = true;
		return 0;
	case COMMANDS:
		break;
	}
	bool first = c->words == 0 && c->assigns == 0 && !c->other;
	if (first && k)
		return take_keyword(p, k, t->start);
	if (first)
		c->at = t->start;
	if (name > 0 && (c->words == 0 ? c->verb != VERB_PREFIX : c->verb == VERB_EXPORT))
		take_assignment(p, t, name);
	else
		take_argument(p, t);
	return 0;
}

static int open_paren(struct parser *p, const struct sp_shell_token *t, size_t word_end)
{
	struct command *c = &p->cmd;
	const char *s = p->lex.s;
	struct sp_shell_token close;

	if (c->assigns > 0 && word_end == t->start && s[t->start - 1] == '=') { /* NAME=(...) */
		c->other = true;
		int r = sp_shell_skip_parens(&p->lex);
		return r == -ENOENT ? refuse(p, -EINVAL, t->start, "a parenthesis is never closed") : r;
	}
	size_t next = t->end + strspn(s + t->end, " \t");
	if (s[next] == ')' && c->assigns == 0 && (c->words == 1 || p->function_next)) { /* name() */
		p->function_next = true;
		*c = (struct command){ 0 };
		return sp_shell_next(&p->lex, &close);
	}
	end_command(p, '(');
	return push(p, '(', t->start);
}

static int take_operator(struct parser *p, const struct sp_shell_token *t, size_t word_end)
{
	if (p->mode != COMMANDS) {
		if (p->mode == CASE_PATTERN && t->op == ')')
			p->mode = COMMANDS;
		return 0;
	}
	switch (t->op) {
	case '<':
		p->cmd.other = true;
		return 0;
	case '(':
		return open_paren(p, t, word_end);
	case ')':
		end_command(p, ')');
		return pop(p, '(', t->start);
	case 'D':
		end_command(p, ';');
		if (p->depth == 0 || p->nest[p->depth - 1].kind != 'c')
			return refuse(p, -EINVAL, t->start, "';;' stands outside of 'case'");
		p->mode = CASE_PATTERN;
		return 0;
	default:
		end_command(p, t->op);
		return 0;
	}
}

static int parse(struct parser *p)
{
	size_t word_end = 0;

	for (;;) {
		struct sp_shell_token t;
		int r = sp_shell_next(&p->lex, &t);

		if (r < 0)
			return r;
		if (p->lex.sets)
			doubt(p, t.start, p->lex.sets);
		p->lex.sets = NULL;
		if (t.kind == SP_SHELL_END)
			break;
		r = t.kind == SP_SHELL_WORD ? take_word(p, &t) : take_operator(p, &t, word_end);
		if (r < 0)
			return r;
		word_end = t.end;
	}
	end_command(p, '\n');
	p->sites->joins = p->lex.joined > 0 && p->lex.joined + 1 >= p->lex.len;
	if (p->depth > 0)
		return refuse(p, -EINVAL, p->nest[p->depth - 1].at, "a compound command is never closed");
	return 0;
}

int sp_shell_scan(const struct sp_buf *file, const char *var, struct sp_shell_sites *ret, struct sp_error **err)
{
	const char *s = file->len > 0 ? file->data : "", *nul = memchr(s, '\0', file->len);
	struct parser p = { .lex = { .s = s, .len = file->len, .var = var, .err = err }, .sites = ret };

	if (nul)
		return refuse(&p, -EINVAL, (size_t) (nul - s), "a NUL byte");
	int r = parse(&p);
	if (r == 0 && p.doubt)
		r = sp_error_set(err, -EOPNOTSUPP, "line %u: '%s' %s", sp_shell_line(s, p.doubt_at), var, p.doubt);
	if (r < 0)
		sp_shell_sites_clear(ret);
	return r;
}
