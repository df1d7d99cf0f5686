// Where this system keeps the certificate authorities that it trusts.
//
// May know: the file system, the environment, OpenSSL's built-in paths (in its .cpp). Promises: loads nothing and
// remembers nothing; what it names can be read, and holds certificates by the look of it.
#pragma once

#include <string>

namespace fastws::net {

/// Authorities in the two forms that OpenSSL takes. Both empty = none were found.
struct Trust {
  std::string file;    // certificates in PEM form
  std::string folder;  // certificates under the hashes of their names; several with colons between

  [[nodiscard]] bool empty() const noexcept { return file.empty() && folder.empty(); }
};

/// What the search depends on; a test describes a made-up system.
struct TrustSearch {
  std::string root;                            // before every path that the environment does not name
  std::string cert_file, cert_dir;             // SSL_CERT_FILE, SSL_CERT_DIR; empty = not set
  std::string built_in_file, built_in_folder;  // OpenSSL's own, fixed when it was built
};

/// This process: its environment as it is now, its OpenSSL, below `root`.
TrustSearch this_system(const std::string& root = "");

/// The environment rules, each variable in the place of its built-in half, as in OpenSSL itself; then OpenSSL's built-in
/// paths; then the layouts of known systems, because an OpenSSL that was built elsewhere looks where nothing is. Throws
/// std::invalid_argument when the environment names what can not be used.
Trust find_trust(const TrustSearch& search);

/// What to say, and what to do, when none were found.
std::string no_trust_found();

}  // namespace fastws::net
