/* An allocator that fails when it is told to: one allocation of one call, or all from that one on.
 *
 * install() wraps Python's three allocators. Where the library is preloaded, malloc and its relatives are wrapped as well, so
 * that what C++ code takes is counted, too; an allocation of Python's that goes on to malloc counts once. Needs glibc, whose
 * malloc has a second name. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static __thread long counted = -1; /* allocations of this thread since the call began; -1 = none is running */
static __thread long failing;      /* the number of the one that fails */
static __thread int all_after;     /* and those after it */
static __thread int inside;        /* in one of Python's allocators, which may ask malloc */

static int fails(void) {
  if (counted < 0 || inside) return 0;
  long number = counted++;
  return number == failing || (all_after && number > failing);
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }

static PyMemAllocatorEx wrapped[3];

#define WRAPPED(call)                \
  PyMemAllocatorEx *to = context;    \
  void *made = NULL;                 \
  if (!fails()) {                    \
    ++inside;                        \
    made = call;                     \
    --inside;                        \
  }                                  \
  return made;

static void *python_malloc(void *context, size_t size) { WRAPPED(to->malloc(to->ctx, size)) }
static void *python_calloc(void *context, size_t count, size_t size) { WRAPPED(to->calloc(to->ctx, count, size)) }
static void *python_realloc(void *context, void *old, size_t size) { WRAPPED(to->realloc(to->ctx, old, size)) }
static void python_free(void *context, void *old) {
  PyMemAllocatorEx *to = context;
  to->free(to->ctx, old);
}

void install(void) {
  PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
  for (int i = 0; i < 3; ++i) {
    PyMem_GetAllocator(domains[i], &wrapped[i]);
    PyMemAllocatorEx mine = {&wrapped[i], python_malloc, python_calloc, python_realloc, python_free};
    PyMem_SetAllocator(domains[i], &mine);
  }
}

/* Calls it with its arguments while the allocation of that number fails. */
PyObject *call_failing(PyObject *callable, PyObject *arguments, long number, int and_all_after) {
  failing = number;
  all_after = and_all_after;
  counted = 0;
  PyObject *result = PyObject_Call(callable, arguments, NULL);
  failing = counted;
  counted = -1;
  return result;
}

/* How many allocations the last call made. */
long allocations(void) { return failing; }
