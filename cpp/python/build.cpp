// The builder: one pass over the words, one stack of open containers, no recursion.
#include "build.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "numbered_keys.hpp"
#include "python_loads.hpp"

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

/// The reader has decoded it: the object is made once, at its final size.
PyObject* wide_text(std::uint64_t value, const std::uint64_t* units) {
  const std::size_t characters = word::characters(value);
  const unsigned unit = word::unit(value);
  const Py_UCS4 highest = unit == 1 ? 0xff : unit == 2 ? 0xffff : 0x10ffff;
  // A long ASCII text has units of one byte, too, and must be made as what it is.
  if (unit == 1) {
    return PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, units, static_cast<Py_ssize_t>(characters));
  }
  PyObject* made = PyUnicode_New(static_cast<Py_ssize_t>(characters), highest);
  if (made != nullptr) std::memcpy(PyUnicode_DATA(made), units, characters * unit);
  return made;
}

}  // namespace

class Builder::Impl {
 public:
  PyObject* build(const json::Tape& tape, const json::Document& document);

 private:
  struct String {
    std::uint64_t number = 0;
    PyObject* text = nullptr;
  };
  /// A container that is not full yet. It belongs to its parent already: whoever owns the root owns it.
  struct Open {
    PyObject* container = nullptr;
    std::uint64_t left = 0;
    Py_ssize_t next = 0;
    NumberedKeys* keys = nullptr;  // of a dict whose keys have a number
    bool is_list = false;
  };
  /// Where the words are read.
  struct Place {
    const std::uint64_t* at;
    const char* text;
  };

  /// The value at the place, which is left behind it. A container that has members is noted in `opened`. A new reference,
  /// or nullptr with an exception.
  [[gnu::always_inline]] PyObject* value(Place& place, Open& opened);
  PyObject* object(Place& place, Open& opened);
  PyObject* known(std::uint64_t value, std::uint64_t number, const char* text);
  PyObject* key(Place& place);
  PyObject* short_key(std::uint64_t word, const char* text);
  PyObject* wide_key(Place& place);
  bool learn(NumberedKeys& keys, std::uint64_t count, Place place);
  bool fill(Open& open, Place& place, Open& opened);
  bool fill_list(Open& open, Place& place, Open& opened);
  bool fill_numbered(Open& open, Place& place, Open& opened);
  bool fill_other(Open& open, Place& place, Open& opened);
  static void skip(Place& place);

  // Direct-mapped: a newcomer takes the place, so strangers can not make them grow.
  static constexpr std::size_t cached_keys = 2048;
  static constexpr std::size_t cached_lists = 512;
  static constexpr std::size_t cached_strings = 2048;
  static constexpr std::size_t most_wide_words = 16;
  std::array<PyObject*, cached_keys> keys_{};
  std::array<PyObject*, cached_keys> wide_keys_{};
  std::array<NumberedKeys, cached_lists> lists_{};
  std::array<String, cached_strings> strings_{};
  std::array<Open, json::most_depth> outer_;  // the containers around the one being filled
};

/// A new reference to the key: the cached object when it is the same text.
PyObject* Builder::Impl::short_key(std::uint64_t word, const char* text) {
  const std::size_t size = word::key_size(word);
  const char* bytes = text + word::offset(word);
  PyObject*& slot = keys_[word::key_hash(word) % cached_keys];
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

/// The same for one that is not ASCII, or longer: at the place, which is left behind it.
PyObject* Builder::Impl::wide_key(Place& place) {
  const std::uint64_t value = *place.at;
  const std::uint64_t* units = place.at + 1;
  const std::size_t bytes = word::characters(value) * word::unit(value);
  const std::size_t words = word::words_of(bytes);
  place.at += 1 + words;
  if (words > most_wide_words) return wide_text(value, units);
  std::uint64_t hash = value;
  for (std::size_t index = 0; index < words; ++index) {
    hash = (hash ^ units[index]) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  PyObject*& slot = wide_keys_[hash % cached_keys];
  if (slot == nullptr || static_cast<std::size_t>(PyUnicode_GET_LENGTH(slot)) != word::characters(value) ||
      static_cast<unsigned>(PyUnicode_KIND(slot)) != word::unit(value) ||
      std::memcmp(PyUnicode_DATA(slot), units, bytes) != 0) {
    PyObject* made = wide_text(value, units);
    if (made == nullptr) return nullptr;
    PyObject* old = slot;
    slot = made;
    Py_XDECREF(old);
  }
  Py_INCREF(slot);
  return slot;
}

PyObject* Builder::Impl::key(Place& place) {
  return word::tag(*place.at) == Tag::key ? short_key(*place.at++, place.text) : wide_key(place);
}

PyObject* Builder::Impl::known(std::uint64_t value, std::uint64_t number, const char* text) {
  String& here = strings_[number % cached_strings];
  if (here.number != number) {
    PyObject* made = ascii_text(text + word::offset(value), word::span_size(value));
    if (made == nullptr) return nullptr;
    PyObject* old = here.text;
    here = {number, made};
    Py_XDECREF(old);
  }
  Py_INCREF(here.text);
  return here.text;
}

/// Behind one value.
void Builder::Impl::skip(Place& place) {
  std::uint64_t left = 1;
  for (; left != 0; --left) {
    const std::uint64_t value = *place.at++;
    switch (word::tag(value)) {
      case Tag::int64:
      case Tag::float64:
      case Tag::known: ++place.at; break;
      case Tag::text: place.at += word::words_of(word::characters(value) * word::unit(value)); break;
      case Tag::array: left += word::count(value); break;
      case Tag::object:
        ++place.at;
        left += 2 * word::count(value);
        break;
      default: break;
    }
  }
}

/// Makes the keys of the object at the place, which has just been begun. False = an exception is set.
bool Builder::Impl::learn(NumberedKeys& keys, std::uint64_t count, Place place) {
  std::unique_ptr<PyObject*[]> made(new (std::nothrow) PyObject*[count]);
  if (made == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  for (std::size_t done = 0; done < count; ++done) {
    made[done] = short_key(*place.at++, place.text);
    if (made[done] == nullptr) {
      while (done != 0) Py_DECREF(made[--done]);
      return false;
    }
    skip(place);
  }
  return keys.set(std::move(made), static_cast<std::size_t>(count));
}

PyObject* Builder::Impl::object(Place& place, Open& opened) {
  const std::uint64_t count = word::count(place.at[0]);
  const std::uint64_t number = place.at[1];
  place.at += 2;
  NumberedKeys* keys = nullptr;
  if (number != 0) {
    NumberedKeys& here = lists_[number % cached_lists];
    if (here.number == number) {
      keys = &here;
    } else if (here.in_use == 0) {
      here.number = 0;
      if (!learn(here, count, place)) return nullptr;
      here.number = number;
      keys = &here;
    }
  }
  PyObject* made = keys != nullptr ? keys->object() : PyDict_New();
  if (made == nullptr || count == 0) return made;
  if (keys != nullptr) ++keys->in_use;
  opened = {made, count, 0, keys, false};
  return made;
}

inline PyObject* Builder::Impl::value(Place& place, Open& opened) {
  const std::uint64_t value = *place.at;
  if (word::tag(value) == Tag::object) return object(place, opened);
  ++place.at;
  switch (word::tag(value)) {
    case Tag::null: Py_RETURN_NONE;
    case Tag::yes: Py_RETURN_TRUE;
    case Tag::no: Py_RETURN_FALSE;
    case Tag::integer: return PyLong_FromLongLong(word::integer(value));
    case Tag::int64: return PyLong_FromLongLong(static_cast<long long>(*place.at++));
    case Tag::float64: {
      double number = 0.0;
      std::memcpy(&number, place.at++, sizeof number);
      return PyFloat_FromDouble(number);
    }
    case Tag::digits: {
      char digits[512];  // the reader keeps at most 300 of them, and a sign
      const std::size_t size = word::span_size(value);
      std::memcpy(digits, place.text + word::offset(value), size);
      digits[size] = '\0';
      return PyLong_FromString(digits, nullptr, 10);
    }
    case Tag::ascii: {
      const char* bytes = place.text + word::offset(value);
      // Python keeps the strings of one character.
      if (word::span_size(value) == 1) return PyUnicode_FromOrdinal(static_cast<unsigned char>(*bytes));
      return ascii_text(bytes, word::span_size(value));
    }
    case Tag::known: return known(value, *place.at++, place.text);
    case Tag::text: {
      const std::uint64_t* units = place.at;
      place.at += word::words_of(word::characters(value) * word::unit(value));
      return wide_text(value, units);
    }
    case Tag::array: {
      PyObject* made = PyList_New(static_cast<Py_ssize_t>(word::count(value)));
      if (made != nullptr && word::count(value) != 0) opened = {made, word::count(value), 0, nullptr, true};
      return made;
    }
    default: break;
  }
  PyErr_SetString(PyExc_SystemError, "fastws: a key where a value should be");
  return nullptr;
}

// Each gives a container its members, up to one that has members itself, which is noted in `opened`. False = an exception.

bool Builder::Impl::fill_list(Open& open, Place& place, Open& opened) {
  do {
    PyObject* made = value(place, opened);
    if (made == nullptr) return false;
    PyList_SET_ITEM(open.container, open.next++, made);
  } while (--open.left != 0 && opened.container == nullptr);
  return true;
}

bool Builder::Impl::fill_numbered(Open& open, Place& place, Open& opened) {
  NumberedKeys& keys = *open.keys;
  Place here = place;  // and what is opened: copies that a processor's registers can hold
  Open begun;
  std::uint64_t left = open.left;
  auto index = static_cast<std::size_t>(open.next);
  bool well = true;
  do {
    ++here.at;  // the key
    const Tag tag = word::tag(*here.at);
    PyObject* made = value(here, begun);
    const bool again = tag == Tag::known || tag <= Tag::no;
    well = made != nullptr &&
           ((again && keys.has(index, made)) || PyDict_SetItem(open.container, keys.key(index), made) == 0);
    Py_XDECREF(made);
    ++index;
    --left;
  } while (well && left != 0 && begun.container == nullptr);
  open.left = left;
  open.next = static_cast<Py_ssize_t>(index);
  opened = begun;
  place = here;
  return well;
}

bool Builder::Impl::fill_other(Open& open, Place& place, Open& opened) {
  do {
    PyObject* name = key(place);
    if (name == nullptr) return false;
    PyObject* made = value(place, opened);
    const bool well = made != nullptr && PyDict_SetItem(open.container, name, made) == 0;
    Py_DECREF(name);
    Py_XDECREF(made);
    if (!well) return false;
  } while (--open.left != 0 && opened.container == nullptr);
  return true;
}

bool Builder::Impl::fill(Open& open, Place& place, Open& opened) {
  const bool well = open.is_list           ? fill_list(open, place, opened)
                    : open.keys != nullptr ? fill_numbered(open, place, opened)
                                           : fill_other(open, place, opened);
  // What was opened but found no place went with its only reference.
  if (!well && opened.keys != nullptr) --opened.keys->in_use;
  return well;
}

PyObject* Builder::Impl::build(const json::Tape& tape, const json::Document& document) {
  const NoCollection no_collection;
  Place place{tape.words.data() + document.words, tape.text.data() + document.text};
  Open now;
  PyObject* root = value(place, now);
  if (now.container == nullptr) return root;
  std::size_t depth = 0;
  for (;;) {
    Open opened;
    if (!fill(now, place, opened)) break;
    if (now.left == 0 && now.keys != nullptr) --now.keys->in_use;
    if (opened.container != nullptr) {
      if (now.left != 0) outer_[depth++] = now;  // a full container needs no place on the stack
      now = opened;
    } else if (depth != 0) {
      now = outer_[--depth];
    } else {
      return root;
    }
  }
  if (now.keys != nullptr) --now.keys->in_use;
  while (depth != 0) {
    const Open& one = outer_[--depth];
    if (one.keys != nullptr) --one.keys->in_use;
  }
  Py_DECREF(root);
  return nullptr;
}

Builder::Builder() : impl_(std::make_unique<Impl>()) {}
Builder::~Builder() = default;

PyObject* Builder::build(const json::Tape& tape, const json::Document& document) {
  if (!document.fallback) return impl_->build(tape, document);
  return python_loads({tape.text.data() + document.text, document.text_size});
}

PyObject* build_text(const json::Tape& tape, const json::Document& document) {
  return PyUnicode_DecodeUTF8(tape.text.data() + document.text, static_cast<Py_ssize_t>(document.text_size),
                              nullptr);
}

}  // namespace fastws::python
