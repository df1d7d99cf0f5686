// The builder: one pass over the words, one stack of open containers, no recursion.
#include "build.hpp"

#include <array>
#include <cstring>
#include <vector>

namespace fastws::python {

using json::Tag;
namespace word = json::word;

namespace {

/// Up to Python 3.11 the cyclic collector runs inside an allocation, in the middle of a half-built list; later it waits
/// for the interpreter's next turn.
class NoCollection {
 public:
#if PY_VERSION_HEX < 0x030C0000
  NoCollection() : was_on_(PyGC_Disable() == 1) {}
  ~NoCollection() {
    if (was_on_) PyGC_Enable();
  }

 private:
  bool was_on_;
#else
  NoCollection() = default;
  ~NoCollection() {}
#endif
 public:
  NoCollection(const NoCollection&) = delete;
  NoCollection& operator=(const NoCollection&) = delete;
};

PyObject* ascii_text(const char* bytes, std::size_t size) {
  PyObject* made = PyUnicode_New(static_cast<Py_ssize_t>(size), 127);
  if (made != nullptr) std::memcpy(PyUnicode_1BYTE_DATA(made), bytes, size);
  return made;
}

std::uint32_t next_character(const unsigned char*& at) {
  const std::uint32_t first = *at++;
  if (first < 0x80) return first;
  const auto more = [&] { return static_cast<std::uint32_t>(*at++ & 0x3f); };
  if (first < 0xe0) return (first & 0x1f) << 6 | more();
  if (first < 0xf0) {
    const std::uint32_t high = (first & 0x0f) << 12 | more() << 6;
    return high | more();
  }
  std::uint32_t high = (first & 0x07) << 18 | more() << 12;
  high |= more() << 6;
  return high | more();
}

template <class Unit>
void decode(Unit* to, const char* bytes, std::size_t characters) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes);
  for (std::size_t index = 0; index < characters; ++index) to[index] = static_cast<Unit>(next_character(at));
}

/// The reader has counted the characters and knows the widest: the object is made once, at its final size.
PyObject* wide_text(const char* bytes, std::size_t size, std::size_t characters, unsigned widest) {
  static constexpr std::array<Py_UCS4, 5> highest = {0, 0x7f, 0xff, 0xffff, 0x10ffff};
  if (widest == 1) return ascii_text(bytes, size);
  PyObject* made = PyUnicode_New(static_cast<Py_ssize_t>(characters), highest[widest]);
  if (made == nullptr) return nullptr;
  switch (widest) {
    case 2: decode(PyUnicode_1BYTE_DATA(made), bytes, characters); break;
    case 3: decode(PyUnicode_2BYTE_DATA(made), bytes, characters); break;
    default: decode(PyUnicode_4BYTE_DATA(made), bytes, characters); break;
  }
  return made;
}

/// A container that is not full yet. It belongs to its parent already: whoever owns the root owns it.
struct Open {
  PyObject* container;
  std::uint64_t left;
  Py_ssize_t next;  // list: the index of the next element; dict: -1
  PyObject* key;    // dict: the key that waits for its value, ours
};

PyObject* json_loads(PyObject* text) {
  static PyObject* loads = nullptr;
  if (loads == nullptr) {
    PyObject* module = PyImport_ImportModule("json");
    if (module == nullptr) return nullptr;
    loads = PyObject_GetAttrString(module, "loads");
    Py_DECREF(module);
    if (loads == nullptr) return nullptr;
  }
  return PyObject_CallOneArg(loads, text);
}

}  // namespace

class Builder::Impl {
 public:
  PyObject* build(const json::Tape& tape, const json::Document& document);

 private:
  PyObject* key(std::uint64_t word, const char* text);
  static PyObject* scalar(const std::uint64_t*& at, const char* text);
  static bool attach(Open& parent, PyObject* value);

  static constexpr std::size_t slots = 2048;
  std::array<PyObject*, slots>
      keys_{};  // direct-mapped: a newcomer takes the place, so strangers can not grow it
};

/// A new reference to the key: the cached object when it is the same text.
PyObject* Builder::Impl::key(std::uint64_t word, const char* text) {
  const std::size_t size = word::key_size(word);
  const char* bytes = text + word::offset(word);
  PyObject*& slot = keys_[word::key_hash(word) % slots];
  if (slot != nullptr && static_cast<std::size_t>(PyUnicode_GET_LENGTH(slot)) == size &&
      std::memcmp(PyUnicode_1BYTE_DATA(slot), bytes, size) == 0) {
    Py_INCREF(slot);
    return slot;
  }
  PyObject* made = ascii_text(bytes, size);
  if (made == nullptr) return nullptr;
  Py_INCREF(made);
  PyObject* old = slot;
  slot = made;
  Py_XDECREF(old);
  return made;
}

/// The value at `at`, which is left on its last word. A new reference, or nullptr with an exception.
PyObject* Builder::Impl::scalar(const std::uint64_t*& at, const char* text) {
  const std::uint64_t value = *at;
  switch (word::tag(value)) {
    case Tag::null: Py_RETURN_NONE;
    case Tag::yes: Py_RETURN_TRUE;
    case Tag::no: Py_RETURN_FALSE;
    case Tag::integer: return PyLong_FromLongLong(word::integer(value));
    case Tag::int64: return PyLong_FromLongLong(static_cast<long long>(*++at));
    case Tag::float64: {
      double number = 0.0;
      std::memcpy(&number, ++at, sizeof number);
      return PyFloat_FromDouble(number);
    }
    case Tag::digits: {
      char digits[512];  // the reader keeps at most 300 of them, and a sign
      const std::size_t size = word::span_size(value);
      std::memcpy(digits, text + word::offset(value), size);
      digits[size] = '\0';
      return PyLong_FromString(digits, nullptr, 10);
    }
    case Tag::ascii: return ascii_text(text + word::offset(value), word::span_size(value));
    case Tag::text: {
      const std::uint64_t sizes = *++at;
      return wide_text(text + word::offset(value), sizes & 0xffffffff, sizes >> 32, word::widest(value));
    }
    case Tag::array: return PyList_New(static_cast<Py_ssize_t>(word::count(value)));
    case Tag::object: return PyDict_New();
    case Tag::key: break;
  }
  PyErr_SetString(PyExc_SystemError, "fastws: a key where a value should be");
  return nullptr;
}

/// Gives `value` (ours) to the parent. False = an exception is set, and the value is gone.
bool Builder::Impl::attach(Open& parent, PyObject* value) {
  --parent.left;
  if (parent.next >= 0) {
    PyList_SET_ITEM(parent.container, parent.next++, value);
    return true;
  }
  const int failed = PyDict_SetItem(parent.container, parent.key, value);
  Py_CLEAR(parent.key);
  Py_DECREF(value);
  return failed == 0;
}

PyObject* Builder::Impl::build(const json::Tape& tape, const json::Document& document) {
  const NoCollection no_collection;
  const char* text = tape.text.data() + document.text;
  const std::uint64_t* at = tape.words.data() + document.words;
  const std::uint64_t* const end = at + document.word_count;
  std::array<Open, 16> few;  // most documents are not deeper; the stack below is for the others
  std::vector<Open> many;
  std::size_t depth = 0;
  const auto top = [&]() -> Open& {
    return depth <= few.size() ? few[depth - 1] : many[depth - few.size() - 1];
  };

  PyObject* root = nullptr;
  for (; at < end; ++at) {
    if (depth != 0 && top().next < 0 && top().key == nullptr) {
      const bool short_key = word::tag(*at) == Tag::key;
      top().key = short_key ? key(*at, text) : scalar(at, text);
      if (top().key == nullptr) break;
      continue;
    }
    const std::uint64_t opening = *at;
    PyObject* value = scalar(at, text);
    if (value == nullptr) break;
    if (depth == 0) {
      root = value;
    } else if (!attach(top(), value)) {
      break;
    }
    const Tag tag = word::tag(opening);
    if ((tag == Tag::array || tag == Tag::object) && word::count(opening) != 0) {
      const Open open{value, word::count(opening), tag == Tag::array ? 0 : -1, nullptr};
      if (++depth <= few.size()) {
        few[depth - 1] = open;
      } else {
        many.push_back(open);
      }
    }
    while (depth != 0 && top().left == 0) {
      if (depth > few.size()) many.pop_back();
      --depth;
    }
  }
  if (at == end) return root;
  for (; depth != 0; --depth) {
    Py_CLEAR(top().key);
    if (depth > few.size()) many.pop_back();
  }
  Py_XDECREF(root);
  return nullptr;
}

Builder::Builder() : impl_(std::make_unique<Impl>()) {}
Builder::~Builder() = default;

PyObject* Builder::build(const json::Tape& tape, const json::Document& document) {
  if (!document.fallback) return impl_->build(tape, document);
  PyObject* text = build_text(tape, document);
  if (text == nullptr) return nullptr;
  PyObject* loaded = json_loads(text);
  Py_DECREF(text);
  return loaded;
}

PyObject* build_text(const json::Tape& tape, const json::Document& document) {
  return PyUnicode_DecodeUTF8(tape.text.data() + document.text, static_cast<Py_ssize_t>(document.text_size),
                              nullptr);
}

}  // namespace fastws::python
