#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/format.hpp"
#include "base/text.hpp"
#include "fetch/download.hpp"
#include "os/file.hpp"
#include "os/unique_fd.hpp"

namespace hal0::fetch {
namespace {

constexpr std::chrono::seconds piece_within{120};  // 32 MiB at 2.2 Mbit/s

class PieceOfFile final : public HttpReceiver {
  public:
    PieceOfFile(Piece const& piece, os::UniqueFd fd) : piece_{piece}, fd_{std::move(fd)} {}

    [[nodiscard]] bool complete() const { return headed_ && came_ == wanted_; }

    Result<void> head(HttpHead const& head) override {
        auto const total = head.status == 206 && head.range ? std::optional{head.range->total} : head.length;
        if (head.status == 206 && (!head.range || head.range->first != piece_.first.count))
            return Error{Errc::Unavailable, format("{} sent another part than was asked for", piece_.url)};
        if (head.status != 206 && piece_.first.count > 0)
            return Error{Errc::Unsupported, format("{} can't be had in parts", piece_.url)};
        if (!total || total->count <= 0)
            return Error{Errc::Unsupported, format("{} doesn't say how large it is", piece_.url)};
        if (*total <= piece_.first)
            return Error{Errc::Unavailable, format("{} sent a part from behind its own end", piece_.url)};
        headed_ = true;
        wanted_ = std::min(piece_.count, *total - piece_.first);
        if (::ftruncate(fd_.get(), total->count) != 0)
            return os::errno_error(errno, format("making {} as large as {}", piece_.target, piece_.url));
        return {};
    }
    Result<Want> body(std::string_view bytes) override {
        bytes = bytes.substr(0, static_cast<std::size_t>((wanted_ - came_).count));
        while (!bytes.empty()) {
            auto const written =
                ::pwrite(fd_.get(), bytes.data(), bytes.size(), (piece_.first + came_).count);
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return os::errno_error(errno, format("writing {}", piece_.target));
            bytes.remove_prefix(static_cast<std::size_t>(written));
            came_.count += written;
        }
        return complete() ? Want::NoMore : Want::More;
    }
    [[nodiscard]] Error cut() const override {
        return {Errc::Unavailable,
                format("{} stopped after {} of {}", piece_.url, human(came_), human(wanted_))};
    }

  private:
    Piece const& piece_;
    os::UniqueFd fd_;
    bool headed_{false};
    Bytes wanted_{};
    Bytes came_{};
};

}  // namespace

std::optional<Failure> run(Piece const& piece) {
    os::UniqueFd fd{::open(piece.target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)};
    if (!fd.open()) return Failure{os::errno_error(errno, format("opening {}", piece.target))};
    PieceOfFile receiver{piece, std::move(fd)};
    auto const range = format("{}-{}", piece.first.count, (piece.first + piece.count).count - 1);
    auto end = http_get(
        {.url = piece.url, .range = range, .answer_within = piece.answer_within, .all_within = piece_within},
        receiver);
    if (!end.failure && !receiver.complete()) end.failure = Failure{receiver.cut()};
    return end.failure;
}

}  // namespace hal0::fetch
