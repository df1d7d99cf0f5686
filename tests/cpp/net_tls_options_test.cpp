// TLS options that can not be used are refused before any attempt, by the name of the argument at fault.
#include <gtest/gtest.h>

#include "net_tls_rig.hpp"

namespace fastws::net {
namespace {

using testing::Asked;
using testing::Certificate;
using testing::File;

/// The refusal's words, which begin with the argument; "(accepted)" when there is none.
std::string refusal(const TlsOptions& options) {
  try {
    check_tls(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "(accepted)";
}

/// What stands before the colon.
std::string blamed(const TlsOptions& options) {
  const std::string why = refusal(options);
  return why.substr(0, why.find(':'));
}

class TlsChecks : public ::testing::Test {
 protected:
  Certificate own_{Asked{"own", ""}};
  File certificate_{own_.pem()};
  File key_{own_.key_pem()};
  File locked_key_{own_.key_pem("open sesame")};
  File nonsense_{"this is no PEM\n"};
  TlsOptions options_;
};

TEST_F(TlsChecks, accept_the_defaults) { EXPECT_EQ(refusal(options_), "(accepted)"); }

TEST_F(TlsChecks, accept_no_verification) {
  options_.verify = false;
  EXPECT_EQ(refusal(options_), "(accepted)");
}

TEST_F(TlsChecks, accept_both_versions) {
  for (const char* version : {"1.2", "1.3"}) {
    options_.min_version = version;
    EXPECT_EQ(refusal(options_), "(accepted)") << version;
  }
}

TEST_F(TlsChecks, blame_min_version) {
  for (const char* version : {"1.1", "1", "TLSv1.2", "1.4"}) {
    options_.min_version = version;
    EXPECT_EQ(blamed(options_), "min_version") << version;
  }
}

TEST_F(TlsChecks, blame_a_missing_ca_file) {
  options_.ca_file = "/no/such/file.pem";
  EXPECT_EQ(blamed(options_), "ca_file");
  EXPECT_NE(refusal(options_).find("/no/such/file.pem"), std::string::npos);
}

TEST_F(TlsChecks, blame_a_ca_file_of_nonsense) {
  options_.ca_file = nonsense_.path();
  EXPECT_EQ(blamed(options_), "ca_file");
}

TEST_F(TlsChecks, blame_a_ca_path_that_is_no_folder) {
  options_.ca_path = certificate_.path();
  EXPECT_EQ(blamed(options_), "ca_path");
  options_.ca_path = "/no/such/folder";
  EXPECT_EQ(blamed(options_), "ca_path");
}

TEST_F(TlsChecks, accept_a_folder_of_authorities) {
  options_.ca_path = "/tmp";
  EXPECT_EQ(refusal(options_), "(accepted)");
}

TEST_F(TlsChecks, blame_ca_data_of_nonsense) {
  options_.ca_data = "nonsense";
  EXPECT_EQ(blamed(options_), "ca_data");
}

TEST_F(TlsChecks, blame_ca_data_that_is_cut_off) {
  const std::string pem = own_.pem();
  options_.ca_data = pem + pem.substr(0, pem.size() / 2);
  EXPECT_EQ(blamed(options_), "ca_data");
}

TEST_F(TlsChecks, accept_text_between_the_authorities) {
  options_.ca_data =
      "# the first\n" + own_.pem() + "\n# the second\n" + Certificate(Asked{"b", ""}).pem() + "\n# end\n";
  EXPECT_EQ(refusal(options_), "(accepted)");
}

TEST_F(TlsChecks, accept_a_certificate_with_its_key) {
  options_.cert_file = certificate_.path();
  options_.key_file = key_.path();
  EXPECT_EQ(refusal(options_), "(accepted)");
}

TEST_F(TlsChecks, accept_both_in_one_file) {
  const File both(own_.pem() + own_.key_pem());
  options_.cert_file = both.path();
  EXPECT_EQ(refusal(options_), "(accepted)");
}

TEST_F(TlsChecks, accept_a_locked_key_with_its_password) {
  options_.cert_file = certificate_.path();
  options_.key_file = locked_key_.path();
  options_.key_password = "open sesame";
  EXPECT_EQ(refusal(options_), "(accepted)");
}

TEST_F(TlsChecks, blame_a_wrong_password_without_showing_it) {
  options_.cert_file = certificate_.path();
  options_.key_file = locked_key_.path();
  options_.key_password = "open barley";
  EXPECT_EQ(blamed(options_), "key_password");
  EXPECT_EQ(refusal(options_).find("barley"), std::string::npos);
}

TEST_F(TlsChecks, blame_a_missing_password_and_ask_nobody) {
  options_.cert_file = certificate_.path();
  options_.key_file = locked_key_.path();
  EXPECT_EQ(blamed(options_), "key_password");
  EXPECT_NE(refusal(options_).find("encrypted"), std::string::npos);
}

TEST_F(TlsChecks, blame_a_missing_certificate_file) {
  options_.cert_file = "/no/such/cert.pem";
  options_.key_file = key_.path();
  EXPECT_EQ(blamed(options_), "cert_file");
}

TEST_F(TlsChecks, blame_a_certificate_without_its_key) {
  options_.cert_file = certificate_.path();
  EXPECT_EQ(blamed(options_), "cert_file");
}

TEST_F(TlsChecks, blame_a_key_without_its_certificate) {
  options_.key_file = key_.path();
  EXPECT_EQ(blamed(options_), "key_file");
}

TEST_F(TlsChecks, blame_a_missing_or_nonsensical_key) {
  options_.cert_file = certificate_.path();
  for (const std::string& path : {std::string("/no/such/key.pem"), nonsense_.path()}) {
    options_.key_file = path;
    EXPECT_EQ(blamed(options_), "key_file") << path;
  }
}

TEST_F(TlsChecks, blame_the_key_of_another_certificate) {
  const File other(Certificate(Asked{"other", ""}).key_pem());
  options_.cert_file = certificate_.path();
  options_.key_file = other.path();
  EXPECT_EQ(blamed(options_), "key_file");
  EXPECT_NE(refusal(options_).find("does not belong"), std::string::npos);
}

TEST_F(TlsChecks, blame_names_of_protocols_that_have_no_place_in_the_list) {
  for (const std::string& name : {std::string(), std::string(256, 'x')}) {
    options_.alpn = {"http/1.1", name};
    EXPECT_EQ(blamed(options_), "alpn") << name;
  }
  options_.alpn = {std::string(255, 'x')};
  EXPECT_EQ(refusal(options_), "(accepted)");
  options_.alpn = {};
  EXPECT_EQ(refusal(options_), "(accepted)");
}

TEST_F(TlsChecks, blame_a_keylog_file_that_can_not_be_written) {
  options_.keylog_file = "/tmp";
  EXPECT_EQ(blamed(options_), "keylog_file");
  EXPECT_NE(refusal(options_).find("Is a directory"), std::string::npos);
}

TEST_F(TlsChecks, find_a_file_that_was_bad_and_is_good_now) {
  const std::string path = nonsense_.path();
  options_.ca_file = path;
  EXPECT_EQ(blamed(options_), "ca_file");
  std::ofstream(path) << own_.pem();
  EXPECT_EQ(refusal(options_), "(accepted)");
}

TEST_F(TlsChecks, work_again_after_the_contexts_were_given_back) {
  check_tls(options_);
  forget_tls_contexts();
  EXPECT_EQ(refusal(options_), "(accepted)");
  forget_tls_contexts();
}

}  // namespace
}  // namespace fastws::net
