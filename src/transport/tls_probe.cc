// ReachBroker and CertificateEnd: sockets, and OpenSSL for what Paho does not tell.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <system_error>

#include "transport/broker_probe.h"

namespace rivulet {
namespace {

// With TLS 1.3 a server refuses a client's certificate after the handshake: it is given so long.
constexpr int64_t kRefusalWithinUs = 300'000;

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* p) const { kFree(p); }
};
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freer<SSL_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Addresses = std::unique_ptr<addrinfo, Freer<freeaddrinfo>>;
using File = std::unique_ptr<FILE, Freer<fclose>>;

class Socket {
 public:
  Socket() = default;
  ~Socket() { Close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  void Open(const addrinfo& a) {
    Close();
    fd_ = ::socket(a.ai_family, a.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a.ai_protocol);
  }
  int get() const { return fd_; }

 private:
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int fd_ = -1;
};

std::string Words(int error) { return std::generic_category().message(error); }

// 0, or an errno.
int ConnectTo(const addrinfo& a, Duration timeout, Socket* socket) {
  socket->Open(a);
  if (socket->get() < 0) return errno;
  if (::connect(socket->get(), a.ai_addr, a.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait{socket->get(), POLLOUT, 0};
  const int ready = ::poll(&wait, 1, static_cast<int>(timeout.us / 1000));
  if (ready <= 0) return ready == 0 ? ETIMEDOUT : errno;
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(socket->get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::string NumericAddress(const addrinfo& a, uint16_t port) {
  char host[INET6_ADDRSTRLEN] = {};
  ::getnameinfo(a.ai_addr, a.ai_addrlen, host, sizeof(host), nullptr, 0, NI_NUMERICHOST);
  const std::string text = a.ai_family == AF_INET6 ? "[" + std::string(host) + "]" : host;
  return text + ":" + std::to_string(port);
}

// A blocking socket whose calls end after `timeout`.
void SetTimeout(int fd, int64_t us) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  timeval t{};
  t.tv_sec = static_cast<time_t>(us / 1'000'000);
  t.tv_usec = static_cast<suseconds_t>(us % 1'000'000);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

std::string LibraryError(const std::string& otherwise) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? otherwise : reason;
}

std::optional<EventTime> EndOf(const X509* certificate) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1) return std::nullopt;
  return EventTime{static_cast<int64_t>(::timegm(&tm)) * 1'000'000};
}

std::string SubjectOf(const X509* certificate) {
  char text[256] = {};
  X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof(text));
  return text;
}

// Loads what the options name. Returns what is wrong, or "".
std::string Prepare(SSL_CTX* context, const MqttTls& tls) {
  const bool trusts = tls.ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(context) == 1
                          : SSL_CTX_load_verify_locations(context, tls.ca_file.c_str(), nullptr) == 1;
  if (!trusts) return "CA file '" + tls.ca_file + "': " + LibraryError("cannot be read");
  if (!tls.cert_file.empty() &&
      SSL_CTX_use_certificate_chain_file(context, tls.cert_file.c_str()) != 1) {
    return "certificate file '" + tls.cert_file + "': " + LibraryError("cannot be read");
  }
  if (!tls.key_file.empty() &&
      SSL_CTX_use_PrivateKey_file(context, tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return "key file '" + tls.key_file + "': " + LibraryError("cannot be read");
  }
  return "";
}

void ExpectHost(SSL* session, const std::string& host) {
  const std::string bare = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  X509_VERIFY_PARAM* parameters = SSL_get0_param(session);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, bare.c_str()) != 1) {
    SSL_set1_host(session, bare.c_str());
  }
}

// Whether the server hangs up right after the handshake.
std::string LateRefusal(SSL* session, int fd) {
  SetTimeout(fd, kRefusalWithinUs);
  char byte = 0;
  ERR_clear_error();
  const int n = SSL_read(session, &byte, 1);
  if (n > 0 || SSL_get_error(session, n) == SSL_ERROR_WANT_READ) return "";
  return LibraryError("the broker hung up after the handshake");
}

// The handshake, then whom it was made with: a certificate that is not accepted is still shown.
std::string Handshake(const BrokerAddress& address, const MqttTls& tls, Duration timeout, int fd,
                      BrokerReach* reach) {
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return LibraryError("no TLS");
  const std::string unprepared = Prepare(context.get(), tls);
  if (!unprepared.empty()) return unprepared;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  const Session session(SSL_new(context.get()));
  if (session == nullptr) return LibraryError("no TLS");
  SSL_set_tlsext_host_name(session.get(), address.host.c_str());
  if (tls.verify_hostname) ExpectHost(session.get(), address.host);
  SetTimeout(fd, timeout.us);
  SSL_set_fd(session.get(), fd);
  ERR_clear_error();
  if (SSL_connect(session.get()) != 1) {
    return LibraryError("the broker does not answer in TLS");
  }
  const Certificate shown(SSL_get1_peer_certificate(session.get()));
  if (shown == nullptr) return "the broker shows no certificate";
  reach->certificate = SubjectOf(shown.get());
  reach->valid_until = EndOf(shown.get());
  const long verified = SSL_get_verify_result(session.get());
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  return LateRefusal(session.get(), fd);
}

}  // namespace

BrokerReach ReachBroker(const BrokerAddress& address, const std::optional<MqttTls>& tls,
                        Duration timeout) {
  BrokerReach reach;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string host = address.host.starts_with('[')
                               ? address.host.substr(1, address.host.size() - 2)
                               : address.host;
  const std::string port = std::to_string(address.port);
  const int resolved = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (resolved != 0) {
    reach.error = ::gai_strerror(resolved);
    return reach;
  }
  const Addresses addresses(list);
  reach.stopped_at = BrokerReach::Step::kConnect;
  Socket socket;
  int error = EADDRNOTAVAIL;
  for (const addrinfo* a = list; a != nullptr && error != 0; a = a->ai_next) {
    error = ConnectTo(*a, timeout, &socket);
    reach.address = NumericAddress(*a, address.port);
  }
  if (error != 0) {
    reach.error = Words(error);
    reach.refused = error == ECONNREFUSED;
    return reach;
  }
  if (address.tls) {
    reach.stopped_at = BrokerReach::Step::kTls;
    reach.error = Handshake(address, tls.value_or(MqttTls{}), timeout, socket.get(), &reach);
    if (!reach.error.empty()) return reach;
  }
  reach.stopped_at = BrokerReach::Step::kReached;
  return reach;
}

Result<EventTime> CertificateEnd(const std::string& path) {
  const File file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) return {ErrorCode::kFileNotReadable, "'" + path + "': " + Words(errno)};
  const Certificate certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  const std::optional<EventTime> end =
      certificate == nullptr ? std::nullopt : EndOf(certificate.get());
  if (!end) return {ErrorCode::kFileNotReadable, "'" + path + "' holds no PEM certificate"};
  return *end;
}

}  // namespace rivulet
