/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading INI files; see ini.h for the format and why the lines are checked before libinih. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h> /* libinih's; ours is the quoted one */
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ini.h"

#define KEY_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define SECTION_CHARS KEY_CHARS "."
#define BLANKS " \t"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* The strings of a setting that are not those of the one before; of a packed document, all. */
struct block {
	struct block *next;
	char text[];
};

struct ini_doc {
	struct ini_setting *settings;
	size_t count, size;
	struct block *blocks;
};

struct file_reader {
	struct ini_doc *doc;
	FILE *stream;
	const char *path;
	unsigned line;
	bool lost; /* after a bad header: to which section the settings belong is not known */
	int rc;    /* the first error */
	ini_error_fn *error;
	void *arg;
};

struct ini_doc *ini_doc_new(void)
{
	return calloc(1, sizeof(struct ini_doc));
}

static void free_blocks(struct block *block)
{
	struct block *next;

	for (; block; block = next) {
		next = block->next;
		free(block);
	}
}

void ini_doc_free(struct ini_doc *doc)
{
	if (!doc)
		return;
	free_blocks(doc->blocks);
	free(doc->settings);
	free(doc);
}

size_t ini_doc_count(const struct ini_doc *doc)
{
	return doc->count;
}

const struct ini_setting *ini_doc_get(const struct ini_doc *doc, size_t i)
{
	return &doc->settings[i];
}

static int doc_reserve(struct ini_doc *doc)
{
	size_t size = doc->size ? doc->size * 2 : 32;
	struct ini_setting *settings;

	if (doc->count < doc->size)
		return 0;
	settings = reallocarray(doc->settings, size, sizeof(*settings));
	if (!settings)
		return -ENOMEM;
	doc->settings = settings;
	doc->size = size;
	return 0;
}

/* Copies s with its NUL to *at and moves *at behind it. */
static const char *put_string(char **at, const char *s)
{
	char *copy = *at;
	size_t size = strlen(s) + 1;

	memcpy(copy, s, size);
	*at += size;
	return copy;
}

/* The string of the setting before that is the same, or NULL. */
static const char *same_string(const struct ini_doc *doc, size_t offset, const char *s)
{
	const char *last;

	if (doc->count == 0)
		return NULL;
	memcpy(&last, (const char *)&doc->settings[doc->count - 1] + offset, sizeof(last));
	return strcmp(last, s) == 0 ? last : NULL;
}

static int doc_append(struct ini_doc *doc, const struct ini_setting *s)
{
	const char *section = same_string(doc, offsetof(struct ini_setting, section), s->section);
	const char *file = same_string(doc, offsetof(struct ini_setting, file), s->file);
	size_t size = strlen(s->key) + strlen(s->value) + 2 +
		      (section ? 0 : strlen(s->section) + 1) + (file ? 0 : strlen(s->file) + 1);
	struct block *block = malloc(sizeof(*block) + size);
	int rc = block ? doc_reserve(doc) : -ENOMEM;
	char *at;

	if (rc < 0) {
		free(block);
		return rc;
	}
	block->next = doc->blocks;
	doc->blocks = block;
	at = block->text;
	doc->settings[doc->count++] = (struct ini_setting){
		.section = section ? section : put_string(&at, s->section),
		.key = put_string(&at, s->key),
		.value = put_string(&at, s->value),
		.file = file ? file : put_string(&at, s->file),
		.line = s->line,
	};
	return 0;
}

static size_t packed_size(const struct ini_doc *doc)
{
	size_t size = 0;

	for (size_t i = 0; i < doc->count; i++) {
		const struct ini_setting *s = &doc->settings[i], *last = i > 0 ? s - 1 : NULL;

		size += strlen(s->key) + strlen(s->value) + 2;
		if (!last || last->section != s->section)
			size += strlen(s->section) + 1;
		if (!last || last->file != s->file)
			size += strlen(s->file) + 1;
	}
	return size;
}

int ini_doc_pack(struct ini_doc *doc)
{
	struct block *block = malloc(sizeof(*block) + packed_size(doc));
	struct ini_setting *settings = calloc(doc->count ? doc->count : 1, sizeof(*settings));
	char *at;

	if (!block || !settings) {
		free(block);
		free(settings);
		return -ENOMEM;
	}
	block->next = NULL;
	at = block->text;
	for (size_t i = 0; i < doc->count; i++) {
		const struct ini_setting *s = &doc->settings[i], *last = i > 0 ? s - 1 : NULL;
		bool same_section = last && last->section == s->section;
		bool same_file = last && last->file == s->file;

		settings[i].section =
			same_section ? settings[i - 1].section : put_string(&at, s->section);
		settings[i].key = put_string(&at, s->key);
		settings[i].value = put_string(&at, s->value);
		settings[i].file = same_file ? settings[i - 1].file : put_string(&at, s->file);
		settings[i].line = s->line;
	}
	free_blocks(doc->blocks);
	free(doc->settings);
	doc->blocks = block;
	doc->settings = settings;
	doc->size = doc->count;
	return 0;
}

static bool has_control_character(const char *s)
{
	for (; *s; s++) {
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return true;
	}
	return false;
}

/* Would the value come back as it is from a line of its own? */
static bool value_is_clean(const char *value)
{
	size_t len = strlen(value);

	if (len > 0 && (strchr(BLANKS, value[0]) || strchr(BLANKS, value[len - 1])))
		return false;
	for (const char *p = value; (p = strchr(p, ';')); p++) {
		if (p > value && strchr(BLANKS, p[-1]))
			return false;
	}
	return !has_control_character(value);
}

int ini_doc_add(struct ini_doc *doc, const struct ini_setting *setting)
{
	size_t section = strlen(setting->section), key = strlen(setting->key);

	if (section > INI_SECTION_MAX || strspn(setting->section, SECTION_CHARS) != section ||
		key == 0 || strspn(setting->key, KEY_CHARS) != key ||
		key + 1 + strlen(setting->value) > INI_LINE_MAX || !value_is_clean(setting->value))
		return -EINVAL;
	return doc_append(doc, setting);
}

__attribute__((format(printf, 4, 5))) static void tell(
	struct file_reader *r, int rc, unsigned line, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (r->rc == 0)
		r->rc = rc;
	if (r->error)
		r->error(r->arg, r->path, line, text);
}

/* One line without its end into line, cut at size. False at the end of the file; *fault is what
 * is wrong with the line, or NULL. */
static bool read_line(FILE *stream, char *line, size_t size, const char **fault)
{
	size_t len = 0;
	int c;

	*fault = NULL;
	while ((c = getc_unlocked(stream)) != EOF && c != '\n') {
		if (len + 1 < size)
			line[len] = (char)c;
		len++;
		if (c == '\0')
			*fault = "NUL byte";
	}
	if (c == EOF && (len == 0 || ferror(stream)))
		return false;
	if (len > 0 && len < size && line[len - 1] == '\r')
		len--;
	line[len < size ? len : size - 1] = '\0';
	if (!*fault && len > INI_LINE_MAX)
		*fault = "line too long";
	return true;
}

static bool header_is_good(const char *line)
{
	size_t len = strspn(line + 1, SECTION_CHARS);
	const char *rest = line + 1 + len;

	if (len == 0 || len > INI_SECTION_MAX || *rest++ != ']')
		return false;
	len = strspn(rest, BLANKS);
	return rest[len] == '\0' || (len > 0 && rest[len] == ';');
}

/* What is wrong with a line that is neither blank nor a comment, or NULL. */
static const char *fault_of(const char *line)
{
	size_t key = strspn(line, KEY_CHARS);

	if (line[0] == '[')
		return header_is_good(line) ? NULL : "bad section header";
	if (key > 0 && line[key + strspn(line + key, BLANKS)] == '=')
		return NULL;
	return strchr(line, '=') ? "bad key" : "missing '='";
}

/* libinih's reader. Gives it good lines only, and without the blanks at their start. */
static char *next_good_line(char *out, int room, void *arg)
{
	struct file_reader *r = arg;
	char buf[INI_LINE_MAX + 3]; /* CR, one byte too many, NUL */
	const char *fault, *line;

	while (read_line(r->stream, buf, sizeof(buf), &fault)) {
		if (++r->line > INI_LINES_MAX) {
			tell(r, -EINVAL, r->line, "more than %d lines", INI_LINES_MAX);
			return NULL;
		}
		line = buf;
		if (r->line == 1 && strncmp(line, BYTE_ORDER_MARK, 3) == 0)
			line += 3;
		line += strspn(line, BLANKS);
		if (!fault && has_control_character(line))
			fault = "control character";
		if (!fault && (*line == '\0' || *line == '#' || *line == ';'))
			continue;
		if (!fault)
			fault = fault_of(line);
		/* An application may have set libinih's globals to a smaller room. */
		if (!fault && strlen(line) >= (size_t)room)
			fault = "line too long";
		if (*line == '[')
			r->lost = fault != NULL;
		if (!fault)
			return memcpy(out, line, strlen(line) + 1);
		tell(r, -EINVAL, r->line, "%s", fault);
	}
	if (ferror(r->stream))
		tell(r, -errno, 0, "%m");
	return NULL;
}

/* libinih's handler: 0 is an error. */
static int on_setting(void *arg, const char *section, const char *key, const char *value)
{
	struct file_reader *r = arg;
	const struct ini_setting setting = {section, key, value, r->path, r->line};
	int rc = r->lost ? 0 : doc_append(r->doc, &setting);

	if (rc < 0 && r->rc == 0)
		r->rc = rc;
	return rc == 0;
}

/* A stream of a regular file, or NULL with r->rc set. */
static FILE *open_regular(struct file_reader *r)
{
	/* Not to wait for the writer of a FIFO, nor to gain a terminal. */
	int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	FILE *stream = NULL;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		r->rc = -ENOENT;
	else if (fd < 0 || fstat(fd, &st) < 0)
		tell(r, -errno, 0, "%m");
	else if (!S_ISREG(st.st_mode))
		tell(r, -EINVAL, 0, "not a regular file");
	else if (!(stream = fdopen(fd, "r")))
		r->rc = -errno;
	if (!stream && fd >= 0)
		close(fd);
	return stream;
}

int ini_doc_read(struct ini_doc *doc, const char *path, ini_error_fn *error, void *arg)
{
	struct file_reader r = {.doc = doc, .path = path, .error = error, .arg = arg};
	int rc;

	r.stream = open_regular(&r);
	if (!r.stream)
		return r.rc;
	rc = ini_parse_stream(next_good_line, &r, on_setting, &r);
	if (rc != 0 && r.rc == 0)
		tell(&r, -EINVAL, 0, "libinih refuses it");
	fclose(r.stream);
	return r.rc;
}

static int is_dropin(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* By bytes: alphasort(3) would go by the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_dropin(
	struct ini_doc *doc, const char *dir, const char *name, ini_error_fn *error, void *arg)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	int rc;

	if (len < 0 || (size_t)len >= sizeof(path))
		rc = -ENAMETOOLONG;
	else
		rc = ini_doc_read(doc, path, error, arg);
	/* The name was there a moment ago: most likely a link that leads nowhere. */
	if ((rc == -ENOENT || rc == -ENAMETOOLONG) && error)
		error(arg, path, 0, rc == -ENOENT ? "does not exist" : "the path is too long");
	return rc;
}

int ini_doc_read_dropins(struct ini_doc *doc, const char *dir, ini_error_fn *error, void *arg)
{
	struct file_reader r = {.path = dir, .error = error, .arg = arg};
	struct dirent **names;
	int rc, n = scandir(dir, &names, is_dropin, by_name);

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0) {
		tell(&r, -errno, 0, "%m");
		return r.rc;
	}
	for (int i = 0; i < n; i++) {
		rc = read_dropin(doc, dir, names[i]->d_name, error, arg);
		if (r.rc == 0)
			r.rc = rc;
		free(names[i]);
	}
	free(names);
	return r.rc;
}
