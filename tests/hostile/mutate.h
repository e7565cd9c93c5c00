/* SPDX-License-Identifier: MIT */
/* JSON with one value of it replaced by a hostile one, or left out. */
#pragma once

#include <jansson.h>

#include "hostile.h"

extern const size_t n_hostile_values;
size_t count_values(const json_t *json);
/* A copy in which the nth value has become the hostile value `which`; NULL: there is none. */
json_t *mutated(const json_t *from, size_t value, size_t which);
