// fake-worker: stands in for llama-server in tests. Takes its flags, speaks its protocol, and fails on
// request; see README.md. It is never shipped.
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <thread>

#include "worker.hpp"

namespace fake {
namespace {

struct Options {
    Setup setup{};
    std::string host{"127.0.0.1"}, port{"8080"};
    std::vector<std::string> keys{}, unknown{};
};

void read_keys(std::string const& path, std::vector<std::string>& keys) {
    std::ifstream file{path};
    if (!file) throw std::runtime_error("error: failed to open file '" + path + "'");
    for (std::string line; std::getline(file, line);) {
        if (!line.empty()) keys.push_back(line);
    }
}

// One flag with its value. False: not a flag of ours that takes one.
bool take_value(Options& options, std::string const& flag, std::string const& value) {
    if (flag == "--model" || flag == "-m") return options.setup.model = value, true;
    if (flag == "--alias" || flag == "-a") return options.setup.alias = value, true;
    if (flag == "--host") return options.host = value, true;
    if (flag == "--port") return options.port = value, true;
    if (flag == "-c" || flag == "--ctx-size") return options.setup.context = std::stol(value), true;
    if (flag == "-np" || flag == "--parallel")
        return options.setup.parallel = std::max(1, std::stoi(value)), true;
    if (flag == "--api-key") return options.keys.push_back(value), true;
    if (flag == "--api-key-file") return read_keys(value, options.keys), true;
    for (char const* known : {"--threads", "-t", "-tb", "-cram", "--cache-ram", "--ctx-checkpoints", "-ngl",
                              "-b", "-ub", "-fa", "--fit", "--pooling", "--log-file", "-to", "--threads-http",
                              "--sse-ping-interval", "--load-mode", "--device"}) {
        if (flag == known) return true;
    }
    return false;
}

bool take_switch(Options& options, std::string const& flag) {
    if (flag == "--embeddings" || flag == "--embedding") return options.setup.embeddings = true;
    if (flag == "--reranking" || flag == "--rerank") return options.setup.reranking = true;
    if (flag == "--metrics") return options.setup.metrics = true;
    for (char const* known : {"--offline", "--jinja", "--no-jinja", "--no-webui", "--no-ui", "--slots",
                              "--no-slots", "--props"}) {
        if (flag == known) return true;
    }
    return false;
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        std::string const flag = argv[i];
        if (take_switch(options, flag)) continue;
        if (i + 1 < argc && take_value(options, flag, argv[i + 1])) {
            ++i;
        } else {
            options.unknown.push_back(flag);
        }
    }
    if (options.setup.model.empty()) throw std::runtime_error("error: --model is required");
    if (options.setup.alias.empty()) options.setup.alias = options.setup.model;
    return options;
}

int listen_unix(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return -1;
    std::memcpy(address.sun_path, path.data(), path.size());
    int const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // A file that is already there makes this fail, as it does in llama-server.
    if (bind(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0 || listen(fd, 128) != 0)
        return -1;
    return fd;
}

int listen_tcp(std::string const& host, std::string const& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
    int const fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int const on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool const bound = bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 128) == 0;
    freeaddrinfo(found);
    return bound ? fd : -1;
}

std::string bound_address(int fd, std::string const& host) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    if (address.ss_family == AF_UNIX) return "unix://" + host;
    char service[16]{};
    getnameinfo(reinterpret_cast<sockaddr*>(&address), size, nullptr, 0, service, sizeof service,
                NI_NUMERICSERV);
    return "http://" + host + ":" + service;
}

// A child that keeps our stdout and stderr open after our end, for a supervisor that takes end of output for
// end of process.
void start_grandchild(Faults const& faults) {
    auto const seconds = static_cast<unsigned>(faults.number("grandchild-holds-stdout", 0));
    if (seconds == 0 || fork() != 0) return;
    if (faults.has("grandchild-own-session")) setsid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execlp("sleep", "sleep", std::to_string(seconds).c_str(), nullptr);
    _exit(127);
}

void make_noise(Faults const& faults) {
    for (std::string const& line : faults.all("say")) {
        std::cerr << line << std::endl;
    }
    for (long i = 0; i < faults.number("stdout-noise", 0); ++i) {
        std::printf("noise %ld: %s\n", i, std::string(900, '~').c_str());
    }
    std::fflush(stdout);
}

// Waits for a signal or until `time` is over (negative: for ever); true: we are to end.
bool told_to_end(int signals, Millis time, Faults const& faults, Record const& record) {
    auto const end = std::chrono::steady_clock::now() + time;
    for (;;) {
        auto const left = std::chrono::duration_cast<Millis>(end - std::chrono::steady_clock::now());
        pollfd wait{.fd = signals, .events = POLLIN, .revents = 0};
        if (time.count() >= 0 && left.count() <= 0) return false;
        if (poll(&wait, 1, time.count() < 0 ? -1 : static_cast<int>(left.count())) <= 0) continue;
        signalfd_siginfo info{};
        if (read(signals, &info, sizeof info) != sizeof info) continue;
        record.line(std::string{"signal "} + strsignal(static_cast<int>(info.ssi_signo)));
        if (!faults.has("ignore-term")) return true;
    }
}

[[noreturn]] void accept_for_ever(int listener, Worker& worker) {
    for (;;) {
        int const fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        std::thread{[&worker, fd] { worker.serve(fd); }}.detach();
    }
}

Setup with_faults(Setup setup, Faults const& faults) {
    setup.chunks = faults.number("chunks", setup.chunks);
    setup.chunk_bytes = faults.number("chunk-bytes", 0);
    setup.dims = faults.number("dims", setup.dims);
    setup.garbage = faults.text("garbage");
    setup.end_without_done = faults.has("end-without-done");
    setup.sse_ping = faults.has("sse-ping");
    return setup;
}

int run(Options const& options, Faults const& faults) {
    Record const record{faults.text("record")};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, nullptr);  // also in every thread
    int const signals = signalfd(-1, &ends, SFD_CLOEXEC);

    record.line("load " + options.setup.alias + " model=" + options.setup.model +
                " context=" + std::to_string(options.setup.context) +
                " parallel=" + std::to_string(options.setup.parallel));
    std::cerr << "srv    load_model: loading model '" << options.setup.model << "'" << std::endl;
    make_noise(faults);
    start_grandchild(faults);
    std::string ballast(static_cast<std::size_t>(faults.number("rss-mib", 0)) << 20U, 'b');
    if (told_to_end(signals, faults.millis("listen-after-ms"), faults, record)) return 0;

    int const listener =
        options.host.ends_with(".sock") ? listen_unix(options.host) : listen_tcp(options.host, options.port);
    if (listener < 0) {
        std::cerr << "E srv         start: couldn't bind HTTP server socket, hostname: " << options.host
                  << ", port: " << options.port << std::endl;
        return 1;
    }
    // Lives until _exit: detached threads use it.
    static Worker worker{with_faults(options.setup, faults), options.keys, faults, record};
    std::thread{[listener] { accept_for_ever(listener, worker); }}.detach();

    if (told_to_end(signals, faults.millis("ready-after-ms"), faults, record)) return 0;
    if (faults.has("die-before-ready")) {
        std::cerr << "E srv    load_model: failed to load model, '" << options.setup.model << "'"
                  << std::endl;
        record.line("die before-ready");
        die(faults.text("die-before-ready"));
    }
    worker.set_ready();
    record.line("ready " + options.setup.alias);
    std::cerr << "srv  llama_server: listening on " << bound_address(listener, options.host) << std::endl;
    told_to_end(signals, Millis{-1}, faults, record);
    return 0;  // the socket file stays, as llama-server's does
}

}  // namespace
}  // namespace fake

int main(int argc, char** argv) {
    int code = 1;
    try {
        if (argc > 1 && std::string_view{argv[1]} == "--version") {
            std::cout << "version: 0.6.0-fake (build 0, commit unknown)" << std::endl;
            return 0;
        }
        fake::Options const options = fake::read_options(argc, argv);
        fake::Faults const faults = fake::Faults::read(options.setup.model);
        if (faults.has("strict-args") && !options.unknown.empty()) {
            throw std::runtime_error("error: invalid argument: " + options.unknown.front());
        }
        code = fake::run(options, faults);
    } catch (std::exception const& bad) {
        std::cerr << bad.what() << std::endl;
    }
    _exit(code);  // connection threads are still there, and nothing of theirs is worth waiting for
}
