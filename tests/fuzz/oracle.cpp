// The interpreter's settings, and the comparison of what two readers made of a text; see oracle.hpp.
#include "oracle.hpp"

#include <sanitizer/lsan_interface.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fastws::fuzz {

namespace {

void check(const PyStatus& status) {
  if (PyStatus_Exception(status) != 0) Py_ExitStatusException(status);
}

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "fuzz: %s\n", what);
  if (PyErr_Occurred() != nullptr) PyErr_Print();
  std::abort();
}

std::string shown(PyObject* object) {
  if (object == nullptr) return "nothing";
  const Owned text(PyObject_ASCII(object));
  const char* const ascii = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  if (ascii != nullptr) return ascii;
  PyErr_Clear();  // what is nested too deeply has no repr()
  return Py_TYPE(object)->tp_name;
}

bool same_objects(PyObject* one, PyObject* other);

bool same_floats(PyObject* one, PyObject* other) {
  const double values[] = {PyFloat_AS_DOUBLE(one), PyFloat_AS_DOUBLE(other)};
  return std::memcmp(&values[0], &values[1], sizeof(double)) == 0;
}

bool same_texts(PyObject* one, PyObject* other) {
  return PyUnicode_KIND(one) == PyUnicode_KIND(other) &&
         PyUnicode_IS_ASCII(one) == PyUnicode_IS_ASCII(other) && PyUnicode_Compare(one, other) == 0 &&
         PyObject_Hash(one) == PyObject_Hash(other);
}

bool same_lists(PyObject* one, PyObject* other) {
  if (PyList_GET_SIZE(one) != PyList_GET_SIZE(other)) return false;
  for (Py_ssize_t index = 0; index < PyList_GET_SIZE(one); ++index) {
    if (!same_objects(PyList_GET_ITEM(one, index), PyList_GET_ITEM(other, index))) return false;
  }
  return true;
}

bool same_dicts(PyObject* one, PyObject* other) {
  if (PyDict_GET_SIZE(one) != PyDict_GET_SIZE(other)) return false;
  Py_ssize_t places[2] = {0, 0};
  PyObject* keys[2];
  PyObject* values[2];
  while (PyDict_Next(one, &places[0], &keys[0], &values[0]) != 0) {
    if (PyDict_Next(other, &places[1], &keys[1], &values[1]) == 0) return false;
    if (!same_objects(keys[0], keys[1]) || !same_objects(values[0], values[1])) return false;
    if (PyDict_GetItemWithError(other, keys[0]) != values[1]) return false;  // found by its hash, too
  }
  return true;
}

bool same_objects(PyObject* one, PyObject* other) {
  if (Py_TYPE(one) != Py_TYPE(other)) return false;
  if (PyFloat_CheckExact(one)) return same_floats(one, other);
  if (PyUnicode_CheckExact(one)) return same_texts(one, other);
  if (PyList_CheckExact(one)) return same_lists(one, other);
  if (PyDict_CheckExact(one)) return same_dicts(one, other);
  if (PyLong_CheckExact(one)) return PyObject_RichCompareBool(one, other, Py_EQ) == 1;
  return one == other;  // None, True, False
}

/// How many objects the cyclic collector knows, garbage collected.
Py_ssize_t collected_objects() {
  static PyObject* const objects = imported("gc", "get_objects").release();
  PyGC_Collect();
  const Owned all(PyObject_CallNoArgs(objects));
  if (!all) die("no gc.get_objects()");
  return PyList_GET_SIZE(all.get());
}

/// JSONDecodeError's place in the text; -1 for others.
long long position_of(PyObject* error) {
  const Owned position(PyObject_GetAttrString(error, "pos"));
  if (!position) {
    PyErr_Clear();
    return -1;
  }
  return PyLong_AsLongLong(position.get());
}

}  // namespace

void start_python() {
  PyPreConfig before;
  PyPreConfig_InitIsolatedConfig(&before);
  before.utf8_mode = 1;
  before.allocator = PYMEM_ALLOCATOR_MALLOC;
  check(Py_PreInitialize(&before));
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.use_hash_seed = 1;  // of seed 0: an input found once is found again
  config.install_signal_handlers = 0;
  // Its standard library is looked for from here.
  check(PyConfig_SetBytesString(&config, &config.executable, FUZZ_PYTHON));
  check(Py_InitializeFromConfig(&config));
  PyConfig_Clear(&config);
  PyObject* const path = PySys_GetObject("path");
  const Owned folder(PyUnicode_FromString(FUZZ_FOLDER));
  if (path == nullptr || !folder || PyList_Append(path, folder.get()) != 0) die("no sys.path");
}

Owned imported(const char* module, const char* name) {
  const Owned found(PyImport_ImportModule(module));
  Owned attribute(found ? PyObject_GetAttrString(found.get(), name) : nullptr);
  if (!attribute) die(module);
  return attribute;
}

Owned decoded(std::string_view bytes, bool repair) {
  Owned text(PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()),
                                  repair ? "replace" : nullptr));
  PyErr_Clear();
  return text;
}

std::string_view utf8_of(PyObject* text) {
  Py_ssize_t size = 0;
  const char* const bytes = PyUnicode_AsUTF8AndSize(text, &size);
  if (bytes == nullptr) die("a text without UTF-8");
  return {bytes, static_cast<std::size_t>(size)};
}

Outcome outcome(PyObject* new_reference) {
  Outcome made;
  made.object.reset(new_reference);
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  must((type == nullptr) == (new_reference != nullptr), "an object, or an exception: one of the two");
  if (type != nullptr) {
    PyErr_NormalizeException(&type, &value, &trace);
    made.error.reset(value);
    Py_DECREF(type);
    Py_XDECREF(trace);
  }
  return made;
}

Outcome json_loads(PyObject* text) {
  static PyObject* const loads = imported("json", "loads").release();
  return outcome(PyObject_CallOneArg(loads, text));
}

bool same(const Outcome& one, const Outcome& other) {
  if (one.object && other.object) return same_objects(one.object.get(), other.object.get());
  if (!one.error || !other.error) return false;
  return Py_TYPE(one.error.get()) == Py_TYPE(other.error.get()) &&
         message_of(one.error.get()) == message_of(other.error.get()) &&
         position_of(one.error.get()) == position_of(other.error.get());
}

std::string message_of(PyObject* error) {
  const Owned text(PyObject_Str(error));
  if (!text) die("an exception without a text");
  return std::string(utf8_of(text.get()));
}

void disagree(const char* what, const Outcome& wanted, const Outcome& came) {
  std::fprintf(stderr, "fuzz: %s\n", what);
  for (const Outcome* one : {&wanted, &came}) {
    std::fprintf(stderr, "  %s %s\n", one == &wanted ? "wanted" : "came  ",
                 shown(one->object ? one->object.get() : one->error.get()).c_str());
  }
  std::abort();
}

void must(bool holds, const char* what) {
  if (!holds) die(what);
}

void look_for_leaks() {
  constexpr unsigned long period = 1 << 13;
  constexpr Py_ssize_t some = 100;  // what Python itself may have made and kept meanwhile
  static unsigned long inputs = 0;
  static Py_ssize_t usual = 0;
  if (++inputs % period != 0) return;
  // What LeakSanitizer finds: objects that nothing refers to any more, as a str. Containers are in the collector's lists.
  must(__lsan_do_recoverable_leak_check() == 0, "nothing is lost");
  const Py_ssize_t objects = collected_objects();
  if (usual == 0) usual = objects;
  must(objects <= usual + some, "no container is lost");
}

}  // namespace fastws::fuzz
