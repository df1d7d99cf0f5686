// The search: a short list of places, and a look into each.
#include "trust.hpp"

#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace fastws::net {

namespace {

// Bundles by system. Those that other packages write are before those that may be left over from an older release.
constexpr const char* known_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL 7 and later, and its kin
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora until 42, older RHEL, Amazon Linux
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/var/lib/ca-certificates/ca-bundle.pem",             // openSUSE, SLES
    "/etc/ssl/cert.pem",                                  // macOS, Alpine, OpenBSD, FreeBSD
    "/opt/homebrew/etc/ca-certificates/cert.pem",         // Homebrew on Apple silicon
    "/usr/local/etc/ca-certificates/cert.pem",            // Homebrew on Intel
    "/usr/local/share/certs/ca-root-nss.crt",             // FreeBSD with ca_root_nss
    "/etc/pki/tls/cert.pem",                              // RHEL without its bundle's other names
};
constexpr const char* known_folders[] = {
    "/etc/ssl/certs",                                  // Debian, openSUSE, and most
    "/etc/pki/ca-trust/extracted/pem/directory-hash",  // Fedora 43 and later, RHEL 10
    "/etc/pki/tls/certs",                              // Fedora, RHEL
};

bool holds_certificate(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return false;
  std::ifstream file(path);
  const std::string trusted = "-----BEGIN TRUSTED CERTIFICATE-----";
  const std::string plain = "-----BEGIN CERTIFICATE-----";
  const std::string old = "-----BEGIN X509 CERTIFICATE-----";
  for (std::string line; std::getline(file, line);) {
    for (const auto& mark : {plain, trusted, old}) {
      if (line.compare(0, mark.size(), mark) == 0) return true;
    }
  }
  return false;
}

/// OpenSSL finds a certificate in a folder by one name only: eight hexadecimal digits, a dot, a number.
bool is_hashed_name(const std::string& name) {
  const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return name.size() >= 10 && name[8] == '.' && name[9] >= '0' && name[9] <= '9' &&
         std::all_of(name.begin(), name.begin() + 8, hexadecimal);
}

bool holds_hashed_certificates(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (is_hashed_name(entry->path().filename().string()) && ::access(entry->path().c_str(), R_OK) == 0) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string of_environment_file(const std::string& path) {
  if (holds_certificate(path)) return path;
  const bool readable = ::access(path.c_str(), R_OK) == 0;
  throw std::invalid_argument(std::string(X509_get_default_cert_file_env()) + " names " + path + ", which " +
                              (readable ? "holds no certificate in PEM form" : "can not be read") +
                              ": correct it or unset it");
}

std::string of_environment_folder(const std::string& list) {
  const auto folders = parts_of(list);
  if (std::any_of(folders.begin(), folders.end(), holds_hashed_certificates)) return list;
  throw std::invalid_argument(std::string(X509_get_default_cert_dir_env()) + " names " + list +
                              ", where no readable certificate has the name that OpenSSL looks for "
                              "(openssl rehash makes it): correct it or unset it");
}

std::string text_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : "";
}

}  // namespace

TrustSearch this_system(const std::string& root) {
  return {root, text_of(X509_get_default_cert_file_env()), text_of(X509_get_default_cert_dir_env()),
          X509_get_default_cert_file(), X509_get_default_cert_dir()};
}

Trust find_trust(const TrustSearch& search) {
  Trust trust;
  if (!search.cert_file.empty()) {
    trust.file = of_environment_file(search.cert_file);
  } else if (const std::string path = search.root + search.built_in_file; holds_certificate(path)) {
    trust.file = path;
  }
  if (!search.cert_dir.empty()) {
    trust.folder = of_environment_folder(search.cert_dir);
  } else if (const std::string path = search.root + search.built_in_folder; holds_hashed_certificates(path)) {
    trust.folder = path;
  }
  if (!trust.empty()) return trust;
  for (const char* known : known_files) {
    const std::string path = search.root + known;
    if (holds_certificate(path)) return {path, ""};
  }
  for (const char* known : known_folders) {
    const std::string path = search.root + known;
    if (holds_hashed_certificates(path)) return {"", path};
  }
  return {};
}

std::string no_trust_found() {
  return "no certificate authorities were found on this system, so no server can be verified: install its "
         "package "
         "ca-certificates, or pip install certifi, or name a file in SSL_CERT_FILE or in Tls(ca_file=...)";
}

}  // namespace fastws::net
