// Python objects -> JSON text, with the GIL; see encode.hpp.
//
// May know: json/writer, the CPython API. Promises: iterative; objects whose writing runs no Python code are read through
// borrowed references, and before Python code runs hold() makes every frame own what it refers to.

#include "encode.hpp"

#include <cmath>
#include <exception>
#include <new>
#include <string_view>

#include "../json/writer.hpp"
#include "encode_stack.hpp"
#include "encode_types.hpp"

namespace fastws::python {
namespace {

class Encoder {
 public:
  Encoder(PyObject* default_hook, json::Text& out) noexcept : default_hook_(default_hook), out_(out) {}

  /// False = an exception is set.
  bool run(PyObject* root);

 private:
  enum class Step { kWritten, kEntered, kFailed };
  using Kind = Frame::Kind;

  // A value that was written ends with a comma; the container's end takes the last one's place.
  [[gnu::always_inline]] inline Step value(PyObject* object);
  Step value_of_other_class(PyObject* object);
  static Step scalar(bool well) { return well ? Step::kWritten : Step::kFailed; }
  Step plain(std::string_view text);
  Step enter(Kind kind, PyObject* object, Py_ssize_t size = 0);
  Step enter_dict(PyObject* object);
  Step enter_mapping(PyObject* object);

  // Goes on with the top frame until it is left or a member is entered.
  bool go_on();
  bool list(Frame& frame);
  bool tuple(Frame& frame);
  bool dict(Frame& frame);
  bool items(Frame& frame);
  bool fields(Frame& frame);
  bool stand_in(Frame& frame);
  bool ask_hook(Frame& frame, PyObject* object);
  void leave(char bracket);

  bool key(PyObject* key);
  // With the byte that follows: a comma; for a string that is a key a colon, for another key its quote.
  bool string(PyObject* text, char then);
  bool string_of_any_kind(PyObject* text, char then);
  bool integer(PyObject* number, char then);
  bool large_integer(PyObject* number, char then);
  bool real(PyObject* number, char then);

  bool refuse(PyObject* exception, const char* format, const char* name, const std::string& inside = {});
  bool refuse_surrogate(PyObject* text, std::size_t index, bool is_key);

  PyObject* default_hook_;
  json::Text& out_;
  FrameStack stack_;
};

bool Encoder::run(PyObject* root) {
  if (value(root) == Step::kFailed) return false;
  while (!stack_.empty()) {
    if (!go_on()) return false;
  }
  out_.drop_last();
  return true;
}

Encoder::Step Encoder::plain(std::string_view text) {
  out_.put(text);
  return Step::kWritten;
}

Encoder::Step Encoder::value(PyObject* object) {
  const PyTypeObject* const type = Py_TYPE(object);
  if (type == &PyUnicode_Type) return scalar(string(object, ','));
  if (type == &PyLong_Type) return scalar(integer(object, ','));
  if (type == &PyFloat_Type) return scalar(real(object, ','));
  if (type == &PyDict_Type) return enter_dict(object);
  if (type == &PyList_Type) return PyList_GET_SIZE(object) != 0 ? enter(Kind::kList, object) : plain("[],");
  if (object == Py_None) return plain("null,");
  if (object == Py_True) return plain("true,");
  if (object == Py_False) return plain("false,");
  return value_of_other_class(object);
}

// In the order json asks, so that a class with two bases is what json takes it for.
Encoder::Step Encoder::value_of_other_class(PyObject* object) {
  if (PyUnicode_Check(object)) return scalar(string(object, ','));
  if (PyLong_Check(object)) return scalar(integer(object, ','));
  if (PyFloat_Check(object)) return scalar(real(object, ','));
  if (PyList_Check(object)) return enter(Kind::kList, object);
  if (PyTuple_Check(object)) return enter(Kind::kTuple, object);
  if (PyDict_Check(object)) return enter_mapping(object);
  return stack_.push(Kind::kStandIn, object) ? Step::kEntered : Step::kFailed;
}

inline Encoder::Step Encoder::enter(Kind kind, PyObject* object, Py_ssize_t size) {
  if (!stack_.push(kind, object, size)) return Step::kFailed;
  out_.put(kind == Kind::kList || kind == Kind::kTuple ? '[' : '{');
  return Step::kEntered;
}

Encoder::Step Encoder::enter_dict(PyObject* object) {
  const Py_ssize_t size = PyDict_GET_SIZE(object);
  return size != 0 ? enter(Kind::kDict, object, size) : plain("{},");
}

// A subclass of dict (OrderedDict, say) may have an order of its own: its items() are asked for, unless it is
// empty.
Encoder::Step Encoder::enter_mapping(PyObject* object) {
  if (PyDict_GET_SIZE(object) == 0) return plain("{},");
  if (enter(Kind::kItems, object) == Step::kFailed) return Step::kFailed;
  stack_.hold();
  stack_.top().source = PyMapping_Items(object);
  return stack_.top().source != nullptr ? Step::kEntered : Step::kFailed;
}

inline void Encoder::leave(char bracket) {
  out_.put_over_comma(bracket);
  out_.put(',');
  stack_.pop();
}

bool Encoder::go_on() {
  Frame& frame = stack_.top();
  // Not a switch: the processor foresees branches better than a jump through a table.
  if (frame.kind == Kind::kDict) return dict(frame);
  if (frame.kind == Kind::kList) return list(frame);
  if (frame.kind == Kind::kTuple) return tuple(frame);
  if (frame.kind == Kind::kItems) return items(frame);
  if (frame.kind == Kind::kFields) return fields(frame);
  return stand_in(frame);
}

// In these loops `frame` is not touched after value() entered a member: frames may have moved.

bool Encoder::list(Frame& frame) {
  while (frame.position < PyList_GET_SIZE(frame.object)) {
    const Step step = value(PyList_GET_ITEM(frame.object, frame.position++));
    if (step != Step::kWritten) return step == Step::kEntered;
  }
  leave(']');
  return true;
}

bool Encoder::tuple(Frame& frame) {
  while (frame.position < PyTuple_GET_SIZE(frame.object)) {
    const Step step = value(PyTuple_GET_ITEM(frame.object, frame.position++));
    if (step != Step::kWritten) return step == Step::kEntered;
  }
  leave(']');
  return true;
}

bool Encoder::dict(Frame& frame) {
  PyObject* name = nullptr;
  PyObject* member = nullptr;
  for (;;) {
    if (PyDict_GET_SIZE(frame.object) != frame.size) {
      return refuse(PyExc_RuntimeError, "dictionary changed size during iteration%s", "");
    }
    if (PyDict_Next(frame.object, &frame.position, &name, &member) == 0) break;
    if (frame.left-- == 0)
      return refuse(PyExc_RuntimeError, "dictionary keys changed during iteration%s", "");
    frame.key = name;
    if (!key(name)) return false;
    const Step step = value(member);
    if (step != Step::kWritten) return step == Step::kEntered;
  }
  leave('}');
  return true;
}

bool Encoder::items(Frame& frame) {
  while (frame.position < PyList_GET_SIZE(frame.source)) {
    PyObject* const item = PyList_GET_ITEM(frame.source, frame.position++);
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
      return refuse(PyExc_ValueError, "items must return 2-tuples%s", "");
    }
    frame.key = PyTuple_GET_ITEM(item, 0);
    if (!key(frame.key)) return false;
    const Step step = value(PyTuple_GET_ITEM(item, 1));
    if (step != Step::kWritten) return step == Step::kEntered;
  }
  leave('}');
  return true;
}

bool Encoder::fields(Frame& frame) {
  PyObject* name = nullptr;
  PyObject* field = nullptr;
  while (frame.left > 0 && PyDict_Next(frame.source, &frame.position, &name, &field) != 0) {
    --frame.left;
    if (!PyUnicode_Check(name)) continue;
    frame.key = name;
    // Asking for the value may run Python code, which may change the fields.
    const Owned held_name(Py_NewRef(name));
    const Owned held_field(Py_NewRef(field));
    const Foreign found = field_value(frame.object, name, field);
    if (found.kind == Foreign::Kind::kFailed) return false;
    if (found.kind == Foreign::Kind::kUnknown) continue;
    if (!key(name)) return false;
    const Step step = value(found.object.get());
    if (step != Step::kWritten) {
      stack_.hold();  // what was asked for may live nowhere else
      return step == Step::kEntered;
    }
  }
  leave('}');
  return true;
}

// An object that is none of JSON's: found out what to write for it with its frame entered, so that it, and
// the key it lies under, are held while Python code runs. `source` is what stands in for it.
bool Encoder::stand_in(Frame& frame) {
  if (frame.source != nullptr) {  // which has been written
    stack_.pop();
    return true;
  }
  PyObject* const object = frame.object;
  stack_.hold();
  Foreign foreign = encode_foreign(object, out_);
  switch (foreign.kind) {
    case Foreign::Kind::kWritten: stack_.pop(); return true;
    case Foreign::Kind::kValue:
      frame.source = foreign.object.release();
      return value(frame.source) != Step::kFailed;
    case Foreign::Kind::kFields: {
      frame.kind = Kind::kFields;
      frame.source = foreign.object.release();
      frame.left = PyDict_GET_SIZE(frame.source);
      out_.put('{');
      return true;
    }
    case Foreign::Kind::kRefused:
      return refuse(foreign.exception, "%s%s", foreign.why.c_str(), foreign.where);
    case Foreign::Kind::kFailed: return false;
    case Foreign::Kind::kUnknown: break;
  }
  return ask_hook(frame, object);
}

bool Encoder::ask_hook(Frame& frame, PyObject* object) {
  if (default_hook_ != nullptr) {
    frame.source = PyObject_CallOneArg(default_hook_, object);
    return frame.source != nullptr && value(frame.source) != Step::kFailed;
  }
  // tp_name has the module before it for some types, which ones depends on the version of Python.
  const Owned class_name(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(object)), "__name__"));
  const char* name =
      class_name && PyUnicode_Check(class_name.get()) ? PyUnicode_AsUTF8(class_name.get()) : nullptr;
  if (name == nullptr) name = Py_TYPE(object)->tp_name;
  PyErr_Clear();
  if (PyBytes_Check(object) || PyByteArray_Check(object) || PyMemoryView_Check(object)) {
    return refuse(PyExc_TypeError,
                  "Object of type %.200s is not JSON serializable%s; send_bytes() sends binary", name);
  }
  return refuse(PyExc_TypeError, "Object of type %.200s is not JSON serializable%s", name);
}

inline bool Encoder::key(PyObject* key) {
  if (Py_TYPE(key) == &PyUnicode_Type || PyUnicode_Check(key)) return string(key, ':');
  out_.put('"');
  if (PyFloat_Check(key)) {
    if (!real(key, '"')) return false;
  } else if (key == Py_None || key == Py_True || key == Py_False) {
    out_.put(key == Py_None ? "null\"" : key == Py_True ? "true\"" : "false\"");
  } else if (PyLong_Check(key)) {
    if (!integer(key, '"')) return false;
  } else {
    PyErr_Format(PyExc_TypeError, "keys must be str, int, float, bool or None, not %.100s%s",
                 Py_TYPE(key)->tp_name, stack_.place(true).c_str());
    return false;
  }
  out_.put(':');
  return true;
}

inline bool Encoder::string(PyObject* text, char then) {
  if (!PyUnicode_IS_COMPACT_ASCII(text)) return string_of_any_kind(text, then);
  const auto length = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text));
  json::write_string(out_, {static_cast<const char*>(PyUnicode_DATA(text)), length}, then);
  return true;
}

// Straight from the code points: PyUnicode_AsUTF8 would leave a copy in the user's string for as long as it lives.
bool Encoder::string_of_any_kind(PyObject* text, char then) {
#if PY_VERSION_HEX < 0x030C0000
  if (PyUnicode_READY(text) != 0) return false;
#endif
  const auto length = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text));
  const void* const points = PyUnicode_DATA(text);
  std::size_t written = 0;
  switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
      written = json::write_code_points(out_, static_cast<const Py_UCS1*>(points), length, then);
      break;
    case PyUnicode_2BYTE_KIND:
      written = json::write_code_points(out_, static_cast<const Py_UCS2*>(points), length, then);
      break;
    default: written = json::write_code_points(out_, static_cast<const Py_UCS4*>(points), length, then);
  }
  return written == length || refuse_surrogate(text, written, then == ':');
}

/// The value of an int of at most two of CPython's digits of 30 bits, or of one from 3.12 on, whose layout is private.
inline bool is_small(PyObject* number, std::int64_t& value) {
  auto* const digits = reinterpret_cast<PyLongObject*>(number);
#if PY_VERSION_HEX >= 0x030C0000
  if (PyUnstable_Long_IsCompact(digits) == 0) return false;
  value = PyUnstable_Long_CompactValue(digits);
#else
  const Py_ssize_t size = Py_SIZE(digits);
  if (size < -2 || size > 2) return false;
  value = size == 0 ? 0 : digits->ob_digit[0];
  if (size == 2 || size == -2) value |= static_cast<std::int64_t>(digits->ob_digit[1]) << PyLong_SHIFT;
  if (size < 0) value = -value;
#endif
  return true;
}

inline bool Encoder::integer(PyObject* number, char then) {
  std::int64_t small = 0;
  if (!is_small(number, small)) return large_integer(number, then);
  json::write_integer(out_, small, then);
  return true;
}

bool Encoder::large_integer(PyObject* number, char then) {
  int overflow = 0;
  const long long small = PyLong_AsLongLongAndOverflow(number, &overflow);
  if (overflow == 0) {
    json::write_integer(out_, small, then);
    return true;
  }
  const Owned digits(PyLong_Type.tp_repr(number));
  if (!digits) return false;
  out_.put(std::string_view(static_cast<const char*>(PyUnicode_DATA(digits.get())),
                            static_cast<std::size_t>(PyUnicode_GET_LENGTH(digits.get()))));
  out_.put(then);
  return true;
}

inline bool Encoder::real(PyObject* number, char then) {
  const double value = PyFloat_AS_DOUBLE(number);
  if (!std::isfinite(value)) {
    return refuse(PyExc_ValueError, "Out of range float values are not JSON compliant: %s%s",
                  std::isnan(value) ? "nan"
                  : value > 0       ? "inf"
                                    : "-inf");
  }
  json::write_double(out_, value, then);
  return true;
}

/// `format` has one %s for `name`, unless that is "", and one for the place, which may go on inside the current member.
bool Encoder::refuse(PyObject* exception, const char* format, const char* name, const std::string& inside) {
  const std::string place = stack_.place(false, inside);
  if (*name == '\0') {
    PyErr_Format(exception, format, place.c_str());
  } else {
    PyErr_Format(exception, format, name, place.c_str());
  }
  return false;
}

bool Encoder::refuse_surrogate(PyObject* text, std::size_t index, bool is_key) {
  const std::string reason = "surrogates not allowed" + stack_.place(is_key);
  const auto start = static_cast<Py_ssize_t>(index);
  const Owned error(PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns", "utf-8", text, start, start + 1,
                                          reason.c_str()));
  if (error) PyErr_SetObject(PyExc_UnicodeEncodeError, error.get());
  return false;
}

}  // namespace

bool encode(PyObject* object, PyObject* default_hook, json::Text& out) {
  // Counted, because a default hook that sends comes here again.
  if (Py_EnterRecursiveCall(" while encoding a JSON object") != 0) return false;
  bool well = false;
  try {
    well = Encoder(default_hook, out).run(object);
  } catch (const std::exception&) {  // only memory and sizes beyond any memory can fail here
    PyErr_NoMemory();
  }
  Py_LeaveRecursiveCall();
  return well;
}

}  // namespace fastws::python
