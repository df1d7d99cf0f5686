// Fuzz target: the route of every text that json.loads takes is what json.loads says, found by a scan or told by the reader;
// no text is read past its end.
//
// The first byte of the input chooses the keys, the rest is the text: any bytes at all. It lies at the end of a block of
// memory, where libFuzzer put it.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "json/reader.hpp"
#include "json/scan.hpp"
#include "mutator.hpp"
#include "oracle.hpp"

namespace {

using namespace fastws;
using Kind = json::Route::Kind;

const std::vector<std::vector<std::string>> choices = {
    {"type"}, {"a", "b"}, {"b", "type"}, {""}, {"\xc3\xa9"}, {"a key of more than sixteen bytes", "type"},
    {"\"\\"},
};

bool holds_surrogate(PyObject* text) {
  for (Py_ssize_t index = 0; index < PyUnicode_GET_LENGTH(text); ++index) {
    const Py_UCS4 point = PyUnicode_READ_CHAR(text, index);
    if (point >= 0xd800 && point < 0xe000) return true;
  }
  return false;
}

/// What json.loads(text).get(key) says, as the scan words it: a new reference to the value, where it was found.
Kind wanted_of(PyObject* loaded, const std::vector<std::string>& keys, fuzz::Owned& value) {
  if (!PyDict_Check(loaded)) return Kind::none;
  for (const std::string& key : keys) {
    const fuzz::Owned name = fuzz::decoded(key, false);
    PyObject* const found = PyDict_GetItemWithError(loaded, name.get());
    if (found == nullptr) continue;
    if (!PyUnicode_Check(found)) return Kind::none;
    if (holds_surrogate(found)) return Kind::unreadable;  // UTF-8 can not hold it
    value.reset(Py_NewRef(found));
    return Kind::found;
  }
  return Kind::none;
}

bool lies_in(std::string_view part, std::string_view whole) {
  const std::less_equal<const char*> not_behind;
  return not_behind(whole.data(), part.data()) &&
         not_behind(part.data() + part.size(), whole.data() + whole.size());
}

void check(std::string_view text, const std::vector<std::string>& keys, const json::Route& route) {
  const fuzz::Owned decoded = fuzz::decoded(text, false);
  if (!decoded) return;
  const fuzz::Owned value(route.kind == Kind::found ? fuzz::decoded(route.value, false).release()
                                                    : Py_NewRef(Py_None));
  fuzz::must(value != nullptr, "a route in UTF-8 is UTF-8");
  const fuzz::Outcome loaded = fuzz::json_loads(decoded.get());
  if (!loaded.object) return;  // of other texts it may say anything
  fuzz::Owned wanted_value(Py_NewRef(Py_None));
  const Kind wanted = wanted_of(loaded.object.get(), keys, wanted_value);
  const bool same = PyObject_RichCompareBool(value.get(), wanted_value.get(), Py_EQ) == 1;
  if (wanted != route.kind || !same) {
    fuzz::disagree("a route is not what json.loads says", {std::move(wanted_value), nullptr},
                   {fuzz::Owned(Py_NewRef(value.get())), nullptr});
  }
}

void check(std::string_view text, const std::vector<std::string>& keys) {
  std::string scratch;
  const json::Route found = json::find_route(text, keys, scratch);
  if (found.kind == Kind::found) {
    fuzz::must(lies_in(found.value, text) || lies_in(found.value, scratch),
               "a route lies in the text or in scratch");
  }
  check(text, keys, found);
  const json::Route guess = json::guess_route(text.substr(0, text.size() / 2), keys, scratch);
  fuzz::must(guess.kind != Kind::found || lies_in(guess.value, text) || lies_in(guess.value, scratch),
             "a guess lies in the text or in scratch");
  static json::Reader reader;
  json::Tape tape;
  json::Route told;
  // RapidJSON asks for valid UTF-8: a connection has seen to that before.
  if (!fuzz::decoded(text, false)) return;
  reader.append(tape, text, keys, told, scratch);
  check(text, keys, told);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  fuzz::start_python();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  check({reinterpret_cast<const char*>(data) + 1, size - 1}, choices[*data % choices.size()]);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  if (size == 0) data[size++] = 0;
  if (seed % 64 == 1) ++*data;  // other keys
  return 1 + fuzz::mutate_json(data + 1, size - 1, most - 1, seed);
}
