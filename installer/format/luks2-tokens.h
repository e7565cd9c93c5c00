/* SPDX-License-Identifier: MIT */
/* Inside format/luks2: its tokens, a JSON object of objects. What is not understood is no seal of a TPM. */
#pragma once

#include <jansson.h>

#include "format/luks2.h"

void sp_luks2_tokens(const json_t *tokens, struct sp_seals *ret);
