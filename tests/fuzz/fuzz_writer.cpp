// Fuzz target: the encoder writes for every object the bytes that json.dumps writes, or refuses it as json.dumps does.
//
// The input is a program for the machine in objects.py, which makes an object of it and says what json makes of the object.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "json/text.hpp"
#include "oracle.hpp"
#include "python/encode.hpp"

namespace {

using namespace fastws;

/// What encode() wrote as bytes, or its exception.
fuzz::Outcome written(PyObject* object, PyObject* hook) {
  json::Text out;
  const bool well = python::encode(object, hook, out);
  const std::string_view text = out.view();
  return fuzz::outcome(well ? PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()))
                            : nullptr);
}

/// json's class, and json's message before our own words of where it is.
bool refused_alike(PyObject* wanted, PyObject* came) {
  return Py_TYPE(wanted) == Py_TYPE(came) && fuzz::message_of(came).rfind(fuzz::message_of(wanted), 0) == 0;
}

void check(PyObject* object, PyObject* hook, const fuzz::Outcome& wanted, bool has_surrogate) {
  const Py_ssize_t references = Py_REFCNT(object);
  const fuzz::Outcome came = written(object, hook);
  bool right = false;
  if (wanted.object) {
    right = came.object && PyObject_RichCompareBool(wanted.object.get(), came.object.get(), Py_EQ) == 1;
  } else if (PyErr_GivenExceptionMatches(wanted.error.get(), PyExc_RecursionError) != 0) {
    right = true;  // we hold deeper objects than json does on some versions of Python
  } else if (came.error) {
    // json refuses a surrogate only in the end, when all is written: another fault may come first there, last here.
    right = refused_alike(wanted.error.get(), came.error.get()) ||
            (has_surrogate &&
             Py_TYPE(came.error.get()) == reinterpret_cast<PyTypeObject*>(PyExc_UnicodeEncodeError));
  }
  if (!right) fuzz::disagree("an object is not written as json.dumps writes it", wanted, came);
  fuzz::must(Py_REFCNT(object) == references || came.error, "references are given back");
}

/// What is made here is gone at the end.
void run(std::string_view input) {
  static PyObject* const make = fuzz::imported("objects", "case").release();
  const fuzz::Owned program(PyBytes_FromStringAndSize(input.data(), static_cast<Py_ssize_t>(input.size())));
  // (object, hook or None, bytes or the exception, whether there is a surrogate)
  const fuzz::Owned made(PyObject_CallOneArg(make, program.get()));
  fuzz::must(made != nullptr, "every input has an object");
  const auto part = [&made](Py_ssize_t index) { return PyTuple_GET_ITEM(made.get(), index); };
  fuzz::Outcome wanted;
  (PyBytes_Check(part(2)) ? wanted.object : wanted.error).reset(Py_NewRef(part(2)));
  check(part(0), part(1) == Py_None ? nullptr : part(1), wanted, part(3) == Py_True);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  fuzz::start_python();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  run({reinterpret_cast<const char*>(data), size});
  fuzz::look_for_leaks();
  return 0;
}
