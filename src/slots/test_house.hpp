#pragma once
// A home with an engine whose llama-server is the fake worker, models that fail as they are told to, and a
// slot table over a true launcher: workers kept by nobody, or by a systemd of the test's own.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/lock_file.hpp"
#include "os/process_info.hpp"
#include "os/test_dir.hpp"
#include "os/test_manager.hpp"
#include "slots/process_launcher.hpp"
#include "slots/run_dir.hpp"
#include "slots/slot_table.hpp"
#include "slots/systemd_launcher.hpp"
#include "slots/unit_name.hpp"

namespace hal0::slots {

// Where requests would come in: remembers what it was told, and has none in flight unless `busy`.
class TestHost final : public SlotHost {
  public:
    void slot_changed(SlotStatus const& status) override {
        if (status.cause != last_cause_)
            heard.push_back(format("{} {}", to_string(status.state), status.name));
        last_cause_ = status.cause;
    }
    void slot_ready(std::string const& slot, os::Address const& worker, std::string const& key) override {
        heard.push_back("open " + slot);
        address = worker;
        EXPECT_EQ(key.size(), 64U);
    }
    void slot_closing(std::string const& slot) override {
        heard.push_back("close " + slot);
        if (!busy) table->drained(slot);
    }
    [[nodiscard]] std::optional<Duration> slot_idle_for(std::string const&) const override {
        return busy ? std::nullopt : idle;
    }
    bool slot_close_if_idle(std::string const&) override { return !busy && !comes_just_then; }
    void slot_lost(std::string const& slot) override { heard.push_back("lost " + slot); }
    void slot_failed(std::string const& slot, Error const& why) override {
        heard.push_back("failed " + slot);
        failure = why;
    }
    void file_ignored(std::string const& path, Error const& why) override {
        heard.push_back("ignored " + os::base_name(path));
        failure = why;
    }
    void slot_removed(std::string const& slot) override { heard.push_back("removed " + slot); }

    [[nodiscard]] long count(std::string const& word) const {
        return std::count(heard.begin(), heard.end(), word);
    }

    SlotTable* table{nullptr};
    bool busy{false};
    std::vector<std::string> heard{};
    Error failure{};
    std::optional<Duration> idle{};
    bool comes_just_then{false};  // a request, between the look and the closing
    os::Address address{};

  private:
    std::string last_cause_{};
};

enum class Keeper { Process, Systemd };

// Of this test program; made when it is first asked for.
inline os::TestManager& test_manager() {
    static os::TestManager manager;
    return manager;
}

class House {
  public:
    // `place`: the home, below the test's own directory.
    explicit House(std::string const& place = "home", Keeper keeper = Keeper::Process) {
        ::setenv("HAL0_HOME", (dir / place).c_str(), 1);
        places = os::find_places().value();
        EXPECT_TRUE(os::make_places(places));
        EXPECT_TRUE(os::make_directories(places.config + "/slots"));
        auto const engine = places.cache + "/engines/llama.cpp/1-k";
        EXPECT_TRUE(os::make_directories(engine + "/bin"));
        EXPECT_TRUE(os::atomic_write(
            engine + "/engine.json",
            engines::encode({.id = "llama.cpp", .version = "1", .key = "k", .backend = "cpu"})));
        auto const self = std::filesystem::read_symlink("/proc/self/exe");
        std::filesystem::create_symlink(self.parent_path() / "bin/fake-worker", engine + "/bin/llama-server");
        self_ = self.string();
        keep_by(keeper);
        models = std::make_unique<models::ModelStore>(std::vector{places.data + "/models"});
        engines = std::make_unique<engines::EngineStore>(places.cache, std::vector<std::string>{});
    }
    ~House() {
        table.reset();
        auto const names = os::list_directory(run_root(places));
        for (auto const& name : names ? *names : std::vector<std::string>{})
            if (auto const pid = holder(name)) ::kill(-*pid, SIGKILL);
        (void)os::remove_tree(places.runtime);  // a long home's lies elsewhere
    }
    House(House const&) = delete;
    House& operator=(House const&) = delete;

    // Faults: tests/fake_worker/README.md.
    void model(std::string const& id, std::vector<std::string> const& faults = {},
               models::Kind kind = models::Kind::Chat) {
        auto const directory = places.data + "/models/" + id;
        EXPECT_TRUE(os::make_directories(directory));
        // Version 3, no tensors, one key.
        auto text = "GGUF\3" + std::string(3 + 8, '\0') + "\1" + std::string(7, '\0');
        text += "\x14" + std::string(7, '\0') + "general.architecture" + "\x8" + std::string(3, '\0');
        text += "\5" + std::string(7, '\0') + "llama\n";
        for (auto const& fault : faults)
            text += "FAKE " + fault + "\n";
        text += "FAKE record=" + record() + "\n";
        EXPECT_TRUE(os::atomic_write(directory + "/m.gguf", text));
        models::ModelRecord const record{
            .id = id, .kind = kind, .files = {{"m.gguf", {static_cast<std::int64_t>(text.size())}, ""}}};
        EXPECT_TRUE(os::atomic_write(directory + "/model.json", models::encode(record)));
    }
    void file(std::string const& slot, std::string const& text) {
        EXPECT_TRUE(os::atomic_write(file_path(slot), text));
    }
    [[nodiscard]] std::string file_path(std::string const& slot) const {
        return places.config + "/slots/" + slot + ".toml";
    }

    // From the next start on.
    void keep_by(Keeper keeper) {
        keeper_ = keeper;
        if (keeper == Keeper::Systemd) put_unit();
    }
    // A daemon's life, as far as slots are concerned. The one before ends first.
    void start() { EXPECT_TRUE(try_to_start()); }
    Result<void> try_to_start() {
        table.reset();
        launcher.reset();
        host = std::make_unique<TestHost>();
        launcher = make_launcher();
        table = std::make_unique<SlotTable>(
            SlotWorld{*loop, *launcher, *host, places, Supplies{*models, *engines, 2}, patience});
        host->table = table.get();
        return table->start();
    }

    template <class Condition> bool until(Condition condition) {
        auto const deadline = Clock::now() + std::chrono::seconds{20};
        while (!condition()) {
            if (Clock::now() > deadline) return false;
            loop->run_once(std::chrono::milliseconds{20});
        }
        return true;
    }
    bool reaches(std::string const& slot, State state) {
        bool const there = until([&] { return status(slot).state == state; });
        EXPECT_TRUE(there) << to_string(status(slot).state) << ": " << status(slot).cause;
        return there;
    }
    // What an operation came to: `ask` is given the Done.
    template <class Ask> Result<SlotStatus> outcome(Ask ask) {
        std::optional<Result<SlotStatus>> result;
        ask([&result](Result<SlotStatus> told) { result = std::move(told); });
        if (!until([&result] { return result.has_value(); })) return Error{Errc::Timeout, "no answer"};
        return *std::move(result);
    }

    [[nodiscard]] SlotStatus status(std::string const& slot) const {
        auto found = table->find(slot);
        return found ? *found : SlotStatus{.cause = found.error().message};
    }
    [[nodiscard]] std::optional<int> holder(std::string const& slot) const {
        auto pid = os::LockFile::holder(run_dir(places, slot).lock);
        return pid ? *pid : std::nullopt;
    }
    // What the workers wrote down that begins with `word`.
    [[nodiscard]] long recorded(std::string const& word) const {
        auto const text = os::read_file(record(), 1_MiB).value_or("");
        auto const lines = split(text, '\n');
        return std::count_if(lines.begin(), lines.end(), [&](std::string_view line) {
            return line.find(word) != std::string_view::npos;
        });
    }
    [[nodiscard]] std::string record() const { return dir / "record"; }

    os::TestDir dir{};
    os::Places places{};
    Patience patience{.check = {},
                      .stop = std::chrono::seconds{1}};  // no check: it would be one more request
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<models::ModelStore> models{};
    std::unique_ptr<engines::EngineStore> engines{};
    std::unique_ptr<TestHost> host{};
    std::unique_ptr<Launcher> launcher{};
    std::unique_ptr<SlotTable> table{};

  private:
    // The one that ships, with this test's program in it.
    void put_unit() const {
        auto text = os::read_file("packaging/hal0-slot@.service", 64_KiB).value();
        std::string const shipped = "/usr/bin/hal0";
        text.replace(text.find(shipped), shipped.size(), self_);
        test_manager().put_unit(std::string{unit_template}, text);
    }
    [[nodiscard]] std::unique_ptr<Launcher> make_launcher() const {
        if (keeper_ == Keeper::Process) return std::make_unique<ProcessLauncher>(*loop, places, self_);
        auto made = std::make_unique<SystemdLauncher>(
            UnitManager::open(*loop, test_manager().address()).value(), places, "");
        EXPECT_TRUE(made->check());
        return made;
    }

    Keeper keeper_{Keeper::Process};
    std::string self_{};
};

}  // namespace hal0::slots
