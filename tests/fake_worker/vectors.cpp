#include "vectors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace fake {
namespace {

std::uint64_t fnv1a(std::string_view text) {  // http://www.isthe.com/chongo/tech/comp/fnv/
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (char const c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return hash;
}

std::uint64_t splitmix64(std::uint64_t& state) {  // Steele, Lea, Flood 2014
    std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

bool in_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0; }

std::size_t code_point_bytes(char lead) {
    auto const byte = static_cast<unsigned char>(lead);
    if (byte >= 0xf0) return 4;
    if (byte >= 0xe0) return 3;
    if (byte >= 0xc0) return 2;
    return 1;
}

}  // namespace

std::vector<float> embed(std::string_view text, long dims) {
    std::string words{text};
    std::transform(words.begin(), words.end(), words.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    std::vector<double> sum(static_cast<std::size_t>(dims), 0.0);
    auto add = [&sum](std::string_view word) {
        std::uint64_t state = fnv1a(word);
        for (double& value : sum) {
            value += static_cast<double>(splitmix64(state) >> 11U) / static_cast<double>(1ULL << 52U) - 1.0;
        }
    };
    bool any = false;
    for (auto at = words.begin(); at != words.end();) {
        auto const start = std::find_if(at, words.end(), in_word);
        at = std::find_if_not(start, words.end(), in_word);
        if (start != at) add({start, at}), any = true;
    }
    if (!any) add(text);  // no words: the text itself is one
    double square = 0;
    for (double const value : sum) {
        square += value * value;
    }
    std::vector<float> out;
    out.reserve(sum.size());
    for (double const value : sum) {
        out.push_back(static_cast<float>(value / std::sqrt(square)));
    }
    return out;
}

double dot(std::vector<float> const& a, std::vector<float> const& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return sum;
}

std::string base64(std::vector<float> const& values) {
    static constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::vector<std::uint32_t> bytes;
    for (float const value : values) {
        auto const bits = std::bit_cast<std::uint32_t>(value);
        for (unsigned shift = 0; shift < 32; shift += 8) {
            bytes.push_back((bits >> shift) & 0xffU);
        }
    }
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::size_t const left = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t const three =
            bytes[i] << 16U | (left > 1 ? bytes[i + 1] << 8U : 0U) | (left > 2 ? bytes[i + 2] : 0U);
        for (std::size_t digit = 0; digit < 4; ++digit) {
            out += digit <= left ? letters[three >> (18U - 6U * digit) & 63U] : '=';
        }
    }
    return out;
}

std::vector<Token> tokenize(std::string_view text) {
    std::vector<Token> tokens;
    while (!text.empty()) {
        std::size_t size = std::min(code_point_bytes(text.front()), text.size());
        while (size < 3 && size < text.size() &&
               size + code_point_bytes(text[size]) <= std::min<std::size_t>(3, text.size())) {
            size += code_point_bytes(text[size]);
        }
        Token token{.id = 0, .piece = std::string{text.substr(0, size)}};
        for (std::size_t i = 0; i < size; ++i) {
            token.id |= static_cast<long>(static_cast<unsigned char>(text[i])) << (8 * i);
        }
        tokens.push_back(std::move(token));
        text.remove_prefix(size);
    }
    return tokens;
}

std::string piece_of(long id) {
    std::string piece;
    for (; id > 0; id >>= 8) {
        piece += static_cast<char>(id & 0xff);
    }
    return piece;
}

}  // namespace fake
