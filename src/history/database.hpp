#pragma once
// SQLite, thinly: a file, its statements, and failures as values. Of one thread at a time.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace hal0::history {

// One statement, compiled; used again and again. Its database outlives it.
class Statement final : NoCopy {
  public:
    explicit Statement(sqlite3_stmt* made) : made_{made} {}
    ~Statement();

    // The next `?`, in their order, from the first after run() and rewind().
    Statement& bind(std::int64_t value);
    Statement& bind(double value);
    Statement& bind(std::string_view text);  // copied
    Statement& bind_null();
    template <class T> Statement& bind(std::optional<T> const& value) {
        return value ? bind(*value) : bind_null();
    }

    // Whether there is a row, or one more.
    Result<bool> step();
    // To its end, and anew.
    Result<void> run();
    void rewind();

    // Of the present row, from 0.
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] std::optional<std::int64_t> maybe_integer(int column) const {
        return is_null(column) ? std::nullopt : std::optional{integer(column)};
    }
    [[nodiscard]] std::optional<double> maybe_real(int column) const {
        return is_null(column) ? std::nullopt : std::optional{real(column)};
    }

  private:
    sqlite3_stmt* made_;
    int bound_{0};
};

class Database final : NoCopy {
  public:
    struct Limits {
        Bytes size_max{};  // of the file: what would make it larger is NoSpace
        Bytes cache_max{};
    };
    // Opens the file, or makes it, readable by its owner alone. `steps[n]` takes a schema from version n to
    // n + 1; what is missing is done. Unsupported where a newer hal0 wrote it: the file is left as it is.
    // Corrupt where it is no database.
    static Result<std::unique_ptr<Database>> open(std::string const& path, std::span<char const* const> steps,
                                                  Limits const& limits);
    ~Database();

    Result<void> execute(char const* statements);
    Result<std::unique_ptr<Statement>> prepare(std::string_view statement);
    // The only row's only number.
    Result<std::int64_t> number(std::string_view statement);

  private:
    Database(sqlite3* made, std::string path) : made_{made}, path_{std::move(path)} {}
    Result<void> set_up(Limits const& limits);
    Result<void> migrate(std::span<char const* const> steps);

    sqlite3* made_;
    std::string path_;
};

// All or nothing: what isn't committed when it is destroyed never was.
class Transaction final : NoCopy {
  public:
    static Result<std::unique_ptr<Transaction>> begin(Database& database);
    ~Transaction();
    Result<void> commit();

  private:
    explicit Transaction(Database& database) : database_{database} {}
    Database& database_;
    bool open_{true};
};

// Puts a database that can't be read aside, with what SQLite keeps beside it, as PATH.bad-TIME; gives that
// name.
Result<std::string> move_aside(std::string const& path, WallTime now);

}  // namespace hal0::history
