#include "history/database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/format.hpp"
#include "base/time.hpp"
#include "os/file.hpp"

namespace hal0::history {
namespace {

constexpr int busy_patience_ms = 2000;  // of somebody else who reads it: a backup, sqlite3 in a shell
constexpr std::int64_t page_bytes = 4096;
constexpr std::uint32_t own_only = 0600;

Errc kind_of(int code, int system_error) {
    switch (code & 0xff) {
        case SQLITE_FULL: return Errc::NoSpace;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return Errc::Corrupt;
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return Errc::Busy;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH: return Errc::Forbidden;
        case SQLITE_NOMEM: return Errc::NoSpace;
        case SQLITE_CANTOPEN:
        case SQLITE_IOERR:
            if (system_error == ENOSPC || system_error == EDQUOT) return Errc::NoSpace;
            return system_error == EACCES || system_error == EROFS ? Errc::Forbidden : Errc::Io;
        default: return Errc::Internal;
    }
}

Error fault_of(sqlite3* database, int code) {
    auto const* const path = sqlite3_db_filename(database, "main");
    return {kind_of(code, sqlite3_system_errno(database)),
            format("{}: {}", path == nullptr ? "hal0.db" : path, sqlite3_errmsg(database))};
}

}  // namespace

// ---- statements

Statement::~Statement() { sqlite3_finalize(made_); }

// A parameter that isn't there, or memory that is not, shows when it is run.
Statement& Statement::bind(std::int64_t value) {
    sqlite3_bind_int64(made_, ++bound_, value);
    return *this;
}

Statement& Statement::bind(double value) {
    sqlite3_bind_double(made_, ++bound_, value);
    return *this;
}

Statement& Statement::bind(std::string_view text) {
    // An empty view may have no address, which would be NULL.
    sqlite3_bind_text64(made_, ++bound_, text.empty() ? "" : text.data(), text.size(),
                        SQLITE_TRANSIENT,  // NOLINT: a cast in SQLite's own macro
                        SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind_null() {
    sqlite3_bind_null(made_, ++bound_);
    return *this;
}

Result<bool> Statement::step() {
    auto const code = sqlite3_step(made_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fault_of(sqlite3_db_handle(made_), code);
}

Result<void> Statement::run() {
    Result<bool> more = true;
    while (more.ok() && *more)
        more = step();
    rewind();
    if (!more) return std::move(more).error();
    return {};
}

void Statement::rewind() {
    sqlite3_reset(made_);
    bound_ = 0;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(made_, column); }
double Statement::real(int column) const { return sqlite3_column_double(made_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(made_, column) == SQLITE_NULL; }

std::string Statement::text(int column) const {
    auto const* const bytes = static_cast<char const*>(sqlite3_column_blob(made_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(made_, column))};
}

// ---- the file

Result<std::unique_ptr<Database>> Database::open(std::string const& path, std::span<char const* const> steps,
                                                 Limits const& limits) {
    // Made here: SQLite would leave the file's mode to the umask; what it puts beside it has the file's own.
    HAL0_CHECK(os::open_append(path, own_only));
    sqlite3* made = nullptr;
    auto const code = sqlite3_open_v2(
        path.c_str(), &made, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    std::unique_ptr<Database> database{new Database{made, path}};
    if (code != SQLITE_OK) return in_context(format("opening {}", path), fault_of(made, code));
    HAL0_TRY(version, database->number("PRAGMA user_version"));
    if (std::cmp_greater(version, steps.size()))
        return Error{Errc::Unsupported,
                     format("{} was written by a newer hal0 (its version is {}, this one knows {})", path,
                            version, steps.size())};
    HAL0_CHECK(database->set_up(limits));
    HAL0_CHECK(database->migrate(steps));
    return database;
}

Database::~Database() { sqlite3_close_v2(made_); }

Result<void> Database::set_up(Limits const& limits) {
    // A crash of the machine may lose the last second, never the file; one of the daemon loses nothing that
    // was written.
    return execute(format("PRAGMA busy_timeout={};"
                          "PRAGMA page_size={};"
                          "PRAGMA auto_vacuum=INCREMENTAL;"
                          "PRAGMA journal_mode=WAL;"
                          "PRAGMA synchronous=NORMAL;"
                          "PRAGMA wal_autocheckpoint=256;"
                          "PRAGMA journal_size_limit=2097152;"
                          "PRAGMA temp_store=MEMORY;"
                          "PRAGMA cache_size=-{};"
                          "PRAGMA max_page_count={};",
                          busy_patience_ms, page_bytes, limits.cache_max.count / 1024,
                          limits.size_max.count / page_bytes)
                       .c_str());
}

Result<void> Database::migrate(std::span<char const* const> steps) {
    HAL0_TRY(version, number("PRAGMA user_version"));
    for (auto next = static_cast<std::size_t>(version); next < steps.size(); ++next) {
        HAL0_TRY(transaction, Transaction::begin(*this));
        HAL0_CHECK(execute(steps[next]));
        HAL0_CHECK(execute(format("PRAGMA user_version={}", next + 1).c_str()));
        HAL0_CHECK(transaction->commit());
    }
    return {};
}

Result<void> Database::execute(char const* statements) {
    auto const code = sqlite3_exec(made_, statements, nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return {};
    return fault_of(made_, code);
}

Result<std::unique_ptr<Statement>> Database::prepare(std::string_view statement) {
    sqlite3_stmt* made = nullptr;
    auto const code = sqlite3_prepare_v3(made_, statement.data(), static_cast<int>(statement.size()),
                                         SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code != SQLITE_OK) return fault_of(made_, code);
    return std::make_unique<Statement>(made);
}

Result<std::int64_t> Database::number(std::string_view statement) {
    HAL0_TRY(asked, prepare(statement));
    HAL0_TRY(found, asked->step());
    return found ? asked->integer(0) : 0;
}

// ---- transactions

Result<std::unique_ptr<Transaction>> Transaction::begin(Database& database) {
    // At once for writing: a lock that can't be had is known before any work is done.
    HAL0_CHECK(database.execute("BEGIN IMMEDIATE"));
    return std::unique_ptr<Transaction>{new Transaction{database}};
}

Transaction::~Transaction() {
    if (open_) (void)database_.execute("ROLLBACK");  // fails where SQLite has rolled back already
}

Result<void> Transaction::commit() {
    HAL0_CHECK(database_.execute("COMMIT"));
    open_ = false;
    return {};
}

Result<std::string> move_aside(std::string const& path, WallTime now) {
    auto name = format("{}.bad-{}", path, rfc3339(now));
    std::erase(name, ':');  // of the time: some file systems and scp mind them
    HAL0_CHECK(os::rename_path(path, name));
    if (os::exists(path + "-wal")) HAL0_CHECK(os::rename_path(path + "-wal", name + "-wal"));
    HAL0_CHECK(os::remove_file(path + "-shm"));  // SQLite makes it anew from the other two
    return name;
}

}  // namespace hal0::history
