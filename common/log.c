/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "parse.h"

#define LINE_MAX_BYTES 1024

/* The suite's one mutable global; see log.h. */
static struct {
	const char *program;
	int level;
	bool journal;
} sink = {.program = "nsaux", .level = LOG_NOTICE};

/* Is standard error the stream whose "device:inode" the service manager told? */
static bool is_journal(const char *stream)
{
	char device[32];
	const char *colon = stream ? strchr(stream, ':') : NULL;
	uint64_t dev, ino;
	struct stat st;

	if (!colon || (size_t)(colon - stream) >= sizeof(device))
		return false;
	memcpy(device, stream, (size_t)(colon - stream));
	device[colon - stream] = '\0';
	return parse_u64(device, 0, UINT64_MAX, &dev) == 0 &&
	       parse_u64(colon + 1, 0, UINT64_MAX, &ino) == 0 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_open(const char *program, int level)
{
	sink.program = program;
	sink.level = level;
	sink.journal = is_journal(getenv("JOURNAL_STREAM"));
}

void log_set_level(int level)
{
	sink.level = level;
}

bool log_wants(int level)
{
	return level <= sink.level;
}

static const char *level_name(int level)
{
	switch (level) {
	case LOG_ERR:
		return "error";
	case LOG_WARNING:
		return "warning";
	case LOG_NOTICE:
		return "notice";
	case LOG_INFO:
		return "info";
	case LOG_DEBUG:
		return "debug";
	default:
		return "critical";
	}
}

/* What stands before the text. Returns its length. */
static size_t put_prefix(char *line, size_t size, int level)
{
	struct timespec ts;
	struct tm tm;
	size_t len;

	if (sink.journal)
		return (size_t)snprintf(line, size, "<%d>", level);
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	len += (size_t)snprintf(line + len, size - len,
		".%03uZ %.64s: %s: ", (unsigned)(ts.tv_nsec / 1000000), sink.program,
		level_name(level));
	return len;
}

static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
	}
}

void log_msg(int level, const char *vs, const char *format, ...)
{
	int saved_errno = errno;
	char line[LINE_MAX_BYTES];
	size_t text, len;
	ssize_t written;
	va_list ap;

	if (!log_wants(level))
		return;
	text = put_prefix(line, sizeof(line), level);
	len = text;
	if (vs)
		len += (size_t)snprintf(line + len, sizeof(line) - len, "VS %.128s: ", vs);
	va_start(ap, format);
	errno = saved_errno; /* for %m */
	vsnprintf(line + len, sizeof(line) - len, format, ap);
	va_end(ap);
	make_printable(line + text);
	len += strlen(line + len);
	line[len++] = '\n'; /* in the place of the NUL */
	/* A line that cannot be written is lost: there is nobody left to tell. */
	written = write(STDERR_FILENO, line, len);
	(void)written;
	errno = saved_errno;
}

/* next is when a bucket drained so far is full again; burst messages put it burst intervals
 * ahead of now, and no further. */
bool log_limit_ok(struct log_limit *limit, uint64_t now, uint64_t *dropped)
{
	uint64_t full = limit->next > now ? limit->next : now;
	uint64_t room;

	if (__builtin_mul_overflow(limit->interval, limit->burst, &room))
		room = UINT64_MAX;
	if (limit->burst == 0 || room < limit->interval || full - now > room - limit->interval) {
		limit->dropped++;
		return false;
	}
	limit->next = full > UINT64_MAX - limit->interval ? UINT64_MAX : full + limit->interval;
	*dropped = limit->dropped;
	limit->dropped = 0;
	return true;
}
