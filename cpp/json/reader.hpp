// Text -> tape: RapidJSON's SAX reader in situ on a copy in the tape, numbers by our own exact conversion.
//
// May know: tape, number, what a route is (scan); RapidJSON in reader.cpp alone. Promises: off the GIL, no exception, no recursion beyond a
// fixed depth, any bytes; what it does not take as exactly json.loads would, it marks `fallback` with its text intact.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scan.hpp"
#include "tape.hpp"

namespace fastws::json {

class Reader {
 public:
  Reader();
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Appends the document to the tape. `text` must be valid UTF-8 and must not lie inside the tape.
  Document append(Tape& tape, std::string_view text);
  /// The same, and the text's route by `keys`: what find_route() says, for a text that was to be parsed anyway.
  Document append(Tape& tape, std::string_view text, const std::vector<std::string>& keys, Route& route,
                  std::string& scratch);
  /// Appends the text unparsed, as a document that goes to json.loads or is wanted as text.
  static Document append_text(Tape& tape, std::string_view text);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fastws::json
