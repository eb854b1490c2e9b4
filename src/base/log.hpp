#pragma once
// Where the top rooms (api, app, cli) say what they did about an error. Low rooms return errors and log
// nothing above debug.
#include <string_view>
#include <utility>

#include "base/format.hpp"

namespace hal0 {

enum class LogLevel { Debug, Info, Warn, Error };

class Log {
  public:
    virtual void write(LogLevel level, std::string_view line) = 0;
    [[nodiscard]] virtual bool wants(LogLevel level) const = 0;

    template <class... A> void debug(format_string<A...> f, A&&... a) {
        if (wants(LogLevel::Debug)) write(LogLevel::Debug, format(f, std::forward<A>(a)...));
    }
    template <class... A> void info(format_string<A...> f, A&&... a) {
        if (wants(LogLevel::Info)) write(LogLevel::Info, format(f, std::forward<A>(a)...));
    }
    template <class... A> void warn(format_string<A...> f, A&&... a) {
        if (wants(LogLevel::Warn)) write(LogLevel::Warn, format(f, std::forward<A>(a)...));
    }
    template <class... A> void error(format_string<A...> f, A&&... a) {
        if (wants(LogLevel::Error)) write(LogLevel::Error, format(f, std::forward<A>(a)...));
    }

  protected:
    ~Log() = default;
};

}  // namespace hal0
