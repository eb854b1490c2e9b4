#include "models/remote_header.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "base/format.hpp"
#include "models/byte_source.hpp"
#include "models/fetch_program.hpp"
#include "models/gguf_model.hpp"
#include "os/file.hpp"

namespace hal0::models {
namespace {

constexpr std::chrono::minutes kept{10};
constexpr std::size_t key_digits = 16;

// "https://host/dir/" + "model.gguf" + "?download=true"
struct Address {
    std::string_view directory{};
    std::string_view name{};
    std::string_view rest{};
};
Address address_of(std::string_view url) {
    auto const end = std::min(url.find_first_of("?#"), url.size());
    auto const slash = url.substr(0, end).rfind('/');
    auto const begin = slash == std::string_view::npos ? 0 : slash + 1;
    return {url.substr(0, begin), url.substr(begin, end - begin), url.substr(end)};
}

// What comes is written to `target` where it is in the whole: from its beginning on without gaps, since all
// of a header is wanted there.
class RemoteSource final : public ByteSource {
  public:
    RemoteSource(std::string url, std::string target, std::string const& fetch_program)
        : url_{std::move(url)}, target_{std::move(target)}, fetch_program_{fetch_program} {}

    // The first piece, by which its size is known.
    Result<void> begin() {
        HAL0_CHECK(get(remote_pieces.first));
        HAL0_TRY(status, os::status(target_));
        size_ = status.size;
        return {};
    }
    [[nodiscard]] Bytes size() const override { return size_; }
    [[nodiscard]] Pieces pieces() const override { return remote_pieces; }
    Result<std::string> read(Bytes offset, Bytes count) override {
        auto const end = std::min(offset + count, size_);
        if (end > have_) HAL0_CHECK(get(end - have_));
        HAL0_TRY(fd, os::open_read(target_));
        return os::read_at(fd, offset, count);
    }

  private:
    Result<void> get(Bytes count) {
        auto got = get_piece(have_, count);
        // A server without ranges gives its beginning: as much of that as is wanted, once more.
        if (!got && got.error().kind == Errc::Unsupported && have_ > Bytes{})
            got = get_piece({}, have_ + count);
        HAL0_CHECK(got);
        have_ += count;
        HAL0_TRY(status, os::status(target_));
        if (size_ > Bytes{} && status.size != size_)
            return Error{Errc::Unavailable, format("{} changed while it was read", url_)};
        return {};
    }
    [[nodiscard]] Result<void> get_piece(Bytes first, Bytes count) const {
        return run_fetch_program(
            fetch_program_, {"piece", url_, format("{}", first.count), format("{}", count.count), target_});
    }

    std::string url_;
    std::string target_;
    std::string const& fetch_program_;
    Bytes size_{};
    Bytes have_{};
};

// "https://user:password@host/": every user of the box would see it in the list of processes.
bool holds_a_password(std::string_view url) {
    auto const begin = std::min(url.find("://"), url.size());
    auto const authority = url.substr(begin, url.find('/', begin + 3) - begin);
    return authority.find('@') != std::string_view::npos;
}

// Those of other models, and what a run that was killed has left.
void remove_old(std::string const& headers, WallTime now) {
    auto const names = os::list_directory(headers);
    if (!names) return;
    for (auto const& name : *names) {
        auto const path = os::join_path(headers, name);
        if (!is_fresh(path, now)) (void)os::remove_tree(path);
    }
}

}  // namespace

bool names_a_url(std::string_view name) {
    return name.starts_with("http://") || name.starts_with("https://");
}

bool is_fresh(std::string const& place, WallTime now) {
    auto const status = os::status(place);
    if (!status) return false;
    auto const age = now.time_since_epoch() - std::chrono::nanoseconds{status->modified_ns};
    return age >= std::chrono::nanoseconds{0} && age < kept;
}

std::string header_place(std::string const& cache, std::string const& url) {
    auto const name = address_of(url).name;
    return format("{}/headers/{}/{}", cache, os::sha256_hex(url).substr(0, key_digits), name);
}

Result<void> fetch_header(std::string const& url, HeaderWorld const& world) {
    if (holds_a_password(url))
        return Error{Errc::Invalid,
                     "an address with a user or a password in it is not asked: who lists this "
                     "box's processes would see it; download the file and give its path"};
    auto const [there, name, rest] = address_of(url);
    if (name.empty()) return Error{Errc::Invalid, format("'{}' names no file", url)};
    auto const place = header_place(world.cache, url);
    if (is_fresh(place, world.now)) return {};
    auto const headers = world.cache + "/headers";
    remove_old(headers, world.now);
    auto const directory = os::directory_of(place);
    auto const unfinished = format("{}.{}", directory, os::random_hex(4));
    HAL0_CHECK(os::make_directories(unfinished));
    OpenSource const open = [&](std::string const& part) -> Result<std::unique_ptr<ByteSource>> {
        auto source = std::make_unique<RemoteSource>(
            part + std::string{rest}, os::join_path(unfinished, address_of(part).name), world.fetch_program);
        HAL0_CHECK(source->begin());
        return std::unique_ptr<ByteSource>{std::move(source)};
    };
    auto const model = read_gguf_model(format("{}{}", there, name), open);
    if (!model) {
        (void)os::remove_tree(unfinished);
        return model.error();
    }
    HAL0_CHECK(os::remove_tree(directory));
    auto moved = os::rename_path(unfinished, directory);
    if (moved) return {};
    (void)os::remove_tree(unfinished);
    return is_fresh(place, world.now) ? Result<void>{} : moved;  // another process was quicker
}

}  // namespace hal0::models
