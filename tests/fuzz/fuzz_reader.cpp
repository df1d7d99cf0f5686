// Fuzz target: the reader and the builder make of every text what json.loads makes of it.
//
// The input is the text; where it is not UTF-8, which the engine lets nobody send, U+FFFD stands. It is read three times by a
// reader and a builder that live as long as the process, as in the extension: what repeats gets a number at its second meeting
// and is given by it from then on (cpp/json/seen.hpp).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "json/reader.hpp"
#include "mutator.hpp"
#include "oracle.hpp"
#include "python/build.hpp"

namespace {

using namespace fastws;

void check(PyObject* text) {
  static auto* const reader = new json::Reader;
  static auto* const builder = new python::Builder;
  const std::string_view utf8 = fuzz::utf8_of(text);
  const fuzz::Outcome wanted = fuzz::json_loads(text);

  // A tape of its own: the first text ends where a block of memory ends.
  json::Tape tape;
  json::Document documents[3];
  for (json::Document& document : documents) document = reader->append(tape, utf8);
  const json::Document unparsed = json::Reader::append_text(tape, utf8);

  for (const json::Document& document : documents) {
    fuzz::must(document.fallback == documents[0].fallback, "taken once is taken again");
    const fuzz::Outcome came = fuzz::outcome(builder->build(tape, document));
    if (!fuzz::same(wanted, came)) fuzz::disagree("a text is not read as json.loads reads it", wanted, came);
  }
  for (const json::Document& document : {documents[0], documents[2], unparsed}) {
    if (!document.fallback) continue;
    const fuzz::Owned kept(python::build_text(tape, document));
    fuzz::must(kept && PyUnicode_Compare(kept.get(), text) == 0,
               "a text that was not taken stands as it came");
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  fuzz::start_python();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Owned text = fuzz::decoded({reinterpret_cast<const char*>(data), size}, true);
  fuzz::must(text != nullptr, "every input has a text");
  check(text.get());
  fuzz::look_for_leaks();
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  return fuzz::mutate_json(data, size, most, seed);
}
