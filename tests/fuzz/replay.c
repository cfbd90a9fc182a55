/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target on files instead of under libFuzzer: those given, and those in the
 * directories given; without arguments those of the corpus named CORPUS. Reports in TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX (1024 * 1024)

struct names {
	char **name;
	size_t count;
};

static void fatal(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void add(struct names *names, const char *name)
{
	char **grown = realloc(names->name, (names->count + 1) * sizeof(*grown));

	if (!grown)
		fatal("realloc");
	names->name = grown;
	grown[names->count] = strdup(name);
	if (!grown[names->count++])
		fatal("strdup");
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void add_dir(struct names *names, const char *dir)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n = scandir(dir, &entries, visible, alphasort);

	if (n < 0)
		fatal(dir);
	for (int i = 0; i < n; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name) <
			sizeof(path))
			add(names, path);
		free(entries[i]);
	}
	free(entries);
}

static void add_any(struct names *names, const char *name)
{
	struct stat st;

	if (stat(name, &st) < 0)
		fatal(name);
	if (S_ISDIR(st.st_mode))
		add_dir(names, name);
	else
		add(names, name);
}

static void add_corpus(struct names *names)
{
	const char *top = getenv("top_srcdir");
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/" CORPUS, top ? top : ".") >=
		sizeof(path))
		fatal("top_srcdir");
	add_dir(names, path);
}

/* In memory of the input's very size, so that a sanitizer sees each step beyond it. */
static void run(const char *name)
{
	FILE *file = fopen(name, "rb");
	uint8_t *all = malloc(INPUT_MAX), *exact;
	size_t size;

	if (!file || !all)
		fatal(name);
	size = fread(all, 1, INPUT_MAX, file);
	if (ferror(file))
		fatal(name);
	fclose(file);
	exact = malloc(size ? size : 1);
	if (!exact)
		fatal(name);
	memcpy(exact, all, size);
	free(all);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

int main(int argc, char **argv)
{
	struct names names = {NULL, 0};

	for (int i = 1; i < argc; i++)
		add_any(&names, argv[i]);
	if (argc < 2)
		add_corpus(&names);
	if (names.count == 0) {
		puts("Bail out! no input");
		return 1;
	}
	printf("1..%zu\n", names.count);
	for (size_t i = 0; i < names.count; i++) {
		const char *slash = strrchr(names.name[i], '/');

		fflush(stdout);
		run(names.name[i]);
		printf("ok %zu - %s\n", i + 1, slash ? slash + 1 : names.name[i]);
		free(names.name[i]);
	}
	free(names.name);
	return 0;
}
