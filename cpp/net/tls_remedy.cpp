// Two tables. Alerts are compared by number: OpenSSL's words for them differ between its versions.
#include "tls_remedy.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace fastws::net {

namespace {

constexpr int first_alert = SSL_AD_REASON_OFFSET;  // an alert's reason is its number above this

std::string client_certificate_remedy(const TlsTrouble& trouble) {
  if (trouble.certificate_given) {
    return "; the server refused the client's certificate: is Tls(cert_file=..., key_file=...) the one it "
           "expects, with "
           "its intermediate certificates, and not expired?";
  }
  return "; the server asks for a client's certificate: give Tls(cert_file=..., key_file=...)";
}

std::string plain_remedy(const TlsTrouble& trouble) {
  if (trouble.proxy) {
    return "; does the proxy speak TLS on this port, or should its URL begin with http://?";
  }
  return "; does the server speak TLS on this port, or should the URL begin with ws://?";
}

std::string version_remedy(const TlsTrouble& trouble) {
  if (trouble.only_tls_1_3) {
    return "; the server does not speak TLS 1.3, and Tls(min_version=\"1.3\") allows nothing older";
  }
  return "; the server speaks no TLS version that is still safe: its operator must allow TLS 1.2 or 1.3";
}

}  // namespace

std::string certificate_remedy(long verdict, const std::string& name, bool proxy) {
  const std::string whose = proxy ? "proxy's" : "server's";
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "it has expired: the " + whose + " operator must renew it, unless this machine's clock is wrong";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "it is not valid yet: is this machine's clock right?";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "it is not for " + name +
             (proxy ? ": check the proxy's URL" : ": check the URL, or give Tls(server_name=...)");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "nobody but itself vouches for it: give Tls(ca_file=...) with it, if you have it from a safe "
             "source";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // an authority of the same name, with another key
      return "who issued it is not known here: give Tls(ca_file=...) if you trust that authority";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "who issued it is not known here: give Tls(ca_file=...) if you trust that authority; or the "
             "server does "
             "not send its intermediate certificates";
    case X509_V_ERR_INVALID_PURPOSE: return "it is no certificate of a server: its operator must get another";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return "it is too weak to be safe: the server's operator must renew it";
    default: return "check the " + whose + " certificate";
  }
}

std::string handshake_remedy(const TlsTrouble& trouble) {
  switch (trouble.reason) {
    case 0:  // a server that does not understand us may just leave
      return trouble.silent ? plain_remedy(trouble) : "";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_BAD_RECORD_TYPE: return plain_remedy(trouble);
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case first_alert + SSL_AD_PROTOCOL_VERSION: return version_remedy(trouble);
    case first_alert + SSL_AD_CERTIFICATE_REQUIRED:
    case first_alert + SSL_AD_BAD_CERTIFICATE:
    case first_alert + SSL_AD_UNSUPPORTED_CERTIFICATE:
    case first_alert + SSL_AD_CERTIFICATE_REVOKED:
    case first_alert + SSL_AD_CERTIFICATE_EXPIRED:
    case first_alert + SSL_AD_CERTIFICATE_UNKNOWN:
    case first_alert + SSL_AD_UNKNOWN_CA: return client_certificate_remedy(trouble);
    case first_alert + SSL_AD_HANDSHAKE_FAILURE:
      if (trouble.certificate_asked && !trouble.certificate_given) return client_certificate_remedy(trouble);
      return "; the server and this client have no cipher in common: its operator must allow stronger ones";
    case first_alert + SSL_AD_UNRECOGNIZED_NAME:
      return "; the server does not know the name " + trouble.name +
             ": check the URL, or give Tls(server_name=...)";
    case first_alert + SSL_AD_NO_APPLICATION_PROTOCOL:
      return "; the server takes none of the protocols that were offered: give Tls(alpn=...), or None";
    case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
    case SSL_R_WRONG_SIGNATURE_TYPE:
    case SSL_R_DH_KEY_TOO_SMALL:
      return "; the server's TLS is too old to be safe: its operator must update it";
    default: return "";
  }
}

}  // namespace fastws::net
