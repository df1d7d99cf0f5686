// Tape -> Python objects, with the GIL.
//
// May know: json/tape, the CPython API. Promises: iterative; correct reference counts on every error path; the result
// equals json.loads of the text, or json.loads's own exception is set.
#pragma once

#include <Python.h>

#include <memory>

#include "../json/tape.hpp"

namespace fastws::python {

/// A bounded cache of dict keys: one per process, used only with the GIL held.
class Builder {
 public:
  Builder();
  ~Builder();
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  /// A new reference, or nullptr with an exception set.
  PyObject* build(const json::Tape& tape, const json::Document& document);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The text of a document that was appended unparsed, as str. A new reference, or nullptr with an exception set.
PyObject* build_text(const json::Tape& tape, const json::Document& document);

}  // namespace fastws::python
