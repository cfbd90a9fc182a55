/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal.h"
#include "read_file.h"

/* A file is large when it has more than this, and more than so much for each registration. */
#define LARGE_MIN 65536u
#define LARGE_PER_ENTRY 256u

static void file_close(struct journal_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct journal_file){.fd = -1};
}

void journal_init(struct journal *journal, const struct state_id *id)
{
	*journal = (struct journal){.id = *id, .now.fd = -1, .next.fd = -1};
}

void journal_close(struct journal *journal)
{
	file_close(&journal->now);
	file_close(&journal->next);
}

static void file_cut(struct journal_file *f, uint64_t size)
{
	if (ftruncate(f->fd, (off_t)size) < 0)
		f->torn = true;
	else
		f->size = size;
}

/* All or nothing. */
static int file_append(struct journal_file *f, const uint8_t *data, size_t len)
{
	size_t done = 0;
	ssize_t n;
	int rc = 0;

	if (f->torn)
		return -EIO;
	if (f->size + len > STATE_FILE_MAX)
		return -EFBIG;
	while (!rc && done < len) {
		n = write(f->fd, data + done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			rc = n < 0 ? -errno : -EIO;
	}
	if (!rc)
		f->size += len;
	else if (done)
		file_cut(f, f->size);
	return rc;
}

static int replay_file(struct journal *journal, int fd, struct regs *regs, struct journal_end *end)
{
	uint8_t *data;
	size_t len;
	int rc = read_file_fd(fd, STATE_FILE_MAX, &data, &len);

	if (rc)
		return rc;
	rc = journal_replay(data, len, &journal->id, regs, end);
	free(data);
	return rc;
}

int journal_load(struct journal *journal, int fd, struct regs *regs, struct journal_end *end)
{
	struct journal_end found;
	int rc = lseek(fd, 0, SEEK_SET) < 0 ? -errno : replay_file(journal, fd, regs, &found);

	if (rc) {
		regs_clear(regs);
		return rc;
	}
	journal->now = (struct journal_file){fd, found.offset, false};
	if (found.why)
		file_cut(&journal->now, found.offset);
	*end = found;
	return 0;
}

int journal_append(struct journal *journal, const struct regs_change *change)
{
	uint8_t bytes[STATE_HEADER_MAX + JOURNAL_RECORD_MAX];
	struct journal_file before = journal->now;
	struct buf_writer w;
	size_t header;
	int rc;

	if (journal->now.fd < 0)
		return -EIO;
	buf_writer_init(&w, bytes, sizeof(bytes));
	/* Many VSs have nothing to say, and an empty file takes no memory: the header comes with
	 * the first record. */
	if (!journal->now.size)
		state_put_header(&w, &journal->id);
	header = w.len;
	journal_put(&w, change);
	if (w.failed)
		return -EIO;
	rc = file_append(&journal->now, bytes, w.len);
	if (rc || journal->next.fd < 0)
		return rc;
	rc = file_append(&journal->next, bytes + header, w.len - header);
	if (rc)
		file_cut(&journal->now, before.size);
	return rc;
}

bool journal_is_large(const struct journal *journal, size_t alive)
{
	return journal->now.size > LARGE_MIN + LARGE_PER_ENTRY * (uint64_t)alive;
}

int journal_begin_next(struct journal *journal, int fd, const struct regs *regs)
{
	size_t room = STATE_HEADER_MAX + regs_count(regs) * JOURNAL_RECORD_MAX;
	struct journal_file next = {.fd = fd};
	uint8_t *data = malloc(room);
	struct buf_writer w;
	int rc;

	if (!data)
		return -ENOMEM;
	buf_writer_init(&w, data, room);
	state_put_header(&w, &journal->id);
	journal_put_all(&w, regs);
	rc = w.failed ? -EMSGSIZE : file_append(&next, data, w.len);
	free(data);
	if (rc)
		return rc;
	file_close(&journal->next);
	journal->next = next;
	return 0;
}

void journal_end_next(struct journal *journal, int error)
{
	if (journal->next.fd < 0)
		return;
	if (error) {
		file_close(&journal->next);
		return;
	}
	file_close(&journal->now);
	journal->now = journal->next;
	journal->next = (struct journal_file){.fd = -1};
}

void journal_lost(struct journal *journal)
{
	file_close(&journal->next);
	journal->now.torn = true;
}
