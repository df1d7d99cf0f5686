/* A resolver that misbehaves on demand, preloaded by the tests into a client's process, or a proxy's.
 *
 * local*.test    is 127.0.0.1
 * hang*.test     does not return for 30 seconds
 * again*.test    fails five times with EAI_AGAIN, then is 127.0.0.1
 * dead6*.test    is ::1 first and 127.0.0.1 second
 * moves*.test    is 127.0.0.2 at first, 127.0.0.1 from the third call on
 * Every other name goes to the real getaddrinfo. Each call on a *.test name is written to the file that SHIM_LOG names.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*resolve_function)(const char*, const char*, const struct addrinfo*, struct addrinfo**);

static atomic_int calls;

static void note(const char* node) {
  const char* path = getenv("SHIM_LOG");
  if (path == NULL) return;
  int log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log < 0) return;
  char line[300];
  size_t size = strnlen(node, sizeof line - 1);
  memcpy(line, node, size);
  line[size] = '\n';
  if (write(log, line, size + 1) < 0) abort();
  close(log);
}

static int begins(const char* text, const char* with) { return strncmp(text, with, strlen(with)) == 0; }

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** result) {
  resolve_function real = (resolve_function)dlsym(RTLD_NEXT, "getaddrinfo");
  const int literal_only = hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0;
  if (node == NULL || literal_only || strstr(node, ".test") == NULL) return real(node, service, hints, result);
  note(node);
  int count = atomic_fetch_add(&calls, 1);
  if (begins(node, "hang")) {
    for (int second = 0; second < 30; ++second) sleep(1);
    return EAI_AGAIN;
  }
  if (begins(node, "local")) return real("127.0.0.1", service, hints, result);
  if (begins(node, "again")) {
    return count < 5 ? EAI_AGAIN : real("127.0.0.1", service, hints, result);
  }
  if (begins(node, "moves")) {
    return real(count < 2 ? "127.0.0.2" : "127.0.0.1", service, hints, result);
  }
  if (begins(node, "dead6")) {
    struct addrinfo *six = NULL, *four = NULL;
    if (real("::1", service, hints, &six) != 0) return real("127.0.0.1", service, hints, result);
    if (real("127.0.0.1", service, hints, &four) == 0) {
      struct addrinfo* last = six;
      while (last->ai_next != NULL) last = last->ai_next;
      last->ai_next = four;
    }
    *result = six;
    return 0;
  }
  return EAI_NONAME;
}
