/* SPDX-License-Identifier: MIT */
#include "targets.h"

const struct fuzz_target *const fuzz_targets[] = {
	&fuzz_cmdline,	 &fuzz_bls,    &fuzz_block,   &fuzz_plain,	&fuzz_shellvar, &fuzz_grubcfg, &fuzz_dropins, &fuzz_anonymise,
	&fuzz_values, &fuzz_catalogue, &fuzz_journal, &fuzz_state, &fuzz_luks2,	 &fuzz_machine, &fuzz_pe,
	&fuzz_cpio,	 NULL,
};
