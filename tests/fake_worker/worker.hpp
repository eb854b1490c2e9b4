#pragma once
// The worker: answers connections as llama-server does, and breaks where the model file says so.
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "answers.hpp"
#include "faults.hpp"
#include "peer.hpp"

namespace fake {

// Appends one line per thing that happened to the file named by `record`, each in one write, so that a test
// (and several workers) can share it. Does nothing without a file.
class Record {
  public:
    explicit Record(std::string path) : path_{std::move(path)} {}
    void line(std::string const& text) const;

  private:
    std::string path_;
};

class Worker final {
  public:
    Worker(Setup setup, std::vector<std::string> keys, Faults faults, Record record)
        : setup_{std::move(setup)},
          keys_{std::move(keys)},
          faults_{std::move(faults)},
          record_{std::move(record)} {}
    Worker(Worker const&) = delete;
    Worker& operator=(Worker const&) = delete;

    void set_ready() { ready_ = true; }
    // Serves one connection to its end; on a thread of its own. Takes the descriptor.
    void serve(int fd);

  private:
    struct Asked {
        Request const& request;
        bool last, breaks;  // breaks: the answer's faults hold for this request
    };
    bool answer(Peer& peer, Request const& request, bool last);  // false: the connection ends
    bool work(Peer& peer, Request const& request, bool last);
    bool refuse(Peer& peer, Reply const& reply);
    bool send_plain(Peer& peer, Reply const& reply, bool last);
    bool send_broken(Peer& peer, Reply const& reply, bool& handled);
    bool send_stream(Peer& peer, Asked const& asked, Reply const& reply);
    bool break_stream(Peer& peer, std::string const& next);
    bool authorised(Request const& request) const;
    bool gone(Request const& request, std::string const& when);  // records it; false
    [[noreturn]] void end(std::string const& why) const;
    std::string head(Reply const& reply, bool last) const;

    Setup const setup_;
    std::vector<std::string> const keys_;
    Faults const faults_;
    Record const record_;
    std::atomic<bool> ready_{false};
    std::atomic<int> busy_{0};
    std::atomic<long> asked_{0}, served_{0}, connections_{0};
};

}  // namespace fake
