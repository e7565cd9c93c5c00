/* SPDX-License-Identifier: MIT */
/* A small mutator, the same on every machine: for where there is no libFuzzer, and beside its own. */
#include "fuzz.h"

/* xorshift64 (Marsaglia 2003) */
size_t fuzz_below(struct fuzz_random *r, size_t n)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return n ? (size_t) (r->state % n) : 0;
}

static void splice(struct sp_buf *b, size_t at, size_t drop, const void *data, size_t len)
{
	struct sp_buf out = { 0 };

	sp_buf_add(&out, b->data, at);
	sp_buf_add(&out, data, len);
	sp_buf_add(&out, b->data + at + drop, b->len - at - drop);
	sp_buf_clear(b);
	*b = out;
}

/* A run that is short, mostly. */
static size_t run_length(struct fuzz_random *r, size_t max)
{
	size_t n = 1 + fuzz_below(r, fuzz_below(r, 4) ? 8 : 200);

	return n < max ? n : max;
}

static void put_byte(struct fuzz_random *r, struct sp_buf *b)
{
	static const char bytes[] = " \t\n\r\"'\\$`#;=|&(){}<>[]%@/.:,+-_*?!~0129aAxXzZ\0\x7f\x80\xff";
	char c = fuzz_below(r, 3) ? bytes[fuzz_below(r, sizeof(bytes))] : (char) fuzz_below(r, 256);
	size_t at = fuzz_below(r, b->len + 1);

	splice(b, at, at < b->len && fuzz_below(r, 2), &c, 1);
}

static void flip_bit(struct fuzz_random *r, struct sp_buf *b)
{
	if (b->len)
		b->data[fuzz_below(r, b->len)] ^= (char) (1 << fuzz_below(r, 8));
}

static void drop_run(struct fuzz_random *r, struct sp_buf *b)
{
	size_t at = fuzz_below(r, b->len);

	if (b->len)
		splice(b, at, run_length(r, b->len - at), NULL, 0);
}

static void copy_run(struct fuzz_random *r, struct sp_buf *b, const struct sp_buf *from)
{
	size_t at = fuzz_below(r, from->len), to = fuzz_below(r, b->len + 1);
	size_t n = run_length(r, from->len - at);
	sp_autobuf struct sp_buf run = { 0 };

	if (!from->len)
		return;
	sp_buf_add(&run, from->data + at, n);
	splice(b, to, fuzz_below(r, 2) && b->len - to >= n ? n : 0, run.data, n);
}

static void put_word(struct fuzz_random *r, struct sp_buf *b, const char *const *words)
{
	size_t n = 0;

	while (words && words[n])
		n++;
	if (n) {
		const char *word = words[fuzz_below(r, n)];

		splice(b, fuzz_below(r, b->len + 1), 0, word, strlen(word));
	}
}

void fuzz_mutate(struct fuzz_random *r, struct sp_buf *input, const struct sp_buf *other, const char *const *words,
		 size_t max)
{
	sp_buf_add(input, "", 0);
	for (size_t n = 1 + fuzz_below(r, 6); n > 0; n--)
		switch (fuzz_below(r, 8)) {
		case 0:
		case 1:
			put_byte(r, input);
			break;
		case 2:
			flip_bit(r, input);
			break;
		case 3:
			drop_run(r, input);
			break;
		case 4:
			copy_run(r, input, input);
			break;
		case 5:
			copy_run(r, input, other);
			break;
		default:
			put_word(r, input, words);
		}
	if (input->len > max)
		splice(input, max, input->len - max, NULL, 0);
}
