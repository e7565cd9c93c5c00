/* SPDX-License-Identifier: MIT */
/*
 * The calls that change a disk, each with its return value looked at and
 * EINTR handled. Everything takes a directory descriptor that was opened
 * inside a root, and a plain name in it, so no path is walked twice.
 *
 * All return 0 (or a descriptor) or a negative errno; callers add the words.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/root.h"
#include "base/str.h"

/* A new file for writing; -EEXIST when anything has that name. */
int sp_durable_create(int dirfd, const char *name, mode_t mode) sp_must_check;
/* An existing or new file to append to; no link is followed. */
int sp_durable_open_append(int dirfd, const char *name, mode_t mode) sp_must_check;
/* The same of a file that must be there. */
int sp_durable_reopen(int dirfd, const char *name) sp_must_check;
/* All of it, whatever short writes and signals do. */
int sp_durable_write(int fd, const void *data, size_t len) sp_must_check;
/* Reserve space so that a full disk is seen before anything is published; a file system without it is fine. */
int sp_durable_reserve(int fd, size_t len) sp_must_check;
int sp_durable_sync(int fd) sp_must_check;	  /* file or directory */
int sp_durable_sync_fs(int fd) sp_must_check;	  /* the whole file system that fd is on */
int sp_durable_close(int *fd) sp_must_check;	  /* sets it to -1; reports what close(2) says */

/* Swap two names; -EINVAL or -ENOSYS where the file system cannot. */
int sp_durable_exchange(int dirfd, const char *a, const char *b) sp_must_check;
/* Rename; -EEXIST when the new name is taken. Atomic where the file system can, else looked at first. */
int sp_durable_rename_new(int dirfd, const char *from, const char *to) sp_must_check;
int sp_durable_rename_over(int dirfd, const char *from, const char *to) sp_must_check;
int sp_durable_unlink(int dirfd, const char *name) sp_must_check; /* a missing name is fine */
int sp_durable_rmdir(int dirfd, const char *name) sp_must_check;  /* none, not empty, in use: fine */
int sp_durable_mkdir(int dirfd, const char *name, mode_t mode) sp_must_check; /* an existing one is fine */
int sp_durable_symlink(const char *text, int dirfd, const char *name) sp_must_check;

/*
 * Replace a small file of ours by renaming a temporary ".NAME.strix-tmp". Synced now, a crash leaves the old or the new
 * one; later is for what is made anew after a crash: until the caller has synced the file system, it may be empty then.
 */
enum sp_sync { SP_SYNC_NOW, SP_SYNC_LATER };
int sp_durable_replace(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		       enum sp_sync sync) sp_must_check;

/* Write to a file that is there and is not a file on a disk (/proc/sys, sysfs): one write(2). */
int sp_durable_poke(const struct sp_root *root, const char *path, const char *text) sp_must_check;
