/* SPDX-License-Identifier: MIT */
/*
 * What the administrator chose: from the command line, from
 * /etc/strix-provision.conf, or what an earlier apply recorded. One struct for
 * all three; sp_selection_merge() lets the first win.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/root.h"
#include "base/str.h"
#include "catalog/catalog.h"

enum sp_uma { SP_UMA_UNSET, SP_UMA_KEEP, SP_UMA_SIZE, SP_UMA_BY_HAND };

/* In `with` it is no setting of the catalogue: the initramfs image is built anew, too. */
#define SP_WITH_INITRAMFS "initramfs"

struct sp_selection {
	bool given;	 /* any of it was said: a recorded selection is then replaced whole */
	char *profile;	 /* NULL: default */
	struct sp_strv with, without, replace; /* ids */
	uint64_t gtt_mib;	   /* 0: auto */
	uint64_t host_reserve_mib; /* 0: not said */
	enum sp_uma uma;
	uint64_t uma_mib;
	bool any_platform;
	struct sp_override *overrides; /* configuration only */
	size_t n_overrides;
	struct sp_strv origins; /* configuration only: "with thp", "/etc/strix-provision.conf:7", and so on in pairs */
};
void sp_selection_clear(struct sp_selection *s);
#define sp_autoselection sp_cleanup(sp_selection_clear)
void sp_selection_copy(struct sp_selection *to, const struct sp_selection *from); /* to is empty */
/* Where the configuration says so: "file:line" of `gtt` and its MiB, of `with` and an id, ...; NULL: it does not. */
const char *sp_selection_origin(const struct sp_selection *s, const char *key, const char *value);
json_t *sp_selection_to_json(const struct sp_selection *s);
int sp_selection_from_json(const json_t *json, struct sp_selection *ret, struct sp_error **err) sp_must_check;
/* Every id and the profile exist in the catalogue; -EINVAL, exit SP_EXIT_USAGE, with the nearest name as hint. */
int sp_selection_check(const struct sp_selection *s, const struct sp_catalog *c, struct sp_error **err) sp_must_check;

struct sp_config {
	struct sp_selection selection;
	uint64_t package_manager_wait; /* seconds to wait for apt, dnf, pacman to finish; 120 by default */
};
/*
 * Read the configuration. `path` NULL: /etc/strix-provision.conf of the root, which may be missing (all defaults);
 * otherwise a file of the running system (--config), which must be there. Mistakes: "file:line: ...", SP_EXIT_USAGE.
 */
int sp_config_load(const struct sp_root *root, const char *path, struct sp_config *ret, struct sp_error **err) sp_must_check;
void sp_config_clear(struct sp_config *c);
#define sp_autoconfig sp_cleanup(sp_config_clear)

/*
 * "59G", "60416M", "512 MB", "4GiB": binary, result in MiB, more than nothing; -EINVAL with a message that shows the
 * forms, SP_EXIT_USAGE.
 */
int sp_size_parse(const char *text, uint64_t *ret_mib, struct sp_error **err) sp_must_check;
