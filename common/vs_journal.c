/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32.h"
#include "state_file.h"
#include "vs_journal.h"
#include "vsdir.h"
#include "vsreg.h"

#define SUFFIX ".vs"
#define NEW_NAME ".new"
#define NAME_SIZE (VS_NAME_MAX + sizeof(SUFFIX))

struct vs_journal {
	int dir;
	/* The file that was written last, which is most likely the next one too. */
	int last;
	char last_file[NAME_SIZE];
	bool is_writer;
	uint64_t boot[2];
	struct vs_entry *entries;
	vs_journal_log_fn *log;
	void *arg;
};

void vs_entry_free(struct vs_entry *entry)
{
	if (!entry)
		return;
	free(entry->ns);
	free(entry);
}

static struct vs_entry *entry_new(const char *name, const char *ns)
{
	size_t size = strlen(name) + 1;
	struct vs_entry *entry = calloc(1, sizeof(*entry) + size);

	if (!entry)
		return NULL;
	memcpy(entry->name, name, size);
	entry->ns = strdup(ns);
	if (!entry->ns) {
		free(entry);
		return NULL;
	}
	return entry;
}

void vs_entry_encode(struct buf_writer *w, const uint64_t boot[2], const char *name,
	const struct vs_entry *values)
{
	const struct state_id id = {{boot[0], boot[1]}, values->cookie, NULL};
	size_t start = w->len;

	state_put_header(w, &id);
	buf_put_u8(w, (uint8_t)values->state);
	buf_put_u8(w, values->made_namespace);
	buf_put_str(w, name);
	buf_put_str(w, values->ns);
	if (!w->failed)
		buf_put_u32(w, crc32_add(0, w->base + start, w->len - start));
}

int vs_entry_decode(const void *bytes, size_t len, const uint64_t boot[2], struct vs_entry **entry)
{
	struct buf_reader r;
	struct vs_entry *e;
	struct state_id id;
	const char *name, *ns;
	uint8_t state, made;
	size_t sum;

	buf_reader_init(&r, bytes, len);
	if (state_get_header(&r, &id) < 0)
		return -EPROTO;
	if (id.boot[0] != boot[0] || id.boot[1] != boot[1])
		return -ESTALE;
	state = buf_get_u8(&r);
	made = buf_get_u8(&r);
	name = buf_get_str(&r, VS_NAME_MAX);
	ns = buf_get_str(&r, VS_ENTRY_NS_MAX);
	sum = len - r.left;
	if (buf_get_u32(&r) != crc32_add(0, bytes, sum) || !buf_reader_done(&r) ||
		state < VS_ENTRY_MAKING || state > VS_ENTRY_REMOVING || made > 1 ||
		!vs_name_is_good(name))
		return -EPROTO;
	e = entry_new(name, ns);
	if (!e)
		return -ENOMEM;
	e->state = (enum vs_entry_state)state;
	e->made_namespace = made;
	e->cookie = id.cookie;
	*entry = e;
	return 0;
}

/* Nobody else may have had a hand in what is there. */
static int check_dir(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}

static int open_dir(const char *dir, bool make)
{
	int fd, rc;

	if (make && mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = check_dir(fd);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int read_entry(struct vs_journal *journal, const char *file, struct vs_entry **entry)
{
	int fd = openat(journal->dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t bytes[VS_ENTRY_MAX + 1];
	ssize_t n;
	int rc;

	if (fd < 0)
		return -errno;
	n = read(fd, bytes, sizeof(bytes));
	rc = n < 0 ? -errno : n == 0 ? -ENODATA : 0;
	close(fd);
	return rc < 0 ? rc : vs_entry_decode(bytes, (size_t)n, journal->boot, entry);
}

/* The name in the file must be that of the file: a copy of another one is no entry. */
static int take_entry(struct vs_journal *journal, const char *file, size_t len)
{
	struct vs_entry *entry;
	int rc = read_entry(journal, file, &entry);

	if (rc < 0)
		return rc;
	if (strlen(entry->name) != len || memcmp(entry->name, file, len) != 0) {
		vs_entry_free(entry);
		return -EPROTO;
	}
	HASH_ADD_STR(journal->entries, name, entry);
	if (!entry->hh.tbl) {
		vs_entry_free(entry);
		return -ENOMEM;
	}
	return 0;
}

static int take_file(struct vs_journal *journal, const char *file)
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);
	int rc;

	if (strcmp(file, NEW_NAME) == 0)
		return journal->is_writer && unlinkat(journal->dir, file, 0) < 0 ? -errno : 0;
	if (file[0] == '.' || len <= suffix || strcmp(file + len - suffix, SUFFIX) != 0)
		return 0;
	rc = take_entry(journal, file, len - suffix);
	/* It may be a good one, and is not to be forgotten over that. */
	if (rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE || rc == -EIO) {
		journal->log(journal->arg, file, strerror(-rc));
		return rc;
	}
	/* Of another boot, or not yet written: nothing was done then. */
	if ((rc == -ESTALE || rc == -ENODATA) && journal->is_writer)
		unlinkat(journal->dir, file, 0);
	else if (rc < 0 && rc != -ESTALE && rc != -ENODATA && rc != -ENOENT)
		journal->log(journal->arg, file,
			rc == -EPROTO ? "is damaged, and not believed" : strerror(-rc));
	return 0;
}

static int take_files(struct vs_journal *journal)
{
	int fd = openat(journal->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (!stream) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == 0 && (e = readdir(stream)))
		rc = take_file(journal, e->d_name);
	closedir(stream);
	return rc;
}

int vs_journal_open(struct vs_journal **journal, const char *dir, bool is_writer,
	vs_journal_log_fn *log, void *arg)
{
	struct vs_journal *j = calloc(1, sizeof(*j));
	int rc;

	if (!j)
		return -ENOMEM;
	j->log = log;
	j->arg = arg;
	j->last = -1;
	j->is_writer = is_writer;
	j->dir = open_dir(dir, is_writer);
	rc = j->dir < 0 ? j->dir : state_boot_id(j->boot);
	if (rc == 0)
		rc = take_files(j);
	if (rc < 0) {
		vs_journal_close(j);
		return rc;
	}
	*journal = j;
	return 0;
}

void vs_journal_close(struct vs_journal *journal)
{
	struct vs_entry *entry, *next;

	if (!journal)
		return;
	HASH_ITER(hh, journal->entries, entry, next) {
		HASH_DEL(journal->entries, entry);
		vs_entry_free(entry);
	}
	if (journal->last >= 0)
		close(journal->last);
	if (journal->dir >= 0)
		close(journal->dir);
	free(journal);
}

struct vs_entry *vs_journal_entries(const struct vs_journal *journal)
{
	return journal ? journal->entries : NULL;
}

struct vs_entry *vs_journal_find(const struct vs_journal *journal, const char *name)
{
	struct vs_entry *entry = NULL;

	if (journal)
		HASH_FIND_STR(journal->entries, name, entry);
	return entry;
}

static int file_of(char *file, const char *name)
{
	int n = snprintf(file, NAME_SIZE, "%s" SUFFIX, name);

	return n < 0 || (size_t)n >= NAME_SIZE ? -ENAMETOOLONG : 0;
}

static int write_all(int fd, const void *bytes, size_t len)
{
	ssize_t n = pwrite(fd, bytes, len, 0);

	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -ENOSPC;
}

static int open_last(struct vs_journal *journal, const char *file, int flags)
{
	if (journal->last >= 0 && strcmp(journal->last_file, file) == 0)
		return 0;
	if (journal->last >= 0)
		close(journal->last);
	journal->last = openat(
		journal->dir, file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
	if (journal->last < 0)
		return -errno;
	snprintf(journal->last_file, sizeof(journal->last_file), "%s", file);
	return 0;
}

static int replace_file(struct vs_journal *journal, const char *file, const void *bytes, size_t len)
{
	int fd = openat(journal->dir, NEW_NAME,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write_all(fd, bytes, len);
	close(fd);
	if (rc == 0 && renameat(journal->dir, NEW_NAME, journal->dir, file) < 0)
		rc = -errno;
	if (journal->last >= 0)
		close(journal->last);
	journal->last = -1;
	return rc;
}

/* A few bytes in one write(2) are all there or none, whatever ends the process; only the end of the
 * machine could divide them, and the next boot does not believe the file. A shorter text in the
 * place of a longer one would leave its end. */
static int write_file(struct vs_journal *journal, const char *file, const struct vs_entry *old,
	const void *bytes, size_t len, const char *ns)
{
	int rc;

	if (old && strlen(old->ns) != strlen(ns))
		return replace_file(journal, file, bytes, len);
	rc = open_last(journal, file, old ? 0 : O_TRUNC); /* what is there was not believed */
	return rc < 0 ? rc : write_all(journal->last, bytes, len);
}

int vs_journal_put(struct vs_journal *journal, const char *name, const struct vs_entry *values)
{
	struct vs_entry *entry, *old = vs_journal_find(journal, name);
	uint8_t bytes[VS_ENTRY_MAX];
	char file[NAME_SIZE];
	struct buf_writer w;
	int rc = file_of(file, name);

	buf_writer_init(&w, bytes, sizeof(bytes));
	vs_entry_encode(&w, journal->boot, name, values);
	if (rc < 0 || w.failed)
		return rc < 0 ? rc : -ENAMETOOLONG;
	rc = vs_entry_decode(bytes, w.len, journal->boot, &entry);
	if (rc < 0)
		return rc == -ENOMEM ? rc : -EINVAL;
	rc = write_file(journal, file, old, bytes, w.len, values->ns);
	if (rc < 0) {
		vs_entry_free(entry);
		return rc;
	}
	if (old)
		HASH_DEL(journal->entries, old);
	vs_entry_free(old);
	HASH_ADD_STR(journal->entries, name, entry);
	if (entry->hh.tbl)
		return 0;
	vs_entry_free(entry);
	return -ENOMEM;
}

int vs_journal_remove(struct vs_journal *journal, const char *name)
{
	struct vs_entry *entry = vs_journal_find(journal, name);
	char file[NAME_SIZE];
	int rc = file_of(file, name);

	if (rc < 0 || (unlinkat(journal->dir, file, 0) < 0 && errno != ENOENT))
		return rc < 0 ? rc : -errno;
	if (journal->last >= 0)
		close(journal->last);
	journal->last = -1;
	if (entry)
		HASH_DEL(journal->entries, entry);
	vs_entry_free(entry);
	return 0;
}
