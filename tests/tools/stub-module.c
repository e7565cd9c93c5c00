/* SPDX-License-Identifier: MIT */
/* stub-module PARAMETER...: print a kernel module that has these parameters and does nothing. */
#include <stdio.h>

#include "format/modinfo.h"

int main(int argc, char **argv)
{
	sp_autostrv struct sp_strv parms = { 0 };
	sp_autobuf struct sp_buf stub = { 0 };

	for (int i = 1; i < argc; i++)
		sp_strv_add(&parms, argv[i]);
	sp_modinfo_stub(&parms, &stub);
	return fwrite(stub.data, 1, stub.len, stdout) == stub.len && fflush(stdout) == 0 ? 0 : 1;
}
