/* SPDX-License-Identifier: MIT */
/*
 * The configuration that booster puts into its images (etc/booster.init.yaml, made by its generator from struct InitConfig of
 * booster's init/config.go): modprobe.d is not copied, but what it said is kept by module. Pure.
 */
#pragma once

#include "base/str.h"

#define SP_BOOSTER_MEMBER "etc/booster.init.yaml"

/* Its options of modules as `options` lines of a modprobe.d file; none: empty. */
void sp_booster_options(const struct sp_buf *yaml, struct sp_buf *ret);
