#include "history/database.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <chrono>

#include "os/test_dir.hpp"

namespace hal0::history {
namespace {

constexpr std::array one_step{"CREATE TABLE t(a INTEGER, b TEXT, c REAL)"};
constexpr std::array two_steps{one_step[0], "ALTER TABLE t ADD COLUMN d INTEGER"};
constexpr Database::Limits roomy{.size_max = 1_MiB, .cache_max = 64_KiB};

std::unique_ptr<Database> opened(std::string const& path, std::span<char const* const> steps = one_step) {
    auto database = Database::open(path, steps, roomy);
    EXPECT_TRUE(database.ok()) << (database.ok() ? "" : database.error().message);
    return database.ok() ? std::move(database).value() : nullptr;
}

TEST(Database, GivesBackWhatItWasGiven) {
    os::TestDir dir;
    auto const database = opened(dir / "a.db");
    auto const put = database->prepare("INSERT INTO t VALUES(?, ?, ?)").value();
    ASSERT_TRUE(put->bind(std::int64_t{7}).bind(std::string_view{"x\0y", 3}).bind(0.5).run().ok());
    ASSERT_TRUE(put->bind(std::optional<std::int64_t>{})
                    .bind(std::string_view{})
                    .bind(std::optional<double>{})
                    .run()
                    .ok());
    auto const asked = database->prepare("SELECT * FROM t").value();
    ASSERT_TRUE(asked->step().value());
    EXPECT_EQ(asked->integer(0), 7);
    EXPECT_EQ(asked->text(1), (std::string{"x\0y", 3}));
    EXPECT_EQ(asked->real(2), 0.5);
    ASSERT_TRUE(asked->step().value());
    EXPECT_EQ(asked->maybe_integer(0), std::nullopt);
    EXPECT_EQ(asked->text(1), "");
    EXPECT_FALSE(asked->is_null(1));
    EXPECT_EQ(asked->maybe_real(2), std::nullopt);
    EXPECT_FALSE(asked->step().value());
}

TEST(Database, IsItsOwnersAlone) {
    os::TestDir dir;
    auto const before = ::umask(0);
    auto const database = opened(dir / "a.db");
    ::umask(before);
    ASSERT_TRUE(database->execute("INSERT INTO t VALUES(1, '', 0)").ok());
    for (auto const* name : {"a.db", "a.db-wal", "a.db-shm"})
        EXPECT_EQ(os::status(dir / name).value().mode, 0600U) << name;
}

TEST(Database, AnOlderSchemaIsTakenFurther) {
    os::TestDir dir;
    ASSERT_TRUE(opened(dir / "a.db")->execute("INSERT INTO t VALUES(1, 'kept', 0)").ok());
    auto const database = opened(dir / "a.db", two_steps);
    EXPECT_EQ(database->number("SELECT count(d IS NULL) FROM t WHERE b = 'kept'").value(), 1);
    EXPECT_EQ(database->number("PRAGMA user_version").value(), 2);
}

TEST(Database, AStepThatFailsLeavesNothing) {
    os::TestDir dir;
    constexpr std::array broken{one_step[0], "CREATE TABLE u(a); CREATE TABLE t(a)"};
    EXPECT_EQ(Database::open(dir / "a.db", broken, roomy).error().kind, Errc::Internal);
    auto const database = opened(dir / "a.db");
    EXPECT_EQ(database->number("SELECT count(*) FROM sqlite_master WHERE name = 'u'").value(), 0);
}

TEST(Database, ANewerHal0sIsRefusedAndLeftAsItIs) {
    os::TestDir dir;
    (void)opened(dir / "a.db", two_steps);
    auto const before = os::read_file(dir / "a.db", 1_MiB).value();
    auto const refused = Database::open(dir / "a.db", one_step, roomy);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, Errc::Unsupported);
    EXPECT_EQ(refused.error().message,
              dir / "a.db" + " was written by a newer hal0 (its version is 2, this one knows 1)");
    EXPECT_TRUE(os::read_file(dir / "a.db", 1_MiB).value() == before);
}

TEST(Database, WhatIsNoDatabaseIsCorruptAndCanBePutAside) {
    os::TestDir dir;
    auto const path = dir / "a.db";
    ASSERT_TRUE(os::atomic_write(path, std::string(8192, 'x')));
    ASSERT_TRUE(os::atomic_write(path + "-wal", "w"));
    EXPECT_EQ(Database::open(path, one_step, roomy).error().kind, Errc::Corrupt);
    auto const name = move_aside(path, WallTime{std::chrono::seconds{0}});
    ASSERT_TRUE(name.ok());
    EXPECT_EQ(*name, path + ".bad-1970-01-01T000000Z");
    EXPECT_TRUE(os::exists(*name));
    EXPECT_TRUE(opened(path) != nullptr);
}

TEST(Database, GrowsToItsLimit) {
    os::TestDir dir;
    auto const database = opened(dir / "a.db");
    auto const put = database->prepare("INSERT INTO t VALUES(1, ?, 0)").value();
    std::string const text(4096, 'x');
    Result<void> outcome;
    for (int i = 0; i < 1000 && outcome.ok(); ++i)
        outcome = put->bind(std::string_view{text}).run();
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().kind, Errc::NoSpace);
    EXPECT_GT(database->number("SELECT count(*) FROM t").value(), 50) << "what was there stays";
}

TEST(Database, WhatIsNotCommittedNeverWas) {
    os::TestDir dir;
    auto const database = opened(dir / "a.db");
    {
        auto const transaction = Transaction::begin(*database).value();
        ASSERT_TRUE(database->execute("INSERT INTO t VALUES(1, '', 0)").ok());
    }
    EXPECT_EQ(database->number("SELECT count(*) FROM t").value(), 0);
    auto const transaction = Transaction::begin(*database).value();
    ASSERT_TRUE(database->execute("INSERT INTO t VALUES(1, '', 0)").ok());
    ASSERT_TRUE(transaction->commit().ok());
    EXPECT_EQ(database->number("SELECT count(*) FROM t").value(), 1);
}

}  // namespace
}  // namespace hal0::history
