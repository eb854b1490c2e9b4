#pragma once
// An HTTP peer for tests, on a unix socket: a thread a connection, one request each, answered by the test.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/format.hpp"
#include "os/net.hpp"

namespace hal0::cli {

class TestPeer {
  public:
    struct Request {
        std::string head{};  // as sent
        std::string line{};  // "POST /api/slots"
        std::string body{};
    };
    class Connection {
      public:
        explicit Connection(int fd) : fd_{fd} {}
        void send(std::string_view bytes) const {
            (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        }
        void answer(int status, std::string_view body) const {
            send(format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body));
        }
        void begin_events() const { send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"); }
        void event(std::string_view data) const { send(format("data: {}\n\n", data)); }
        void until_closed() const {
            std::array<char, 64> scratch{};
            while (::read(fd_, scratch.data(), scratch.size()) > 0) {
            }
        }

      private:
        int fd_;
    };
    using Handler = std::function<void(Request const&, Connection const&)>;

    TestPeer(std::string const& path, Handler handler)
        : handler_{std::move(handler)}, listener_{os::listen_on(os::UnixAddress{path}).value()} {
        accepting_ = std::thread{[this] { accept_all(); }};
    }
    ~TestPeer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        accepting_.join();
        for (auto& thread : serving_)
            thread.join();
    }
    TestPeer(TestPeer const&) = delete;
    TestPeer& operator=(TestPeer const&) = delete;

    // The requests until now, as "POST /api/slots {…}".
    [[nodiscard]] std::vector<std::string> asked() {
        std::scoped_lock const lock{guard_};
        return asked_;
    }

  private:
    void accept_all() {
        int const flags = ::fcntl(listener_.get(), F_GETFL);
        ::fcntl(listener_.get(), F_SETFL, flags & ~O_NONBLOCK);
        while (true) {
            int const fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            serving_.emplace_back([this, fd] { serve(os::UniqueFd{fd}); });
        }
    }

    void serve(os::UniqueFd const& fd) {
        std::string bytes;
        std::array<char, 4096> piece{};
        auto more = [&] {
            auto const count = ::read(fd.get(), piece.data(), piece.size());
            if (count > 0) bytes.append(piece.data(), static_cast<std::size_t>(count));
            return count > 0;
        };
        while (bytes.find("\r\n\r\n") == std::string::npos) {
            if (!more()) return;
        }
        Request request{.head = bytes.substr(0, bytes.find("\r\n\r\n") + 4)};
        request.line = request.head.substr(0, request.head.find(" HTTP/1.1"));
        std::size_t length = 0;
        if (auto const at = request.head.find("Content-Length: "); at != std::string::npos)
            length = std::stoul(request.head.substr(at + 16));
        while (bytes.size() < request.head.size() + length) {
            if (!more()) return;
        }
        request.body = bytes.substr(request.head.size());
        {
            std::scoped_lock const lock{guard_};
            asked_.push_back(request.line + (request.body.empty() ? "" : " ") + request.body);
        }
        handler_(request, Connection{fd.get()});
    }

    Handler handler_;
    os::UniqueFd listener_;
    std::mutex guard_{};
    std::vector<std::string> asked_{};  // guarded by guard_
    std::vector<std::thread> serving_{};
    std::thread accepting_{};
};

}  // namespace hal0::cli
