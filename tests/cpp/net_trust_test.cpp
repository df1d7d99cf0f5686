// The search for the system's certificate authorities, in made-up systems of every known layout.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "net/trust.hpp"
#include "net_tls_rig.hpp"

namespace fastws::net {
namespace {

using testing::Asked;
using testing::Certificate;

std::string hashed_name(const Certificate& authority) {
  char name[16];
  std::snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(authority.x509()));
  return name;
}

/// A root folder that a test fills.
class TrustSearching : public ::testing::Test {
 protected:
  TrustSearching() {
    std::string pattern = "/tmp/fastws-root-XXXXXX";
    search_.root = ::mkdtemp(pattern.data());
    search_.built_in_file = "/opt/ssl/cert.pem";
    search_.built_in_folder = "/opt/ssl/certs";
  }
  ~TrustSearching() override { std::filesystem::remove_all(search_.root); }

  /// Puts a file into the made-up system; its real path.
  std::string put(const std::string& path, const std::string& content) {
    const std::filesystem::path file = search_.root + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
    return file;
  }
  std::string put_bundle(const std::string& path) { return put(path, "# Authority\n" + authority_.pem()); }
  std::string put_folder(const std::string& path) {
    put(path + "/" + hashed_name(authority_), authority_.pem());
    return search_.root + path;
  }
  /// What OpenSSL itself makes of the find: whether the authority is among those it would trust.
  bool verifies(const Trust& trust) {
    const testing::Owned<X509_STORE_CTX> check(X509_STORE_CTX_new());
    X509_STORE* store = X509_STORE_new();
    if (!trust.file.empty()) X509_STORE_load_file(store, trust.file.c_str());
    if (!trust.folder.empty()) X509_STORE_load_path(store, trust.folder.c_str());
    X509_STORE_CTX_init(check.get(), store, server_.x509(), nullptr);
    const bool good = X509_verify_cert(check.get()) == 1;
    X509_STORE_free(store);
    return good;
  }
  std::string refusal() {
    try {
      find_trust(search_);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "(accepted)";
  }

  Certificate authority_{Asked{"authority", "", true}};
  Certificate server_{Asked{"server", "DNS:localhost"}, &authority_};
  TrustSearch search_;
};

class KnownFiles : public TrustSearching, public ::testing::WithParamInterface<const char*> {};

TEST_P(KnownFiles, are_found_and_trusted) {
  const std::string path = put_bundle(GetParam());
  const Trust trust = find_trust(search_);
  EXPECT_EQ(trust.file, path);
  EXPECT_EQ(trust.folder, "");
  EXPECT_TRUE(verifies(trust));
}

INSTANTIATE_TEST_SUITE_P(
    of, KnownFiles,
    ::testing::Values("/etc/ssl/certs/ca-certificates.crt",
                      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/pki/tls/certs/ca-bundle.crt",
                      "/etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/cert.pem",
                      "/opt/homebrew/etc/ca-certificates/cert.pem", "/usr/local/etc/ca-certificates/cert.pem",
                      "/usr/local/share/certs/ca-root-nss.crt", "/etc/pki/tls/cert.pem"));

class KnownFolders : public TrustSearching, public ::testing::WithParamInterface<const char*> {};

TEST_P(KnownFolders, are_found_and_trusted) {
  const std::string path = put_folder(GetParam());
  const Trust trust = find_trust(search_);
  EXPECT_EQ(trust.folder, path);
  EXPECT_EQ(trust.file, "");
  EXPECT_TRUE(verifies(trust));
}

INSTANTIATE_TEST_SUITE_P(of, KnownFolders,
                         ::testing::Values("/etc/ssl/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash",
                                           "/etc/pki/tls/certs"));

TEST_F(TrustSearching, finds_nothing_in_an_empty_system) {
  EXPECT_TRUE(find_trust(search_).empty());
  EXPECT_FALSE(verifies(find_trust(search_)));
}

TEST_F(TrustSearching, prefers_the_bundle_to_the_folder_beside_it) {
  const std::string bundle = put_bundle("/etc/ssl/certs/ca-certificates.crt");
  put_folder("/etc/ssl/certs");
  EXPECT_EQ(find_trust(search_).file, bundle);
}

TEST_F(TrustSearching, prefers_what_openssl_was_built_for) {
  put_bundle("/etc/ssl/certs/ca-certificates.crt");
  const std::string folder = put_folder("/opt/ssl/certs");
  EXPECT_EQ(find_trust(search_).folder, folder);
  EXPECT_EQ(find_trust(search_).file, "");
  const std::string bundle = put_bundle("/opt/ssl/cert.pem");
  EXPECT_EQ(find_trust(search_).folder, folder);
  EXPECT_EQ(find_trust(search_).file, bundle);
}

TEST_F(TrustSearching, passes_by_what_holds_no_certificate) {
  put("/etc/ssl/certs/ca-certificates.crt", "");
  put("/etc/pki/tls/certs/ca-bundle.crt", "# a bundle that somebody emptied\n");
  put("/opt/ssl/certs/README", "certificates go here\n");
  put("/opt/ssl/certs/authority.pem", authority_.pem());  // without its hash OpenSSL does not see it
  std::filesystem::create_directories(search_.root + "/etc/ssl/ca-bundle.pem");
  EXPECT_TRUE(find_trust(search_).empty());
  const std::string bundle = put_bundle("/etc/ssl/cert.pem");
  EXPECT_EQ(find_trust(search_).file, bundle);
}

TEST_F(TrustSearching, takes_a_bundle_of_trusted_certificates) {
  put("/etc/ssl/cert.pem", "-----BEGIN TRUSTED CERTIFICATE-----\n");
  EXPECT_FALSE(find_trust(search_).empty());
}

TEST_F(TrustSearching, goes_by_a_link) {
  const std::string bundle = put_bundle("/var/authorities.pem");
  std::filesystem::create_directories(search_.root + "/etc/ssl");
  std::filesystem::create_symlink(bundle, search_.root + "/etc/ssl/cert.pem");
  EXPECT_TRUE(verifies(find_trust(search_)));
  std::filesystem::remove(bundle);
  EXPECT_TRUE(find_trust(search_).empty());
}

// --- The environment -------------------------------------------------------------------------------------------------

TEST_F(TrustSearching, begins_with_the_environments_file) {
  put_bundle("/etc/ssl/certs/ca-certificates.crt");
  put_bundle("/opt/ssl/cert.pem");
  search_.cert_file = put_bundle("/mine/ca.pem");  // a real path: the environment's are not below the root
  EXPECT_EQ(find_trust(search_).file, search_.cert_file);
  EXPECT_EQ(find_trust(search_).folder, "");
  EXPECT_TRUE(verifies(find_trust(search_)));
}

TEST_F(TrustSearching, begins_with_the_environments_folder) {
  put_bundle("/etc/ssl/certs/ca-certificates.crt");
  search_.cert_dir = put_folder("/mine/certs");
  EXPECT_EQ(find_trust(search_).folder, search_.cert_dir);
  EXPECT_EQ(find_trust(search_).file, "");
  EXPECT_TRUE(verifies(find_trust(search_)));
}

TEST_F(TrustSearching, takes_several_folders) {
  search_.cert_dir = search_.root + "/nothing:" + put_folder("/mine/certs");
  EXPECT_EQ(find_trust(search_).folder, search_.cert_dir);
  EXPECT_TRUE(verifies(find_trust(search_)));
}

TEST_F(TrustSearching, leaves_openssl_the_half_that_the_environment_does_not_name) {
  const std::string folder = put_folder("/opt/ssl/certs");
  put_bundle("/opt/ssl/cert.pem");
  search_.cert_file = put_bundle("/mine/ca.pem");
  EXPECT_EQ(find_trust(search_).file, search_.cert_file);
  EXPECT_EQ(find_trust(search_).folder, folder);
}

TEST_F(TrustSearching, blames_an_environment_that_names_nothing_of_use) {
  put_bundle("/etc/ssl/cert.pem");
  search_.cert_file = search_.root + "/no/such.pem";
  EXPECT_EQ(refusal().find("SSL_CERT_FILE names " + search_.cert_file + ", which can not be read"), 0U)
      << refusal();
  search_.cert_file = put("/mine/empty.pem", "nothing\n");
  EXPECT_NE(refusal().find("holds no certificate in PEM form"), std::string::npos) << refusal();
  search_.cert_file = "";
  put("/mine/certs/authority.pem", authority_.pem());
  search_.cert_dir = search_.root + "/mine/certs";
  EXPECT_EQ(refusal().find("SSL_CERT_DIR names " + search_.cert_dir), 0U) << refusal();
  EXPECT_NE(refusal().find("openssl rehash"), std::string::npos) << refusal();
}

TEST_F(TrustSearching, reads_this_process_s_environment) {
  ::setenv("SSL_CERT_FILE", "/some/file.pem", 1);
  ::setenv("SSL_CERT_DIR", "/some/folder", 1);
  const TrustSearch search = this_system("/root-of-it");
  EXPECT_EQ(search.root, "/root-of-it");
  EXPECT_EQ(search.cert_file, "/some/file.pem");
  EXPECT_EQ(search.cert_dir, "/some/folder");
  EXPECT_FALSE(search.built_in_file.empty());
  EXPECT_FALSE(search.built_in_folder.empty());
  ::unsetenv("SSL_CERT_FILE");
  ::unsetenv("SSL_CERT_DIR");
  EXPECT_EQ(this_system().cert_file + this_system().cert_dir, "");
}

// --- What a context makes of it --------------------------------------------------------------------------------------

TEST_F(TrustSearching, that_found_nothing_says_what_to_do) {
  TlsOptions options;
  check_tls(options);  // where it was looked for, something was: that is another context
  options.trust = Trust{};
  try {
    check_tls(options);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    const std::string why = error.what();
    for (const char* part : {"tls: no certificate authorities", "ca-certificates", "pip install certifi",
                             "SSL_CERT_FILE", "Tls(ca_file=...)"}) {
      EXPECT_NE(why.find(part), std::string::npos) << why;
    }
  }
}

TEST_F(TrustSearching, is_of_no_interest_to_who_verifies_nothing_or_names_authorities) {
  TlsOptions options;
  options.trust = Trust{};
  options.verify = false;
  EXPECT_NO_THROW(check_tls(options));
  options.verify = true;
  options.ca_data = authority_.pem();
  EXPECT_NO_THROW(check_tls(options));
}

}  // namespace
}  // namespace fastws::net
